"""On which rows candidates are fitted and on which they are scored, when they are compared."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")

Rows = slice | npt.NDArray[np.int64]
"""Which rows of a part, in their order; all of them are a slice, which copies nothing."""

_SEED = 0
_ALL = slice(None)


class FoldsError(EsteiraError):
    """The training part cannot be divided as the case asks."""


@dataclass(frozen=True)
class Round:
    """Fitted on some rows of the training part, scored on rows of another part or on its other rows."""

    fit: Rows
    part: Literal["train", "validation"]
    score: Rows


def rounds(case: Case, prepared: Prepared) -> list[Round]:
    """The rounds of a comparison, the same ones every time.

    Without folds: all of the training part, scored on the validation part. With k folds: each row of the
    training part is scored once, by a model that was fitted on the other folds; every fold has its share
    of each class. With `train.time` k rounds go forward: each fits on all the rows before those that it
    scores, and one moment is never on both sides.

    Raises FoldsError when there are too few rows, moments or classes for that.
    """
    if not case.train.folds:
        return [Round(_ALL, "validation", _ALL)]
    target, count = prepared.target("train"), case.train.folds
    times = prepared.times()
    if len(target) <= count:
        raise FoldsError(f"train.folds: {len(target)} rows are too few for {count} folds; ask for fewer")
    if times is None:
        found = _shuffled(target, count, case.task == "classification")
    else:
        found = _forward(times, count)
    if case.task == "classification":
        found = _with_two_classes(found, target)
    return found


def judged_target(case: Case, prepared: Prepared) -> npt.NDArray[Any]:
    """The targets [M] of the rows that are scored, in the order of the rounds, one after the other."""
    return np.concatenate([prepared.target(one.part)[one.score] for one in rounds(case, prepared)])


def _shuffled(target: npt.NDArray[Any], count: int, by_class: bool) -> list[Round]:
    """Dealt out like cards: where classes are sorted first, each fold gets its share even of rare ones."""
    order = np.random.default_rng(_SEED).permutation(len(target))
    if by_class:
        order = order[np.argsort(target[order], kind="stable")]
    fold = np.empty(len(target), dtype=np.int64)
    fold[order] = np.arange(len(target)) % count
    return [Round(np.flatnonzero(fold != one), "train", np.flatnonzero(fold == one)) for one in range(count)]


def _forward(times: npt.NDArray[np.float64], count: int) -> list[Round]:
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    even = [len(times) * one // (count + 1) for one in range(1, count + 1)]
    starts = sorted({int(np.searchsorted(ordered, ordered[one])) for one in even} - {0})
    if not starts:
        raise FoldsError(
            "train.folds: nearly all rows are of one moment, none can be foreseen; remove train.time"
        )
    if len(starts) < count:
        log.info("%d rounds instead of %d: too many rows are of the same moments", len(starts), count)
    ends = [*starts[1:], len(times)]
    return [
        Round(np.sort(order[:start]), "train", np.sort(order[start:end]))
        for start, end in zip(starts, ends, strict=True)
    ]


def _with_two_classes(found: list[Round], target: npt.NDArray[Any]) -> list[Round]:
    """The rounds that there is something to learn in; the earliest rows may all be of one class."""
    kept = [one for one in found if len(np.unique(target[one.fit])) > 1]
    if not kept:
        raise FoldsError(
            "train.folds: no round has rows of two classes to fit on; ask for fewer folds, or for none"
        )
    if len(kept) < len(found):
        log.info(
            "%d of %d rounds are left out: all their rows are of one class",
            len(found) - len(kept),
            len(found),
        )
    return kept
