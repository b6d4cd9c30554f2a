"""The scores of a regression and of a classification, by the names that a case uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from esteira.case import LOWER_IS_BETTER, Case
from esteira.metadata import ClassScores, told
from esteira.train.answers import Answers
from esteira.vocabulary import Task

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_SURE = 1e-12
"""A probability below this counts as this much: one wrong certainty does not make log loss infinite."""


def scores(
    case: Case, actual: npt.NDArray[Any], answers: Answers, classes: Sequence[Any] | None = None
) -> dict[str, float]:
    """All of the case's task's METRICS, of N answers to N targets.

    Regression: `actual` float64 [N] and RMSE, MAE, MedAE in the target's unit; MAPE is a share of the
    actual value; `r2_log` is there if the case takes the logarithm or names it.

    Classification: `actual` int64 [N], places of `classes` (by default as many as there are
    probabilities). Precision, recall and F1 are means over the classes that occur; ROC AUC and average
    precision are the second class's of two, else means over each class against the rest, as far as it
    occurs. The Brier score of two classes is that of the second; of more, the sum over the classes
    (Brier 1950). Without probabilities only what needs none is there.
    """
    if case.task == "regression":
        return _numbers(case, actual, np.asarray(answers.prediction, np.float64))
    found = label_scores(actual, np.asarray(answers.prediction, np.int64))
    if answers.probabilities is None:
        return found
    width = answers.probabilities.shape[1]
    if classes is not None and len(classes) != width:
        raise ValueError(f"there are {len(classes)} classes and {width} probabilities for each row")
    return found | _probability_scores(actual, answers.probabilities)


def better(metric: str, a: float, b: float) -> bool:
    """Whether `a` is a better value of a metric than `b`; equal is not better, and NaN never is."""
    return a < b if metric in LOWER_IS_BETTER else a > b


def sentence(task: Case | Task, values: Mapping[str, float]) -> str:
    """The scores that people look at first, for a log or a run note."""
    return told(task.task if isinstance(task, Case) else task, values)


def label_scores(actual: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> dict[str, float]:
    """Accuracy, balanced accuracy, and the classes' mean precision, recall and F1, of [N] places."""
    right, given, there = _counts(actual, predicted)
    met = (given > 0) | (there > 0)
    precision, recall = _shares(right, given)[met], _shares(right, there)
    return {
        "accuracy": float(right.sum() / len(actual)),
        "balanced_accuracy": float(recall[there > 0].mean()),
        "precision": float(precision.mean()),
        "recall": float(recall[met].mean()),
        "f1": float(_shares(2 * right, given + there)[met].mean()),
    }


def per_class(actual: Whole, predicted: Whole, classes: Sequence[Any]) -> dict[str, ClassScores]:
    """How well each class is told from the others, by its name, in the order of `classes`."""
    counts = _counts(actual, predicted, len(classes))
    right, given, there = (one[1 : len(classes) + 1] for one in counts)
    figures = _shares(right, given), _shares(right, there), _shares(2 * right, given + there), there
    return {
        str(name): ClassScores(
            precision=float(precision), recall=float(recall), f1=float(f1), support=int(support)
        )
        for name, precision, recall, f1, support in zip(classes, *figures, strict=True)
    }


def technical_details(case: Case, actual: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> dict[str, float]:
    """The scores of a compared candidate under the names that the API shows: means over the classes."""
    if case.task == "regression":
        found = _numbers(case, actual, predicted)
        return {name: found[name] for name in ("r2", "rmse", "mae")}
    found = label_scores(actual, predicted)
    names = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1-score": "f1"}
    return {shown: found[name] for shown, name in names.items()}


def places(labels: Iterable[Any], classes: Sequence[Any]) -> Whole:
    """The places of labels [N] among the classes; -1 for one that is none of them."""
    return np.asarray(pd.Index(list(classes)).get_indexer(pd.Index(list(labels))), np.int64)


def coverage(actual: Doubles, interval: Doubles) -> float:
    """The share of N true values that lie in their intervals [N, 2], ends included."""
    return float(np.mean((interval[:, 0] <= actual) & (actual <= interval[:, 1])))


def width(interval: Doubles) -> float:
    """The median width of N intervals [N, 2], in the target's unit."""
    return float(np.median(interval[:, 1] - interval[:, 0]))


def _numbers(case: Case, actual: Doubles, predicted: Doubles) -> dict[str, float]:
    off = np.abs(predicted - actual)
    found = {
        "r2": _r2(actual, predicted),
        "rmse": float(np.sqrt(np.mean(off**2))),
        "mae": float(np.mean(off)),
        "mape": float(np.mean(off / np.maximum(np.abs(actual), np.finfo(np.float64).eps))),
        "medae": float(np.median(off)),
    }
    if case.train.log_target or case.metric == "r2_log" or "r2_log" in case.gate:
        floor = actual[actual > 0].min(initial=1.0)  # a model without the logarithm may answer 0 or less
        found["r2_log"] = _r2(np.log(np.maximum(actual, floor)), np.log(np.maximum(predicted, floor)))
    return found


def _r2(actual: Doubles, predicted: Doubles) -> float:
    """Of targets that are all the same: 1 if they are met, else 0, as scikit-learn says."""
    left, total = np.sum((predicted - actual) ** 2), np.sum((actual - actual.mean()) ** 2)
    if total == 0:
        return float(left == 0)
    return float(1 - left / total)


def _counts(actual: Whole, predicted: Whole, least: int = 0) -> tuple[Whole, Whole, Whole]:
    """Of each place from -1 on: how often it was rightly answered, answered, and true."""
    size = 2 + max(int(actual.max()), int(predicted.max()), least)
    right = np.bincount(actual[actual == predicted] + 1, minlength=size)
    return right, np.bincount(predicted + 1, minlength=size), np.bincount(actual + 1, minlength=size)


def _shares(part: Whole, whole: Whole) -> Doubles:
    return np.asarray(part / np.maximum(whole, 1))


def _probability_scores(actual: Whole, probabilities: Doubles) -> dict[str, float]:
    rows, count = probabilities.shape
    truth = actual[:, None] == np.arange(count)
    given = (probabilities * truth).sum(axis=1)
    squares = ((probabilities - truth) ** 2).sum(axis=1)
    judged = [place for place in ([1] if count == 2 else range(count)) if 0 < truth[:, place].sum() < rows]
    areas = [_areas(truth[:, place], probabilities[:, place]) for place in judged]
    return {
        "roc_auc": _mean([roc for roc, _ in areas], 0.5),
        "average_precision": _mean([precision for _, precision in areas], 0.0),
        "log_loss": float(-np.log(np.maximum(given, _SURE)).mean()),
        "brier": float(squares.mean() / (2 if count == 2 else 1)),
    }


def _areas(truth: npt.NDArray[np.bool_], given: Doubles) -> tuple[float, float]:
    """Under the ROC curve, by trapezoids, and under precision and recall, by steps; ties are one point."""
    order = np.argsort(-given, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(given[order])), len(given) - 1)
    found = np.cumsum(truth[order])[ends]
    recall, false = found / truth.sum(), (ends + 1 - found) / (len(truth) - truth.sum())
    steps = np.diff(recall, prepend=0.0)
    roc = np.sum(np.diff(false, prepend=0.0) * (recall - steps / 2))
    return float(roc), float(np.sum(steps * found / (ends + 1)))


def _mean(values: list[float], without: float) -> float:
    """The mean, or what chance gives where no class can be told from another on these rows."""
    return float(np.mean(values)) if values else without
