"""Lets a challenger through if it keeps the case's thresholds and chance explains what it is worse by."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd

from esteira import bundle
from esteira.bundle import Bundle, BundleError
from esteira.case import LOWER_IS_BETTER, Case
from esteira.columns import Column, Date, is_text
from esteira.metadata import HeldOutFact, Interval
from esteira.settings import Settings
from esteira.train import features, graph
from esteira.train.answers import Answers
from esteira.train.chance import standard_error
from esteira.train.prepared import Prepared
from esteira.train.scores import better, places, scores, sentence
from esteira.withdrawn import withdrawn

log = logging.getLogger("esteira")

_NOISE = 1e-6
"""A difference below this is not a difference; of errors in the target's unit, relative to its deviation."""
_IN_UNIT = frozenset({"rmse", "mae", "medae"})
_SHORT = 0.02
"""By how much a prediction interval may truly cover less than was asked."""
_ERRORS = 3
"""How many standard errors of the coverage are put down to chance."""
_WORSE_ERRORS = 2
"""How many standard errors of the difference between challenger and champion are."""


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """What a challenger showed on the holdout."""

    rows: pd.DataFrame
    """The raw rows, features and target."""
    answers: Answers
    """What it answered to them."""
    scores: Mapping[str, float]
    interval: Interval | None
    calibrated: int
    """On how many rows the interval was set."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The version that the challenger was compared with, and why it does not pass: nothing when it does."""

    champion: int | None
    reasons: tuple[str, ...]
    chance: str | None = None
    """What chance explains, where the challenger is worse than the champion by no more than that."""


def gate(case: Case, prepared: Prepared, seen: Holdout, settings: Settings) -> Verdict:
    """Thresholds first, then the interval's coverage, then the champion on the same holdout."""
    reasons = [*_below_thresholds(case, seen), *_short_coverage(case, seen)]
    champion = _champion(case, prepared, settings)
    if champion is None:
        return Verdict(champion=None, reasons=tuple(reasons))
    worse = _worse_than(champion, case, prepared, seen)
    if worse is None or not worse.by_chance:
        reasons += [] if worse is None else [worse.words]
        return Verdict(champion=champion.version, reasons=tuple(reasons))
    log.warning("%s", worse.words)
    return Verdict(champion=champion.version, reasons=tuple(reasons), chance=worse.words)


def coverage_floor(asked: float, calibrated: int, held_out: int) -> float:
    """The least coverage seen that chance explains, of an interval that may cover `asked` - 0.02.

    Both numbers of rows count: an interval whose ends are a quantile of `calibrated` errors truly covers
    a share of variance asked (1 - asked) / calibrated (V. Vovk, Conditional validity of inductive
    conformal predictors, 2012), and the share seen in `held_out` rows varies around it likewise. The
    floor lies three standard errors below.
    """
    return asked - _SHORT - _ERRORS * sqrt(asked * (1 - asked) * (1 / calibrated + 1 / held_out))


def _below_thresholds(case: Case, seen: Holdout) -> list[str]:
    values = dict(seen.scores) | ({"coverage": seen.interval.coverage} if seen.interval else {})
    return [
        f"{metric} is {values[metric]:.6g}, {'at most' if metric in LOWER_IS_BETTER else 'at least'} "
        f"{limit:g} is asked"
        for metric, limit in case.gate.items()
        if values[metric] != limit and not better(metric, values[metric], limit)
    ]


def _short_coverage(case: Case, seen: Holdout) -> list[str]:
    if seen.interval is None or "coverage" in case.gate:
        return []
    floor = coverage_floor(seen.interval.asked, seen.calibrated, len(seen.rows))
    if seen.interval.coverage >= floor:
        return []
    words = (
        f"coverage of the {seen.interval.asked:.0%} interval is {seen.interval.coverage:.4f} on "
        f"{len(seen.rows):,} held-out rows, and chance explains no less than {floor:.4f}"
    )
    if case.train.time is None:
        return [words]
    # Split conformal prediction promises coverage for exchangeable rows; later ones are not.
    log.warning("%s: the rows changed with time, or the newest are harder to predict", words)
    return []


