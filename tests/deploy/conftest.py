"""Homes, ports and targets of their own for the deploy floor's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from releasing import publish

from esteira.deploy import port
from esteira.deploy.facts import home_id
from esteira.deploy.live import placed, stop
from esteira.deploy.release import build
from esteira.settings import Settings


@pytest.fixture(scope="session")
def engine(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[docker.DockerClient]:
    """The engine, with one image kept to the end, so that its layers are in the engine's cache."""
    root = tmp_path_factory.mktemp("first")
    first = Settings(ARTEFATOS_PATH=root / "artefatos", ESTEIRA_HOME=root / "home", DEPLOY_TARGET="docker")
    publish(first)
    build("tiny", None, first)
    yield docker_client
    _remove_images_and_see_no_container(first)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A home with a free public port, on processes; whatever a test leaves running is ended."""
    told = Settings(
        ARTEFATOS_PATH=tmp_path / "artefatos",
        ESTEIRA_HOME=tmp_path / "home",
        DEPLOY_TARGET="process",
        API_PORT=port.spare(),
    )
    yield told
    stop(None, told)
    assert not placed(None, told)
    _remove_images_and_see_no_container(told)


@pytest.fixture
def on_target(settings: Settings, target: str, request: pytest.FixtureRequest) -> Settings:
    """The same on each target in turn."""
    if target == "docker":
        request.getfixturevalue("engine")
    return settings.model_copy(update={"DEPLOY_TARGET": target})


@pytest.fixture
def on_docker(settings: Settings, engine: docker.DockerClient) -> Settings:
    return settings.model_copy(update={"DEPLOY_TARGET": "docker"})


def _remove_images_and_see_no_container(settings: Settings) -> None:
    ours = {"label": f"esteira.home={home_id(settings)}"}
    try:
        client = docker.from_env()
        images = client.images.list(filters=ours)
        left = [container.name for container in client.containers.list(all=True, filters=ours)]
    except docker.errors.DockerException:
        return
    assert left == []
    # the newest first: no image can go before those that were made from it
    for image in sorted(images, key=lambda image: str(image.attrs["Created"]), reverse=True):
        # one without a name goes with the last that was made from it
        with suppress(docker.errors.ImageNotFound):
            client.images.remove(image.id, force=True)
