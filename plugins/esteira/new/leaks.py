"""How much each column tells of the target all alone, and which tell so much that they must hold it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from esteira.new.goal import Goal
from esteira.new.sample import Sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_LEAKING_AUC = 0.995
_LEAKING_R2 = 0.96
_R2_OF_A_PART = 0.85
_PART = (0.5, 2.0)
"""A column that is never above the target, or never below it, and near it, is a part of it or holds it."""

_ONE_SIDED = 0.999
_STRONG_AUC = 0.95
_STRONG_R2 = 0.9
_FOLDS = 5
_LEAVES = 64
_SMOOTHING = 5.0
_MOST_CLASSES = 20


@dataclass(frozen=True, kw_only=True)
class Strength:
    """The cross-validated score of one column alone, and what shows that it holds the target, if it does."""

    score: float
    measure: str
    leak: str | None = None

    @property
    def strong(self) -> bool:
        """Whether it is worth a second look, though no leak."""
        return self.score >= (_STRONG_AUC if self.measure == "AUC" else _STRONG_R2)

    def __str__(self) -> str:
        return f"{self.measure} {self.score:.2f}"


def strengths(sample: Sample, goal: Goal) -> Mapping[int, Strength]:
    """For each place in the file that the sample holds, from a small tree, or the levels' means.

    A regression is judged by R², of the target's logarithm where it is positive; classes by the area under
    the ROC curve, the mean of each class against the others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judge = _Classes(sample) if goal.task == "classification" else _Numbers(sample)
        return {place: judge.strength(values) for place, values in sample.values.items()}


class _Numbers:
    """Judges columns by how well they alone predict a number."""

    def __init__(self, sample: Sample) -> None:
        import numpy as np

        self._raw = np.asarray(sample.target, dtype=np.float64)
        self._logarithm = bool(self._raw.min(initial=np.inf) > 0)
        target = np.log(self._raw) if self._logarithm else self._raw
        self._target = target[:, None]
        self._rounds = _rounds(len(target))

    def strength(self, values: np.ma.MaskedArray[Any, Any]) -> Strength:
        from sklearn.metrics import r2_score

        score = float(r2_score(self._target, _answers(values, self._target, self._rounds, _tree)))
        measure = "R² of the target's logarithm" if self._logarithm else "R²"
        return Strength(score=score, measure=measure, leak=self._leak(values, score, measure))

    def _leak(self, values: np.ma.MaskedArray[Any, Any], score: float, measure: str) -> str | None:
        import numpy as np

        alone = f"alone it gives an {measure} of {score:.3f}"
        if score >= _LEAKING_R2:
            return alone
        if score < _R2_OF_A_PART or values.dtype == object:
            return None
        ratio = (values / self._raw).compressed()
        middle = float(np.median(ratio))
        if not _PART[0] <= middle <= _PART[1]:
            return None
        beside = f"usually {middle:.2f} times it"
        if float((ratio >= 1).mean()) >= _ONE_SIDED:
            return f"{alone}, and it is never below the target, {beside}: it seems to hold it"
        if float((ratio <= 1).mean()) >= _ONE_SIDED:
            return f"{alone}, and it is never above the target, {beside}: it seems to be a part of it"
        return None


class _Classes:
    """Judges columns by how well they alone rank the rows of a class before the others."""

    def __init__(self, sample: Sample) -> None:
        import numpy as np

        labels = np.asarray(sample.target.astype(str))
        _, codes, times = np.unique(labels, return_inverse=True, return_counts=True)
        most = np.argsort(-times)[:_MOST_CLASSES]
        judged = most[times[most] >= _FOLDS]
        self._kept = np.isin(codes, judged)
        self._target = (codes[self._kept, None] == judged[None, :]).astype(np.float64)
        if len(judged) == 2:
            self._target = self._target[:, 1:]
        self._rounds = _rounds(int(self._kept.sum()))

    def strength(self, values: np.ma.MaskedArray[Any, Any]) -> Strength:
        import numpy as np
        from sklearn.metrics import roc_auc_score

        if not self._target.shape[1]:
            return Strength(score=0.0, measure="AUC")
        answers = _answers(values[self._kept], self._target, self._rounds, _tree)
        areas = [
            roc_auc_score(one, answer) if 0 < one.sum() < len(one) else 0.5
            for one, answer in zip(self._target.T, answers.T, strict=True)
        ]
        score = float(np.mean(areas))
        leak = f"alone it gives an AUC of {score:.3f}" if score >= _LEAKING_AUC else None
        return Strength(score=score, measure="AUC", leak=leak)


def _rounds(rows: int) -> list[npt.NDArray[np.intp]]:
    import numpy as np

    return np.array_split(np.random.default_rng(0).permutation(rows), min(_FOLDS, max(rows, 1)))


def _answers(
    values: np.ma.MaskedArray[Any, Any], target: Floats, rounds: list[npt.NDArray[np.intp]], tree: Any
) -> Floats:
    """Each row's answer [N, k] from the other folds' rows."""
    import numpy as np

    learn = _levels if values.dtype == object else tree
    column = _coded(values) if values.dtype == object else np.asarray(values.filled(np.nan))
    answers = np.empty_like(target)
    for apart in rounds:
        rest = np.ones(len(target), dtype=bool)
        rest[apart] = False
        answers[apart] = learn(column[rest], target[rest], column[apart])
    return answers


def _tree(column: Floats, target: Floats, asked: Floats) -> Floats:
    from sklearn.tree import DecisionTreeRegressor

    fewest = max(5, len(column) // 1000)
    tree = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, min_samples_leaf=fewest, random_state=0)
    answer: Floats = tree.fit(column[:, None], target).predict(asked[:, None])
    return answer.reshape(len(asked), -1)


def _coded(values: np.ma.MaskedArray[Any, Any]) -> npt.NDArray[np.intp]:
    import numpy as np

    _, codes = np.unique(values.filled("").astype(str), return_inverse=True)
    return np.asarray(codes)


def _levels(column: npt.NDArray[np.intp], target: Floats, asked: npt.NDArray[np.intp]) -> Floats:
    """The mean of each level, drawn towards that of all as if five more rows had it."""
    import numpy as np

    size = int(max(column.max(initial=0), asked.max(initial=0))) + 1
    times = np.bincount(column, minlength=size)
    overall = target.mean(axis=0)
    means = np.empty((size, target.shape[1]))
    for place in range(target.shape[1]):
        sums = np.bincount(column, weights=target[:, place], minlength=size)
        means[:, place] = (sums + _SMOOTHING * overall[place]) / (times + _SMOOTHING)
    answer: Floats = means[asked]
    return answer