def _champion(case: Case, prepared: Prepared, settings: Settings) -> Bundle | None:
    """The newest version that nobody withdrew, if it answers the same question from the same columns."""
    artefatos = settings.ARTEFATOS_PATH
    known = set(bundle.versions(artefatos, case.name)) - withdrawn(artefatos, case.name)
    if not known:
        return None
    with _way_on(case.name, max(known)):
        champion = bundle.load(artefatos, case.name, max(known))
    theirs = champion.metadata
    differences = {
        "another task": theirs.task != case.task,
        "another target": theirs.target != case.target,
        "other columns": _kinds(theirs.columns) != _kinds(case.features),
        "other classes": set(theirs.classes or ()) != set(prepared.classes or ()),
        "other rows held out": _may_have_learned(theirs.held_out, case, prepared),
    }
    for what in (words for words, differs in differences.items() if differs):
        log.warning("Version %d has %s: it cannot be compared on this holdout", champion.version, what)
        return None
    return champion


def _may_have_learned(theirs: HeldOutFact | None, case: Case, prepared: Prepared) -> bool:
    """Whether a version may have been trained on rows that are held out now: on those it would look good."""
    if theirs is None:
        return False
    if theirs.time != case.train.time:
        return True
    if theirs.since is None or prepared.since is None:
        return case.train.holdout > theirs.share
    return prepared.since[1] < theirs.since


def _kinds(columns: Mapping[str, Column]) -> dict[str, tuple[bool, bool]]:
    """What a column is to a graph: a whole number and a real one are the same."""
    return {name: (is_text(column), isinstance(column, Date)) for name, column in columns.items()}


@dataclass(frozen=True)
class _Worse:
    by_chance: bool
    words: str


def _worse_than(champion: Bundle, case: Case, prepared: Prepared, seen: Holdout) -> _Worse | None:
    """By how much the challenger is worse than the champion on the same rows; None when it is not."""
    metric, of_champion = case.metric, _answers_of(champion, seen.rows)
    theirs = _scores(case, champion.metadata.classes, seen.rows, of_champion)
    log.info("The champion, version %d, on the same holdout: %s", champion.version, sentence(case, theirs))
    slack = _NOISE * (prepared.scale if metric in _IN_UNIT else 1.0)
    mine, best = seen.scores[metric], theirs[metric]
    if not better(metric, best, mine) or abs(best - mine) <= slack:
        return None

    def difference(rows: npt.NDArray[np.int64]) -> float:
        some = seen.rows.iloc[rows]
        challenger = _scores(case, prepared.classes, some, seen.answers.of(rows))
        return (
            challenger[metric] - _scores(case, champion.metadata.classes, some, of_champion.of(rows))[metric]
        )

    error = standard_error(difference, len(seen.rows))
    by_chance = abs(best - mine) <= _WORSE_ERRORS * error
    told = f"{metric} is {mine:.6g}, worse than {best:.6g} of version {champion.version}"
    verdict = "by no more than chance explains" if by_chance else "by more than chance explains"
    rows = f"{len(seen.rows):,} held-out rows"
    return _Worse(by_chance, f"{told} {verdict} ({_WORSE_ERRORS} × {error:.2g} on {rows})")


def _answers_of(champion: Bundle, holdout: pd.DataFrame) -> Answers:
    shape = features.layout(champion.metadata.columns)
    feed = features.tensors(features.frame(holdout, shape), shape)
    return graph.run(graph.session(_graph_of(champion)), feed)


def _graph_of(champion: Bundle) -> bytes:
    with _way_on(champion.metadata.case, champion.version):
        return champion.read("onnx")


@contextmanager
def _way_on(case: str, version: int) -> Iterator[None]:
    """Say what to do where a version that cannot be opened would stop every training to come."""
    try:
        yield
    except BundleError as error:
        raise BundleError(
            f"{error}. Every new version is compared with this one: where it cannot be restored, say first "
            f"`esteira withdraw {case} {version}`, then train again"
        ) from error


def _scores(
    case: Case, classes: Sequence[int | str] | None, rows: pd.DataFrame, answers: Answers
) -> dict[str, float]:
    if classes is None:
        return scores(case, rows[case.target].to_numpy(np.float64), answers)
    return scores(case, places(rows[case.target], classes), answers, classes)
