"""A version that is worse than the one that serves, and goes bad only once it is asked by callers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from figures import Figures, count
from ground import (
    CASE,
    FULL,
    expected,
    faulty,
    go_live,
    publish_next,
    see_nothing_orphaned,
    under_load,
)
from load import Answers

from benchmarks.rows import Row, at_most
from esteira.deploy import journal, trial
from esteira.deploy.errors import GoldenError
from esteira.deploy.evidence import BreachError
from esteira.deploy.facts import Build, Wanted
from esteira.settings import Settings

pytestmark = pytest.mark.docker

GOLDEN = 20
"""So many requests a version answers well before it goes bad: those that the release itself asks."""
CANARY = Wanted(canary=10, bake=60)
SLOW = 0.05
"""The share of answers that come late: it decides the p99."""

TIMES = (10, 2) if FULL else (10,)
"""How much higher the p99 gets: what is only doubled is hard to tell from the stalls of a busy machine."""


class Baked:
    """When a bake began and when it ended."""

    def __init__(self, bake: Callable[..., Any]) -> None:
        self._bake = bake
        self.begun = self.ended = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.begun = time.monotonic()
        try:
            return self._bake(*args, **kwargs)
        finally:
            self.ended = time.monotonic()


@pytest.fixture
def baked(monkeypatch: pytest.MonkeyPatch) -> Baked:
    """The bake, timed."""
    timed = Baked(trial.bake)
    monkeypatch.setattr(trial, "bake", timed)
    return timed


def test_bad_version_that_answers_500_to_five_percent_goes_back_by_itself(
    home: Settings, figures: Figures, baked: Baked
):
    built = faulty(home, publish_next(home), errors=0.05, after=GOLDEN)
    answers, error = _released(home, built)

    hit = answers.failures["500"]
    _add("answers 500 to 5 %", figures, answers, baked, hit)
    assert answers.failures == {"500": hit}
    _see_rolled_back(home, error, "requests failed")


@pytest.mark.parametrize("times", TIMES)
def test_bad_version_with_a_higher_p99_goes_back_by_itself(
    home: Settings, figures: Figures, baked: Baked, times: int
):
    with under_load(home) as before:
        time.sleep(5)
    p99 = before.answers.percentile(0.99)
    built = faulty(home, publish_next(home), slow=SLOW, seconds=times * p99, after=GOLDEN)
    answers, error = _released(home, built)

    hit = sum(one.seconds > times * p99 for one in answers.of(2).all)
    _add(f"p99 of {p99 * 1e3:.0f} ms times {times}", figures, answers, baked, hit)
    assert answers.failures == {}
    _see_rolled_back(home, error, "p99")


def test_bad_version_that_dies_under_load_goes_back_by_itself(home: Settings, figures: Figures, baked: Baked):
    built = faulty(home, publish_next(home), dies=GOLDEN + 10, after=GOLDEN)
    answers, error = _released(home, built)

    _add("dies after 10 requests", figures, answers, baked, answers.failed)
    assert answers.failures == {}
    _see_rolled_back(home, error, "")


def test_golden_answers_that_differ_keep_a_version_from_every_request(home: Settings, figures: Figures):
    built = faulty(home, publish_next(home), wrong=1.0)
    with under_load(home) as load, pytest.raises(GoldenError, match=r"golden example 1 of 20"):
        go_live(home, built, CANARY)

    answers = load.answers
    wrong = sum(one.version != 1 for one in answers.all)
    figures.add("golden", count("requests that the new version got", wrong, answers.requests))
    assert answers.failures == {}
    assert answers.pairs == {(1, expected(1))}
    failed = journal.releases(home.ARTEFATOS_PATH, CASE)[-1]
    assert (failed.outcome, failed.step, failed.version) == ("failed", "golden", 2)
    see_nothing_orphaned(home, 1)


def _released(settings: Settings, built: Build) -> tuple[Answers, BreachError]:
    with under_load(settings) as load, pytest.raises(BreachError) as raised:
        go_live(settings, built, CANARY)
    return load.answers, raised.value


def _add(fault: str, figures: Figures, answers: Answers, baked: Baked, hit: int) -> None:
    during = answers.between(baked.begun, baked.ended)
    reached = during.of(2).requests + sum(one.reason == "500" for one in during.all)
    last = max((one.at for one in answers.of(2).all), default=baked.ended)
    figures.add(
        "bad_version",
        at_most(f"{fault}: requests that got the fault", 100 * hit / during.requests, 1, "{:.2f} %"),
        at_most(f"{fault}: from the verdict to its last answer", max(0.0, last - baked.ended), 2, "{:.2f} s"),
        Row(
            what=f"{fault}: until the verdict",
            figure=f"{baked.ended - baked.begun:.1f} s; {reached:,} of {during.requests:,} reached it",
            target="",
            met=True,
        ),
    )


def _see_rolled_back(settings: Settings, error: BreachError, why: str) -> None:
    line = journal.releases(settings.ARTEFATOS_PATH, CASE)[-1]
    assert (line.version, line.from_version, line.outcome, line.step) == (2, 1, "rolled back", "canary")
    assert why in str(error)
    assert line.reason == str(error)
    assert line.evidence == error.evidence.model_dump(mode="json")
    see_nothing_orphaned(settings, 1)
