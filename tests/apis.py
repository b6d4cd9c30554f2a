"""Starts real APIs, as processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30


@dataclass(kw_only=True)
class Api:
    """A running `python -m app`; its output is in `log`."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def launch(artefatos: Path, log: Path, port: int, case: str = "tiny", **environment: str) -> Api:
    """Start `python -m app` and return at once."""
    told = {"CASE": case, "ARTEFATOS_PATH": str(artefatos), "API_PORT": str(port), **environment}
    path = os.pathsep.join([str(ROOT / "plugins"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            env={**os.environ, "PYTHONPATH": path, **told},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Api(process=process, port=port, log=log)


@contextmanager
def serving(
    artefatos: Path, port: int | None = None, case: str = "tiny", **environment: str
) -> Iterator[Api]:
    """An API that is alive; it is stopped at the end."""
    port = port or free_port()
    log = artefatos.parent / f"api-{port}-{environment.get('INSTANCE_ID', 'only')}.log"
    api = launch(artefatos, log, port, case, **environment)
    try:
        wait_until_alive(api)
        yield api
    finally:
        api.process.kill()
        api.process.wait(PATIENCE)


def wait_until_alive(api: Api) -> None:
    """Return when the process answers; fail with its output when it ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and api.process.poll() is None:
        try:
            httpx.get(f"{api.url}/health/live", trust_env=False).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the API is not alive: {api.log.read_text()}")
