"""What is live after the process that releases was killed, wherever it was."""

from __future__ import annotations

import time
from collections.abc import Callable

from releasing import ANSWER, ask, deployer, publish, release, running, serving, verified

from esteira.deploy import standing
from esteira.deploy.live import live, placed, resume
from esteira.deploy.release import build
from esteira.settings import Settings


def test_a_version_that_was_started_and_left_is_gone_after_the_next_release(on_target: Settings):
    publish(on_target)
    (left,) = verified(on_target).started.instances
    assert running(on_target) == [left.id]
    build("tiny", None, on_target)
    assert placed(None, on_target) == []


def test_killed_while_the_new_one_starts_nothing_of_it_is_left_after_the_next_release(on_target: Settings):
    publish(on_target)
    release(on_target)
    publish(on_target, offset=1000)
    _kill_when(on_target, lambda: len(running(on_target)) == 2)
    assert ask(on_target) == ANSWER
    _release_and_check(on_target)


def test_killed_once_the_new_one_serves_the_old_one_is_stopped_by_the_next_step(on_target: Settings):
    publish(on_target)
    release(on_target)
    publish(on_target, offset=1000)
    _kill_when(on_target, lambda: _to_serve(on_target) == 2)
    build("tiny", 1, on_target)
    assert running(on_target) == serving(on_target)
    assert ask(on_target) == ANSWER + 1000


def test_what_was_live_and_died_serves_again_after_resume(on_target: Settings):
    publish(on_target)
    release(on_target)
    ((target, instance),) = placed("tiny", on_target)
    target.retire(instance)
    assert live("tiny", on_target) is None
    (again,) = resume(on_target)
    assert (again.case, again.version) == ("tiny", 1)
    assert ask(on_target) == ANSWER
    assert len(placed(None, on_target)) == 1


def _to_serve(settings: Settings) -> int | None:
    known = standing.read(settings, "tiny")
    return known.version if known else None


def _release_and_check(settings: Settings) -> None:
    entry = release(settings, version=2)
    assert ask(settings) == ANSWER + 1000
    assert running(settings) == list(entry.instances)


def _kill_when(settings: Settings, reached: Callable[[], bool]) -> None:
    """Release version 2 in a process of its own, and kill that as soon as it got so far."""
    process = deployer(settings, 2)
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
    process.kill()
    process.communicate()
