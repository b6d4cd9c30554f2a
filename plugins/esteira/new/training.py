"""How a new case is trained: candidates, metric, parts and their order, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from esteira.columns import Date
from esteira.new import words
from esteira.new.facts import Facts, amount
from esteira.new.goal import Goal
from esteira.new.kinds import Choice

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_FOLDS = 5
_FEWER_FOLDS = 3
_FEWER_FOLDS_FROM = 20_000
_NO_FOLDS_FROM = 200_000
_SMALL = 5_000
_LARGER_HOLDOUT = 0.2
_FEWEST_DATES = 30
_SKEWED = 2.5
_BALANCED = 0.5
_SECONDS = 60
_FAR_OUT = 20
_SVC_ROWS = 5_000

_CANDIDATES = {
    "regression": (
        "ridge", "decision_tree", "random_forest", "extra_trees", "hist_gradient_boosting", "ensemble",
    ),
    "classification": (
        "logistic_regression", "decision_tree", "random_forest", "extra_trees", "hist_gradient_boosting",
        "ensemble",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One word under `train`, and why it has this value."""

    key: str
    value: object
    reason: str


@dataclass(frozen=True)
class Spread:
    """Where a target's values lie: its lowest, and below which 5, 50, 95 and 99 % of them are."""

    low: float
    fifth: float
    middle: float
    ninety_fifth: float
    ninety_ninth: float

    @property
    def skewed(self) -> bool:
        """Whether the upper half reaches much further than the lower one, and less so in logarithms."""
        import math

        if not 0 < self.low <= self.fifth < self.middle < self.ninety_fifth:
            return False
        reach = (self.ninety_fifth - self.middle) / (self.middle - self.fifth)
        of_log = math.log(self.ninety_fifth / self.middle) / math.log(self.middle / self.fifth)
        return reach > _SKEWED and abs(math.log(of_log)) < abs(math.log(reach))


def spread(facts: Facts, target: npt.NDArray[np.float64]) -> Spread:
    """The quantiles of a sample of the target, and its true lowest value."""
    import numpy as np

    assert facts.low is not None
    return Spread(facts.low, *map(float, np.quantile(target, (0.05, 0.5, 0.95, 0.99))))


def far_out(facts: Facts, seen: Spread) -> str | None:
    """What deserves attention about a target whose largest value is far beyond nearly all others."""
    if facts.high is None or seen.ninety_ninth <= 0 or facts.high <= _FAR_OUT * seen.ninety_ninth:
        return None
    beyond = facts.high / seen.ninety_ninth
    return (
        f"the target {facts.name} goes up to {amount(facts.high)}, {beyond:,.0f} times "
        f"what 99 % of its rows stay below ({amount(seen.ninety_ninth)}): if those are errors or some other "
        f"thing, set them apart with a `max`"
    )


def settings(
    goal: Goal, columns: Sequence[tuple[Facts, Choice]], rows: int, seen: Spread | None
) -> list[Setting]:
    """What stands under `train`, in the order in which it is written; `rows` are those with a target."""
    time = time_column(columns)
    return [
        *_metric(goal, seen),
        Setting("candidates", list(_candidates(goal, rows)), _about_candidates(goal, rows)),
        *_parts(rows, time),
        *_imbalance(goal),
        Setting("search", {"seconds": _SECONDS}, "how long the candidates' parameters are searched"),
    ]


def time_column(columns: Sequence[tuple[Facts, Choice]]) -> Facts | None:
    """The date that orders the rows: complete, of many days, and not one of a person's own."""
    dates = [
        facts
        for facts, choice in columns
        if isinstance(choice.column, Date)
        and facts.missing == 0
        and facts.distinct >= _FEWEST_DATES
        and not words.says_date_of_birth(facts.name)
    ]
    return max(dates, key=lambda facts: facts.in_order, default=None)


def _metric(goal: Goal, seen: Spread | None) -> Iterator[Setting]:
    if goal.task == "regression":
        if seen is not None and seen.skewed:
            why = f"it is skewed, half below {amount(seen.middle)} and 5 % above {amount(seen.ninety_fifth)}"
            yield Setting("log_target", True, f"the logarithm of the target is learned; {why}")
            yield Setting("metric", "r2_log", "R² of the logarithm: errors count in percent")
        else:
            yield Setting("metric", "rmse", "the usual error, in the target's unit; large ones weigh most")
    elif goal.binary:
        yield Setting("metric", "roc_auc", "how well the rows are ranked, whatever the threshold")
    elif balanced(goal.classes):
        yield Setting("metric", "accuracy", "the classes are of similar size")
    else:
        yield Setting("metric", "balanced_accuracy", "each class counts the same, however rare it is")


def balanced(classes: Mapping[str, int]) -> bool:
    """Whether the rarest class has at least half of its fair share."""
    return min(classes.values()) * len(classes) >= _BALANCED * sum(classes.values())


def _candidates(goal: Goal, rows: int) -> Iterator[str]:
    for kind in _CANDIDATES[goal.task]:
        if kind == "ensemble" and goal.task == "classification" and rows <= _SVC_ROWS:
            yield "svc"
        yield kind


def _about_candidates(goal: Goal, rows: int) -> str:
    if goal.task == "classification" and rows > _SVC_ROWS:
        return f"the best one is published; svc is left out, its cost grows too fast for {rows:,} rows"
    return "the best one is published"


def _parts(rows: int, time: Facts | None) -> Iterator[Setting]:
    if time is not None:
        about = "" if time.counts else "about "
        yield Setting(
            "time",
            time.name,
            f"{about}{time.distinct:,} different dates: trained on the past, judged on the newest",
        )
        yield Setting("holdout", _LARGER_HOLDOUT, "the newest rows are kept for the one judgement at the end")
    elif rows < _SMALL:
        yield Setting("holdout", _LARGER_HOLDOUT, "a small file: fewer rows would judge by chance")
    if rows < _NO_FOLDS_FROM:
        folds = _FOLDS if rows < _FEWER_FOLDS_FROM else _FEWER_FOLDS
        yield Setting("folds", folds, f"{rows:,} rows: candidates are compared by cross-validation")


def _imbalance(goal: Goal) -> Iterator[Setting]:
    if goal.task == "regression" or balanced(goal.classes):
        return
    rarest, times = min(goal.classes.items(), key=lambda item: item[1])
    share = times / sum(goal.classes.values())
    if goal.binary:
        why = f"{rarest!r} is {share:.1%} of the rows; a ranking needs no weights"
        yield Setting("imbalance", "none", f"{why}; class_weights, random or smote can be tried")
    else:
        yield Setting("imbalance", "class_weights", f"{rarest!r} is only {share:.1%} of the rows")
