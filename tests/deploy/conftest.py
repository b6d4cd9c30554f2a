"""Homes, ports and targets of their own for the deploy floor's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.DockerClient]:
    """The Docker engine; without one these tests say so, and fail where CI is set.

    One image is kept to the end, so that its layers are in the engine's cache.
    """
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        reason = f"no Docker engine answers: {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("first")
    first = Settings(ARTEFATOS_PATH=root / "artefatos", ESTEIRA_HOME=root / "home", DEPLOY_TARGET="docker")
    publish(first)
    build("tiny", None, first)
    yield client
    _remove_images_and_see_no_container(first)


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def target(request: pytest.FixtureRequest) -> str:
    if request.param == "docker":
        request.getfixturevalue("engine")
    return str(request.param)


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
def on_target(settings: Settings, target: str) -> Settings:
    """The same on each target in turn."""
    return settings.model_copy(update={"DEPLOY_TARGET": target})


@pytest.fixture
def on_docker(settings: Settings, engine: docker.DockerClient) -> Settings:
    return settings.model_copy(update={"DEPLOY_TARGET": "docker"})


def _remove_images_and_see_no_container(settings: Settings) -> None:
    ours = {"label": f"esteira.home={home_id(settings.ESTEIRA_HOME)}"}
    try:
        client = docker.from_env()
        images = client.images.list(filters=ours)
        left = [container.name for container in client.containers.list(all=True, filters=ours)]
    except docker.errors.DockerException:
        return
    assert left == []
    for image in images:
        client.images.remove(image.id, force=True)
