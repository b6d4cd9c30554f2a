"""What the tests of several parts share: the deploy targets, and an engine for one of them."""

import docker
import pytest
from xdist.scheduler import LoadScopeScheduling

from needs import missing

_ONE_AFTER_THE_OTHER = ("chaos", "compose", "deploy", "engineproxy", "e2e")
"""Folders whose tests share the engine's image names, or take the whole machine."""
_WITHOUT_AN_ENGINE = ("test_fuzz.py", "test_soak.py")


class _ByFile(LoadScopeScheduling):
    """Tests of a file stay together on one worker, and so do those of all the folders above."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        _, folder, *_, name = file.split("/")
        return "engine" if folder in _ONE_AFTER_THE_OTHER and name not in _WITHOUT_AN_ENGINE else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _ByFile(config, log)


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
