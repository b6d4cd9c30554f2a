"""The live container gets kill -9 while clients ask."""

from __future__ import annotations

import time
from statistics import median

import pytest
from figures import Figures, count
from ground import (
    CASE,
    FULL,
    all_up,
    answers_with,
    container,
    expected,
    go_live,
    kill,
    publish_next,
    say_in_the_case,
    see_nothing_orphaned,
    under_load,
    wait_for,
)

from benchmarks.rows import Row, at_most
from esteira.deploy import standing
from esteira.deploy.release import build
from esteira.settings import Settings

pytestmark = pytest.mark.docker

KILLS = 3 if FULL else 1


def test_container_killed_beside_a_second_replica_fails_no_request(home: Settings, figures: Figures):
    say_in_the_case(home, replicas=2)
    go_live(home, build(CASE, publish_next(home), home))
    known = standing.read(home, CASE)
    assert known is not None
    assert len(known.instances) == 2

    with under_load(home) as load:
        for number in range(KILLS):
            kill(container(home, known.instances[number % 2]))
            wait_for(lambda: _runs(home, known.instances))
            wait_for(lambda: all_up(home))
            time.sleep(2)

    answers = load.answers
    figures.add(
        "container_killed",
        count(f"failed requests in {KILLS} kills of one of two replicas", answers.failed, answers.requests),
        at_most("longest time without a good answer, two replicas", answers.longest_gap, 2, "{:.2f} s"),
    )
    assert answers.failures == {}
    assert answers.pairs == {(2, expected(2))}
    see_nothing_orphaned(home, 2)


def test_container_killed_with_no_other_comes_back_by_itself(home: Settings, figures: Figures):
    known = standing.read(home, CASE)
    assert known is not None
    gaps, failed, asked = [], 0, 0
    for _ in range(KILLS):
        time.sleep(10 if FULL else 0)
        with under_load(home) as load:
            killed = container(home, known.instances[0])
            before = killed.attrs["State"]["StartedAt"]
            kill(killed)
            wait_for(lambda: _started(home, known.instances[0]) != before)  # noqa: B023
            wait_for(lambda: answers_with(home, 1))
            time.sleep(1)
        gaps.append(load.answers.longest_gap)
        failed, asked = failed + load.answers.failed, asked + load.answers.requests
        assert load.answers.pairs == {(1, expected(1))}

    figures.add(
        "container_killed",
        at_most(f"back with one replica, median of {KILLS}", median(gaps), 2, "{:.2f} s"),
        Row(
            what="failed requests with one replica",
            figure=f"{failed:,} of {asked:,}",
            target="",
            met=True,
        ),
    )
    see_nothing_orphaned(home, 1)


def _runs(settings: Settings, instances: tuple[str, ...]) -> bool:
    return all(container(settings, one).status == "running" for one in instances)


def _started(settings: Settings, instance: str) -> str:
    state = container(settings, instance).attrs["State"]
    return str(state["StartedAt"]) if state["Running"] else ""
