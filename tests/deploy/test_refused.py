"""A trial or a switch that is refused leaves nothing of the new version, and the old one serving."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from releasing import ANSWER, ask, publish, release, running, verified

from esteira.deploy import marks, standing
from esteira.deploy.errors import CanaryError, EngineError, PinnedError, PortError
from esteira.deploy.facts import Instance, Standing, Wanted
from esteira.deploy.release import switch
from esteira.deploy.target import Target, removed_on_failure
from esteira.deploy.trial import try_out
from esteira.deploy.whole import go_live
from esteira.settings import Settings


def said_in_its_file(settings: Settings, words: str) -> Settings:
    """The same home, with a case file whose `release:` says so."""
    folder: Path = settings.ESTEIRA_HOME / "casos"
    folder.mkdir(parents=True)
    (folder / "tiny.yaml").write_text(
        "title: Tiny\nsource: {files: a.csv}\ntarget: y\ntask: regression\n"
        f"columns: {{x: {{type: number}}}}\ntrain: {{candidates: [ridge]}}\nrelease: {words}\n"
    )
    return settings.model_copy(update={"CASOS_PATH": folder})


@pytest.mark.parametrize("wanted", [Wanted(canary=10), Wanted(shadow=10)])
def test_a_canary_that_a_process_cannot_have_leaves_nothing_of_the_new_version(
    settings: Settings, wanted: Wanted
):
    publish(settings)
    with pytest.raises(CanaryError, match="without those that were asked for"):
        go_live("tiny", 1, settings, wanted)
    assert running(settings) == []


@pytest.mark.parametrize("words", ["{canary: 10}", "{shadow: 10}"])
def test_the_canary_of_a_cases_own_file_is_left_out_where_a_process_serves(
    settings: Settings, words: str, caplog: pytest.LogCaptureFixture
):
    now = said_in_its_file(settings, words)
    publish(now)
    said: list[str] = []
    with caplog.at_level(logging.WARNING, "esteira"):
        assert go_live("tiny", 1, now, Wanted(bake=5), said.append).outcome == "live"
    assert "that the file of 'tiny' asks for are left out" in caplog.text
    assert "without containers no canary and no shadow" in said
    assert ask(now) == ANSWER


@pytest.mark.parametrize("step", [switch, lambda tried, now: try_out(tried, Wanted(canary=10), now)])
def test_a_version_that_may_not_go_live_any_more_is_ended(
    settings: Settings, step: Callable[..., object], monkeypatch: pytest.MonkeyPatch
):
    first = publish(settings)
    before = release(settings)
    publish(settings, offset=1000)
    tried = verified(settings)
    marks.mark(settings, "tiny", first.version, "pinned", None)
    monkeypatch.setattr("esteira.deploy.trial.DockerTarget", object)  # as where traffic can be shared
    with pytest.raises(PinnedError):
        step(tried, settings)
    assert running(settings) == list(before.instances)
    assert ask(settings) == ANSWER


def test_a_port_that_was_taken_meanwhile_leaves_nothing_of_the_new_version(settings: Settings):
    publish(settings)
    tried = verified(settings)
    with socket.create_server(("127.0.0.1", settings.API_PORT)), pytest.raises(PortError):
        switch(tried, settings)
    assert running(settings) == []


def test_a_new_version_that_cannot_be_written_down_as_live_does_not_answer_beside_the_old_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    publish(settings)
    before = release(settings)
    publish(settings, offset=1000)
    tried = verified(settings)
    write = standing.write

    def fails(now: Settings, known: Standing) -> None:
        if known.version == 2:
            raise PermissionError("read only")
        write(now, known)

    monkeypatch.setattr(standing, "write", fails)
    with pytest.raises(PermissionError):
        switch(tried, settings)
    assert running(settings) == list(before.instances)
    assert ask(settings) == ANSWER


def test_a_switch_whose_hindrance_may_pass_can_be_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    publish(settings)
    tried = verified(settings)

    def silent(*_: object) -> None:
        raise EngineError("The engine stopped answering")

    with monkeypatch.context() as patch:
        patch.setattr("esteira.deploy.release.public_port", silent)
        with pytest.raises(EngineError):
            switch(tried, settings)
    assert switch(tried, settings).outcome == "live"
    assert ask(settings) == ANSWER


class Removing:
    """A target that only writes down what it is to remove."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def remove(self, instance: Instance) -> None:
        self.removed.append(instance.id)


def test_an_error_after_a_version_went_live_does_not_end_it(settings: Settings):
    publish(settings)
    tried = verified(settings)
    (one,) = tried.started.instances
    other = one.model_copy(update={"id": "v1-bbbb"})
    known = Standing(
        case="tiny", title="Tiny", version=1, target="docker", instances=(one.id,), port=settings.API_PORT
    )
    standing.write(settings, known)
    target = Removing()
    with (
        pytest.raises(KeyboardInterrupt),
        removed_on_failure(cast("Target", target), (one, other), settings),
    ):
        raise KeyboardInterrupt
    assert target.removed == [other.id]
    standing.forget(settings, "tiny")
