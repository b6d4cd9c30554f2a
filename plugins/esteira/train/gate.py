"""Lets a challenger through if it keeps the case's thresholds and is no worse than the champion."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd

from esteira import bundle
from esteira.bundle import Bundle, Interval
from esteira.case import LOWER_IS_BETTER, Case, Column, Date, is_text
from esteira.settings import Settings
from esteira.train import features, graph
from esteira.train.prepared import Prepared
from esteira.train.scores import better, places, scores, sentence

log = logging.getLogger("esteira")

_NOISE = 1e-6
"""A difference below this is not a difference; of errors in the target's unit, relative to its deviation."""
_IN_UNIT = frozenset({"rmse", "mae", "medae"})
_SHORT = 0.02
"""By how much a prediction interval may truly cover less than was asked."""
_ERRORS = 3
"""How many standard errors are put down to chance."""


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """What a challenger showed on the holdout."""

    rows: pd.DataFrame
    """The raw rows, features and target."""
    scores: Mapping[str, float]
    interval: Interval | None
    calibrated: int
    """On how many rows the interval was set."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The version that the challenger was compared with, and why it does not pass: nothing when it does."""

    champion: int | None
    reasons: tuple[str, ...]


def gate(case: Case, prepared: Prepared, seen: Holdout, settings: Settings) -> Verdict:
    """Thresholds first, then the interval's coverage, then the champion on the same holdout."""
    reasons = [*_below_thresholds(case, seen), *_short_coverage(case, seen)]
    champion = _champion(case, prepared, settings)
    if champion is not None:
        reasons += _worse_than(champion, case, prepared, seen)
    return Verdict(champion=champion.version if champion else None, reasons=tuple(reasons))


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
    """The newest version, if it answers the same question from the same columns."""
    if not bundle.versions(settings.ARTEFATOS_PATH, case.name):
        return None
    champion = bundle.load(settings.ARTEFATOS_PATH, case.name)
    theirs = champion.metadata
    differences = {
        "another task": theirs.task != case.task,
        "another target": theirs.target != case.target,
        "other columns": _kinds(theirs.columns) != _kinds(case.features),
        "other classes": set(theirs.classes or ()) != set(prepared.classes or ()),
    }
    for what in (words for words, differs in differences.items() if differs):
        log.warning("Version %d has %s: it cannot be compared on this holdout", champion.version, what)
        return None
    return champion


def _kinds(columns: Mapping[str, Column]) -> dict[str, tuple[bool, bool]]:
    """What a column is to a graph: a whole number and a real one are the same."""
    return {name: (is_text(column), isinstance(column, Date)) for name, column in columns.items()}


def _worse_than(champion: Bundle, case: Case, prepared: Prepared, seen: Holdout) -> list[str]:
    metric, theirs = case.metric, _scores_of(champion, case, seen.rows)
    log.info("The champion, version %d, on the same holdout: %s", champion.version, sentence(case, theirs))
    slack = _NOISE * (prepared.scale if metric in _IN_UNIT else 1.0)
    mine = seen.scores[metric]
    if not better(metric, theirs[metric], mine) or abs(theirs[metric] - mine) <= slack:
        return []
    return [f"{metric} is {mine:.6g}, worse than {theirs[metric]:.6g} of version {champion.version}"]


def _scores_of(champion: Bundle, case: Case, holdout: pd.DataFrame) -> dict[str, float]:
    facts = champion.metadata
    shape = features.layout(facts.columns)
    feed = features.tensors(features.frame(holdout, shape), shape)
    answers = graph.run(graph.session(champion.read("onnx")), feed)
    if facts.classes is None:
        return scores(case, holdout[facts.target].to_numpy(np.float64), answers)
    return scores(case, places(holdout[facts.target], facts.classes), answers, facts.classes)
