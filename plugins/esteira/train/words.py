"""How good a model is, in sentences for somebody who does not know what a score is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from esteira.case import Case
from esteira.columns import Column, Date
from esteira.days import to_text
from esteira.metadata import ClassScores, Facts, Seen
from esteira.train.facts import Evidence

MEANINGS: Mapping[str, str] = {
    "r2": "share of the differences between rows that it explains; 0 is no better than their mean",
    "r2_log": "the same of the target's logarithm: errors count in percent, not in the unit",
    "rmse": "typical size of an error, large ones weighing more",
    "mae": "mean size of an error",
    "medae": "half of the errors are smaller",
    "mape": "mean size of an error as a share of the true value",
    "accuracy": "share of the answers that are right",
    "balanced_accuracy": "share of each class that is found, each class counting the same",
    "precision": "how often an answer is right, mean over the classes",
    "recall": "how much of a class is found, mean over the classes",
    "f1": "precision and recall in one figure, mean over the classes",
    "roc_auc": "how often a row of the class is given more probability of it than another; 0.5 is chance",
    "average_precision": "precision over all shares of a class that could be found",
    "log_loss": "how far the probabilities are from the truth; 0 is perfect",
    "brier": "mean squared distance of the probabilities from the truth; 0 is perfect",
}
_LEVELS = 8


def in_short(case: Case, facts: Facts, evidence: Evidence) -> list[str]:
    """What the holdout showed, one sentence for each thing to know."""
    if case.task == "regression":
        return list(_of_numbers(facts, evidence))
    return list(_of_classes(facts))


def how_compared(case: Case, facts: Facts) -> str:
    """On which rows candidates were compared and the winner was judged."""
    folds, time = case.train.folds, case.train.time
    if folds:
        how = f"in {folds} rounds that go forward in time" if time else f"by {folds}-fold cross-validation"
    else:
        how = f"on {facts.dataset.validation_rows:,} rows that they were not fitted on"
    held = "the newest ones" if time else "drawn by a hash of their content"
    return (
        f"The candidates were compared by {case.metric} {how}. The winner was then judged once, on "
        f"{facts.dataset.holdout_rows:,} rows that had been kept apart from the start ({held})."
    )


def range_of(column: Column, seen: Seen | None) -> str:
    """What training saw of a column."""
    if seen is None:
        return "nothing"
    if seen.levels is not None:
        named = [str(level) for level in seen.levels if level != ""]
        more = f" and {len(named) - _LEVELS:,} more" if len(named) > _LEVELS else ""
        return ", ".join(named[:_LEVELS]) + more
    if seen.min is None or seen.max is None:
        return "nothing"
    if isinstance(column, Date):
        return f"{to_text(seen.min)} to {to_text(seen.max)}"
    unit = getattr(column, "unit", None)
    return f"{number(seen.min)} to {number(seen.max)}{f' {unit}' if unit else ''}"


def number(value: float) -> str:
    """A number as a person writes it: three figures, or all the whole ones."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def of_100(share: float) -> str:
    """A share as so many of a hundred, never rounded to all or none."""
    if share in (0.0, 1.0):
        return "none" if share == 0 else "all"
    if share >= 0.995:
        return "more than 99"
    return "fewer than 1" if share < 0.005 else f"{100 * share:.0f}"


def _of_numbers(facts: Facts, evidence: Evidence) -> Iterator[str]:
    r2, unit = facts.scores["r2"], f" {facts.unit}" if facts.unit else ""
    error = np.abs(np.asarray(evidence.answers.prediction) - evidence.actual)
    half, most = (number(float(one)) for one in np.quantile(error, [0.5, 0.9]))
    usual = number(float(np.median(evidence.actual)))
    yield (
        f"Half of the predictions are within {half}{unit} of the true {facts.target}, nine of ten within "
        f"{most}{unit}; a usual {facts.target} is {usual}{unit}."
    )
    if r2 > 0:
        yield f"Of the differences in {facts.target} between rows, it explains {of_100(r2)} of 100 parts."
    else:
        yield f"It does no better than always answering the mean {facts.target}."
    if facts.interval is not None:
        asked, found = facts.interval.asked, facts.interval.coverage
        yield (
            f"Each answer carries a range that should hold the true value {of_100(asked)} times in 100; it "
            f"did so {of_100(found)} times in 100. Half of the ranges are narrower than "
            f"{number(facts.interval.width)}{unit}."
        )


def _of_classes(facts: Facts) -> Iterator[str]:
    by_class, rows = facts.per_class, facts.dataset.holdout_rows
    common = max(by_class, key=lambda name: by_class[name].support)
    yield (
        f"Of 100 answers, {of_100(facts.scores['accuracy'])} are right; always answering “{common}” "
        f"would get {of_100(by_class[common].support / max(rows, 1))} right."
    )
    if len(by_class) == 2:
        name = list(by_class)[1]
        yield from _of_one(facts.target, name, by_class[name])
        if facts.threshold is not None:
            yield f"It answers “{name}” from a probability of {facts.threshold:.2f} on."
        return
    occurring = {name: one for name, one in by_class.items() if one.support}
    best = max(occurring, key=lambda name: occurring[name].recall)
    worst = min(occurring, key=lambda name: occurring[name].recall)
    yield (
        f"It finds “{best}” best ({of_100(occurring[best].recall)} of 100 rows) and “{worst}” worst "
        f"({of_100(occurring[worst].recall)} of 100)."
    )


def _of_one(target: str, name: str, one: ClassScores) -> Iterator[str]:
    yield f"Of 100 rows whose {target} is “{name}”, it finds {of_100(one.recall)}."
    yield f"Of 100 rows that it calls “{name}”, {of_100(one.precision)} are."
