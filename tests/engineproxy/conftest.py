from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from proxied import Proxied

from bundles import tiny_bundle
from esteira.deploy.container import DockerTarget
from esteira.deploy.facts import Build
from esteira.settings import PROJECT, Settings


@pytest.fixture(scope="session")
def proxied(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    home = f"test-{uuid.uuid4().hex[:8]}"
    folder = tmp_path_factory.mktemp("proxied")
    socket = folder / "engine.sock"
    now = Settings(
        HOME_ID=home,
        GATEWAY_VOLUME=f"{home}-api",
        ARTEFATOS_PATH=folder / "artefatos",
        ESTEIRA_HOME=folder / "home",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{socket}")
        proxy = _started(now, socket)
        try:
            client = docker.from_env(timeout=120)
            target = DockerTarget(now)
            yield Proxied(
                client=client,
                engine=docker_client,
                target=target,
                build=_built(target, now),
                home=home,
                volume=now.GATEWAY_VOLUME,
            )
        finally:
            proxy.terminate()
            proxy.wait(10)
            _clean(docker_client, home)


def _started(now: Settings, socket: Path) -> subprocess.Popen[bytes]:
    told = {
        **os.environ,
        "PYTHONPATH": str(PROJECT / "plugins"),
        "HOME_ID": now.HOME_ID,
        "GATEWAY_VOLUME": now.GATEWAY_VOLUME,
        "PROXY_SOCKET": str(socket),
    }
    process = subprocess.Popen([sys.executable, "-m", "esteira.engineproxy"], env=told)
    deadline = time.monotonic() + 60
    while not socket.exists():
        assert process.poll() is None, "the proxy ended"
        assert time.monotonic() < deadline, "the proxy does not listen"
        time.sleep(0.05)
    return process


def _built(target: DockerTarget, now: Settings) -> Build:
    bundle = tiny_bundle(now.ARTEFATOS_PATH, case="proxied")
    sha = hashlib.sha256(bundle.metadata_path.read_bytes()).hexdigest()
    return Build(
        case="proxied",
        version=bundle.version,
        target="docker",
        image=target.prepare(bundle, None, sha),
        title="Tiny",
        bundle_sha256=sha,
        dataset_sha256="",
        git_commit=None,
        seconds=0,
    )


def _clean(engine: docker.DockerClient, home: str) -> None:
    ours = {"label": f"esteira.home={home}"}
    for container in engine.containers.list(all=True, filters=ours):
        container.remove(force=True, v=True)
    for image in engine.images.list(filters=ours):
        engine.images.remove(image.id, force=True)
    for volume in engine.volumes.list(filters={"name": home}):
        volume.remove(force=True)
