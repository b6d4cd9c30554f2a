"""What containers serve is not forgotten in a shell from which no Docker engine can be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from releasing import publish, release, running

from esteira.deploy import live, standing
from esteira.deploy.errors import EngineError, PortError
from esteira.deploy.facts import Standing
from esteira.settings import Settings


@pytest.fixture
def contained(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standing]:
    """What is written down of a case `tiny` that containers serve, where no engine answers."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    known = Standing(
        case="tiny",
        title="Tiny",
        version=1,
        target="docker",
        instances=("v1-aaaa",),
        port=settings.API_PORT,
    )
    standing.write(settings, known)
    yield known
    standing.forget(settings, "tiny")


@pytest.mark.parametrize("case", [None, "tiny"])
def test_a_stop_names_what_it_cannot_reach_and_does_not_forget_it(
    settings: Settings, contained: Standing, case: str | None
):
    with pytest.raises(EngineError, match=r"version 1 of 'tiny' may be served.*start it, or let") as raised:
        live.stop(case, settings)
    assert str(settings.ESTEIRA_HOME / "api" / "tiny.json") in str(raised.value)
    assert standing.read(settings, "tiny") == contained


def test_a_stop_ends_the_cases_that_it_can_reach_all_the_same(settings: Settings, contained: Standing):
    standing.write(settings, contained.model_copy(update={"case": "far"}))
    standing.forget(settings, "tiny")
    publish(settings)
    release(settings)
    with pytest.raises(EngineError, match="'far'"):
        live.stop(None, settings)
    assert running(settings) == []
    assert standing.read(settings, "tiny") is None
    standing.forget(settings, "far")


def test_a_release_that_fails_does_not_forget_what_it_cannot_reach(settings: Settings, contained: Standing):
    publish(settings)
    with socket.create_server(("127.0.0.1", settings.API_PORT)), pytest.raises(PortError):
        release(settings)
    assert standing.read(settings, "tiny") == contained
    assert running(settings) == []
