"""The process that releases gets kill -9, wherever it is, while clients ask."""

from __future__ import annotations

import time

import pytest
from figures import Figures, count, said
from ground import CASE, FULL, deployer, expected, go_live, publish_next, see_nothing_orphaned, under_load
from halting import BEFORE

from esteira.deploy import journal
from esteira.deploy.gateway.folders import Folders
from esteira.deploy.gateway.runtime import Runtime
from esteira.deploy.live import placed
from esteira.deploy.release import build
from esteira.settings import Settings

pytestmark = pytest.mark.docker

SHORT = (
    "before the golden examples",
    "while it bakes",
    "once it is to serve and the gateway does not know",
    "before the old one is stopped",
)
POINTS = tuple(BEFORE) if FULL else SHORT


@pytest.mark.parametrize("point", POINTS)
def test_deployer_killed_at_a_point_leaves_one_version_serving_and_nothing_orphaned(
    home: Settings, figures: Figures, point: str
):
    publish_next(home)
    with under_load(home) as load:
        process = deployer(home, 2, point)
        assert process.stdout is not None
        lines = [*iter(process.stdout.readline, "here\n")] if process.poll() is None else []
        process.kill()
        rest = process.communicate()[0]
        assert process.returncode == -9, (lines, rest)
        time.sleep(0.5)
        _next_run(home)

    answers = load.answers
    figures.add("deployer_killed", count(f"failed requests, {point}", answers.failed, answers.requests))
    assert answers.failures == {}
    assert answers.pairs == {(1, expected(1)), (2, expected(2))}
    see_nothing_orphaned(home, 2)
    _see_the_gateway_as_it_must_be(home)


@pytest.mark.skipif(not FULL, reason="only in the long form")
def test_deployer_killed_at_any_moment_leaves_one_version_serving(home: Settings, figures: Figures):
    moments = [0.4 * number for number in range(1, 13)]
    publish_next(home)
    with under_load(home) as load:
        for moment in moments:
            process = deployer(home, 2)
            time.sleep(moment)
            process.kill()
            process.communicate()
        _next_run(home)

    answers = load.answers
    figures.add(
        "deployer_killed",
        count(
            f"failed requests, at {len(moments)} moments of as many releases",
            answers.failed,
            answers.requests,
        ),
        said("what runs after the next run", _running(home), 1),
    )
    assert answers.failures == {}
    assert answers.pairs == {(1, expected(1)), (2, expected(2))}
    see_nothing_orphaned(home, 2)


def _next_run(settings: Settings) -> None:
    went = go_live(settings, build(CASE, 2, settings))
    assert journal.releases(settings.ARTEFATOS_PATH, CASE)[-1] == went


def _running(settings: Settings) -> int:
    return sum(one.running for _, one in placed(None, settings))


def _see_the_gateway_as_it_must_be(settings: Settings) -> None:
    weights = Runtime(Folders.of(settings).admin).weights()[CASE]
    serving = {one.id for _, one in placed(None, settings) if one.role == "live"}
    assert {name for name, weight in weights.items() if weight} == serving
