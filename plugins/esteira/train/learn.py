"""Fits a candidate's model on some rows of the training part, and asks it for answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import isfinite
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from threadpoolctl import ThreadpoolController

from esteira.candidates import Single
from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.train.answers import Answers
from esteira.train.folds import Rows
from esteira.train.imbalance import Lesson, balanced
from esteira.train.prepared import Prepared
from esteira.train.scores import scores

_SEED = 0


class CandidateError(EsteiraError):
    """A candidate is not one of the case's, cannot be fitted or exported, or gives no numbers."""


def sample(target: npt.NDArray[Any], wanted: int) -> Rows:
    """All rows, or which of them make an even sample: the same ones every time, in their order.

    Where the target is whole numbers, the places of classes, no class is left without a row.
    """
    if wanted >= len(target):
        return slice(None)
    chosen = np.random.default_rng(_SEED).choice(len(target), wanted, replace=False)
    if np.issubdtype(target.dtype, np.integer):
        classes, first = np.unique(target, return_index=True)
        chosen = np.append(chosen, first[~np.isin(classes, target[chosen])])
    return np.sort(chosen)


def lesson(case: Case, prepared: Prepared, rows: Rows, wanted: int) -> Lesson:
    """The columns and target of some rows of the training part, at most `wanted` before oversampling."""
    target: npt.NDArray[Any] = prepared.target("train")
    chosen = sample(target[rows], wanted)
    if not isinstance(rows, slice):
        chosen = rows[chosen]
    elif isinstance(chosen, slice):
        chosen = rows
    columns = np.asarray(prepared.columns("train")[chosen])
    if case.task == "regression":
        return Lesson(columns, target[chosen])
    return balanced(case, columns, target[chosen])


def learned(case: Case, candidate: Single, given: Lesson) -> Any:
    """A scikit-learn model that answers in the target's own unit, or with the places of classes.

    Raises CandidateError when the candidate cannot be fitted on these rows.
    """
    target = np.log(given.target) if case.train.log_target else given.target
    try:
        with _controller().limit(limits=_threads(candidate, len(target))):
            model: Any = candidate.fit(given.columns, target, case.task, given.weights)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise CandidateError(f"{candidate.kind} cannot be fitted on this table: {error}") from error
    if not case.train.log_target:
        return model
    outer = TransformedTargetRegressor(
        FrozenEstimator(model), func=np.log, inverse_func=np.exp, check_inverse=False
    )
    return outer.fit(given.columns[:2], given.target[:2])


def answered(
    prepared: Prepared, candidate: Single, model: Any, columns: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Numbers [N] in the target's unit, or probabilities [N, K] of the training part's classes.

    A class that the model was not fitted on has no probability. Raises CandidateError when an answer is
    not a finite number.
    """
    with _controller().limit(limits=_threads(candidate, len(columns))), np.errstate(over="ignore"):
        if prepared.classes is None:
            found = np.asarray(model.predict(columns), dtype=np.float64)
        else:
            found = np.zeros((len(columns), len(prepared.classes)))
            found[:, model.classes_] = model.predict_proba(columns)
    odd = np.count_nonzero(~np.isfinite(found).reshape(len(columns), -1).all(axis=1))
    if odd:
        raise CandidateError(
            f"{candidate.kind} answers {odd:,} of {len(columns):,} rows with no finite number; "
            f"look for extreme values in the data, or leave it out of the case"
        )
    return found


def scored(
    case: Case, prepared: Prepared, actual: npt.NDArray[Any], found: npt.NDArray[np.float64]
) -> dict[str, float]:
    """The scores of what `answered` gave; a class is told by the highest probability.

    Raises CandidateError when an answer is so far off that a score is no finite number.
    """
    if prepared.classes is None:
        answers = Answers(prediction=found)
    else:
        answers = Answers(prediction=found.argmax(axis=1).astype(np.int64), probabilities=found)
    with np.errstate(over="ignore", invalid="ignore"):
        counted = scores(case, actual, answers, prepared.classes)
    if odd := endless(counted):
        raise CandidateError(
            f"Some answers are so far off that {', '.join(odd)} can no longer be counted; "
            f"look for extreme values in the data, or leave the candidate out of the case"
        )
    return counted


def endless(counted: Mapping[str, float]) -> list[str]:
    """The scores that are no finite number."""
    return [name for name, value in counted.items() if not isfinite(value)]


def _threads(candidate: Single, rows: int) -> int:
    """More than the machine has cores would only wait, busily, for each other."""
    cores: int = joblib.cpu_count()
    return min(1 + rows // candidate.rows_per_thread, cores)


@cache
def _controller() -> ThreadpoolController:
    """Looking for the libraries that have threads takes 20 ms; scikit-learn has loaded them all by now."""
    return ThreadpoolController()
