"""The Docker engine stops midway: a real connection to the real engine, cut at a chosen request."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from releasing import ANSWER, ask, publish, release, running

from esteira.deploy import journal
from esteira.deploy.errors import DeployError
from esteira.settings import Settings
from needs import missing

pytestmark = pytest.mark.docker


class Wire:
    """A socket that leads to the engine until a request holds `cut_at`; from then on nobody answers."""

    def __init__(self, path: Path, engine: str) -> None:
        self.cut_at = b"\0never"
        self._engine, self._open = engine, True
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._ends: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while self._open:
                near = self._listener.accept()[0]
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._engine)
                self._ends += [near, far]
                threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if watched and self.cut_at in content:
                    return self.cut()
                sink.sendall(content)
            sink.shutdown(socket.SHUT_WR)
        return None

    def cut(self) -> None:
        self._open = False
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def wire(engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    host = engine.api.base_url
    if not host.startswith("http+docker://"):
        missing(f"the engine is not behind a local socket but at {host}")
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(Path(folder) / "wire", "/var/run/docker.sock")
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/wire")
        yield wire
        wire.cut()


@pytest.mark.parametrize(
    ("request_", "step"),
    [
        (b"/build?", "build"),
        (b"/containers/create?", "start"),
        (b"/stop?", "retire"),
    ],
)
def test_an_engine_that_stops_midway_is_named_and_the_old_version_serves_when_it_is_back(
    on_docker: Settings, wire: Wire, monkeypatch: pytest.MonkeyPatch, request_: bytes, step: str
):
    publish(on_docker)
    release(on_docker)
    publish(on_docker, offset=1000)
    wire.cut_at = request_

    with pytest.raises(DeployError, match=r"The Docker engine stopped answering; it was to"):
        release(on_docker)

    monkeypatch.delenv("DOCKER_HOST")
    failed = journal.releases(on_docker.ARTEFATOS_PATH, "tiny")[-1]
    assert (failed.outcome, failed.step) == ("failed", step)
    assert ask(on_docker) == (ANSWER + 1000 if step == "retire" else ANSWER)
    entry = release(on_docker)
    assert ask(on_docker) == ANSWER + 1000
    assert running(on_docker) == list(entry.instances)
