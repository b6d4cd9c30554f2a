"""What the tests of several parts share: the deploy targets, and an engine for one of them."""

import docker
import pytest

from needs import missing


@pytest.fixture(scope="session")
def docker_client() -> docker.DockerClient:
    """The Docker engine; without one these tests say so and are skipped, and fail where CI is set."""
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        missing(f"no Docker engine answers: {error}")
    return client


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def target(request: pytest.FixtureRequest) -> str:
    """Each deploy target in turn."""
    if request.param == "docker":
        request.getfixturevalue("docker_client")
    return str(request.param)
