"""Gives rare classes more weight in the rows that a model is fitted on, and in no others."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from esteira.candidates import Single
from esteira.case import Case

log = logging.getLogger("esteira")

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

SMOTE_ROWS = 50_000
"""SMOTE looks for each row's nearest neighbours, which costs the square of the rows: it gets a sample."""
GROWTH = 2
"""Oversampled rows are at most so many times the rows that there are."""
_NEIGHBOURS = 5
_SEED = 0


class Lesson(NamedTuple):
    """What a model is fitted on: columns [N, p], their target [N], and how much each row counts [N]."""

    columns: Floats
    target: npt.NDArray[Any]
    weights: Doubles | None = None


def bounded(case: Case, candidate: Single) -> Single:
    """The candidate on no more rows than the case's way with rare classes can cope with."""
    if case.train.imbalance != "smote" or candidate.max_rows <= SMOTE_ROWS:
        return candidate
    return candidate.model_copy(update={"max_rows": SMOTE_ROWS})


def words(case: Case) -> str:
    """What is done for rare classes, in words that follow how a candidate's cost is bounded."""
    return {
        "none": "",
        "class_weights": ", each class with the same weight",
        "random": f", rare classes repeated to at most {GROWTH} times the rows",
        "smote": f", rare classes filled up by SMOTE to at most {GROWTH} times the rows",
    }[case.train.imbalance]


def balanced(case: Case, columns: Floats, target: Whole) -> Lesson:
    """The rows that a model is fitted on, by the case's `train.imbalance`.

    With class weights, each row weighs N / (K · rows of its class), so that all classes weigh the same
    (King and Zeng 2001). Else classes are oversampled to the same size, or as near to it as GROWTH lets
    them come: by repeating rows, or by SMOTE (Chawla et al. 2002), which puts new rows between a row
    and its nearest neighbours of the same class.
    """
    match case.train.imbalance:
        case "class_weights":
            return Lesson(columns, target, _weights(target))
        case "random":
            return _repeated(columns, target, _wanted(target))
        case "smote":
            return _smote(columns, target)
        case _:
            return Lesson(columns, target)


def _weights(target: Whole) -> Doubles:
    counts = np.bincount(target)
    found: Doubles = len(target) / (np.count_nonzero(counts) * counts[target])
    return found


def _wanted(target: Whole) -> dict[int, int]:
    """To how many rows each class is raised: all to one level, the highest that GROWTH allows."""
    classes, counts = np.unique(target, return_counts=True)
    low, level = int(counts.min()), int(counts.max())
    while low < level:
        middle = (low + level + 1) // 2
        if np.maximum(counts, middle).sum() <= GROWTH * len(target):
            low = middle
        else:
            level = middle - 1
    return {int(one): level for one, count in zip(classes, counts, strict=True) if count < level}


def _repeated(columns: Floats, target: Whole, wanted: dict[int, int]) -> Lesson:
    from imblearn.over_sampling import RandomOverSampler

    sampler = RandomOverSampler(sampling_strategy=wanted, random_state=_SEED)
    return Lesson(*sampler.fit_resample(columns, target))


def _smote(columns: Floats, target: Whole) -> Lesson:
    """New rows for each class that has two rows to put them between; the rest are repeated."""
    from imblearn.over_sampling import SMOTE

    wanted, counts = _wanted(target), np.bincount(target)
    lone = {one: rows for one, rows in wanted.items() if counts[one] < 2}
    filled = {one: rows for one, rows in wanted.items() if one not in lone}
    if lone:
        log.info("SMOTE needs two rows of a class; repeated instead are classes with one row: %d", len(lone))
        columns, target, _ = _repeated(columns, target, lone)
    if not filled:
        return Lesson(columns, target)
    neighbours = min(_NEIGHBOURS, *(int(counts[one]) - 1 for one in filled))
    sampler = SMOTE(sampling_strategy=filled, k_neighbors=neighbours, random_state=_SEED)
    return Lesson(*sampler.fit_resample(columns, target))
