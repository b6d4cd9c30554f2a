"""What is live after the process that releases was killed, wherever it was."""

from __future__ import annotations

import time
from collections.abc import Callable

from releasing import ANSWER, ask, deployer, publish, release

from esteira.deploy.facts import Instance
from esteira.deploy.live import live, placed, resume
from esteira.deploy.release import build, start_and_verify
from esteira.settings import Settings


def test_a_trial_that_was_left_behind_is_gone_after_the_next_release(on_target: Settings):
    publish(on_target)
    left = start_and_verify(build("tiny", None, on_target), on_target).trial
    assert [instance.id for instance in _all(on_target)] == [left.id]
    build("tiny", None, on_target)
    assert _all(on_target) == []


def test_killed_while_the_trial_starts_nothing_is_left_after_the_next_release(on_target: Settings):
    publish(on_target)
    release(on_target)
    publish(on_target, offset=1000)
    _kill_when(on_target, lambda found: any(instance.role == "trial" for instance in found))
    assert ask(on_target) == ANSWER
    _release_and_check(on_target)


def test_killed_with_old_and_new_side_by_side_the_old_one_stays_until_the_next_release(on_target: Settings):
    publish(on_target)
    release(on_target)
    publish(on_target, offset=1000)
    _kill_when(on_target, lambda found: sum(instance.role == "live" for instance in found) == 2)
    build("tiny", 1, on_target)
    assert [(instance.role, instance.version) for instance in _all(on_target)] == [("live", 1)]
    assert ask(on_target) == ANSWER
    _release_and_check(on_target)


def test_what_was_live_and_died_serves_again_after_resume(on_target: Settings):
    publish(on_target)
    release(on_target)
    ((target, instance),) = placed("tiny", on_target)
    target.halt(instance)
    assert live("tiny", on_target) is None
    (again,) = resume(on_target)
    assert (again.case, again.version) == ("tiny", 1)
    assert ask(on_target) == ANSWER
    assert len(_all(on_target)) == 1


def _release_and_check(settings: Settings) -> None:
    entry = release(settings, version=2)
    assert ask(settings) == ANSWER + 1000
    assert [instance.id for instance in _all(settings)] == [entry.instance]


def _all(settings: Settings) -> list[Instance]:
    return [instance for _, instance in placed(None, settings)]


def _kill_when(settings: Settings, reached: Callable[[list[Instance]], bool]) -> None:
    """Release version 2 in a process of its own, and kill that as soon as the instances are so."""
    process = deployer(settings, 2)
    deadline = time.monotonic() + 60
    while not reached(_all(settings)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
    process.kill()
    process.communicate()
