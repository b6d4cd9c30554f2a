"""A home with a live version for each fault; and the figures, kept where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from figures import Figures
from ground import CASE, go_live, publish_next, say_in_the_case

from deploy.conftest import engine, on_docker, settings
from esteira.deploy.release import build
from esteira.settings import Settings

__all__ = ["engine", "on_docker", "settings"]

_KEPT = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", type=Path, help="the folder of reliability.md and reliability.json")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEPT] = Figures()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if folder := session.config.getoption("--figures"):
        session.config.stash[_KEPT].write(folder)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Where a test says what it saw."""
    return request.config.stash[_KEPT]


@pytest.fixture
def home(on_docker: Settings) -> Iterator[Settings]:
    """A home whose case has a file, and whose version 1 is live."""
    told = on_docker.model_copy(update={"CASOS_PATH": on_docker.ESTEIRA_HOME.parent / "casos"})
    say_in_the_case(told)
    publish_next(told)
    go_live(told, build(CASE, 1, told))
    return told
