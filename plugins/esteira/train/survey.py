"""What a pass over the dataset learns of its training part: ranges, levels, classes and an even sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from esteira.case import Case
from esteira.columns import Category
from esteira.metadata import Seen
from esteira.train.features import Classes, doubles
from esteira.train.split import TRAIN, Split

_SAMPLE_ROWS = 20_000

Levels = dict[str, tuple[Any, ...]]


class Survey:
    """Learns from batch after batch; what stays in memory is at most 20,000 rows."""

    def __init__(self, case: Case, train_rows: int) -> None:
        self._case = case
        self._low: dict[str, float] = {}
        self._high: dict[str, float] = {}
        self._levels: dict[str, set[Any]] = {}
        self._classes: set[Any] = set()
        self._every = 1 + train_rows // _SAMPLE_ROWS
        self._rows = 0
        self._sample: list[pa.RecordBatch] = []

    @classmethod
    def of(cls, case: Case, split: Split) -> Survey:
        survey = cls(case, split.size(TRAIN))
        for rows, side in split.batches([*case.features, case.target]):
            survey._add(rows.filter(pa.array(side == TRAIN)))
        return survey

    def sample(self) -> pa.Table:
        """Rows of the training part, evenly from all of it: features and target."""
        return pa.Table.from_batches(self._sample)

    def levels(self) -> Levels:
        """Of each category, what the training part holds; "" where a text is missing."""
        return {name: tuple(sorted(levels)) for name, levels in self._levels.items()}

    def classes(self) -> Classes | None:
        """The classes that the training part holds, in the case's order, else sorted."""
        target = self._case.target_column
        if not isinstance(target, Category):
            return None
        return tuple(sorted(self._classes, key=target.levels.index if target.levels else None))

    def seen(self) -> dict[str, Seen]:
        """For a version's metadata: the range of a number or of a date's days, or the levels."""
        ranges = {name: Seen(min=self._low[name], max=self._high[name]) for name in self._low}
        return ranges | {name: Seen(levels=levels) for name, levels in self.levels().items()}

    def _add(self, train: pa.RecordBatch) -> None:
        for name, column in self._case.features.items():
            if isinstance(column, Category):
                present = train[name].fill_null("") if column.is_text else train[name].drop_null()
                self._levels.setdefault(name, set()).update(present.unique().to_pylist())
            elif train[name].null_count < train.num_rows:
                self._add_range(name, train[name])
        if self._case.task == "classification":
            self._classes.update(train[self._case.target].unique().to_pylist())
        self._sample.append(train.take(pa.array(every(self._rows, train.num_rows, self._every))))
        self._rows += train.num_rows

    def _add_range(self, name: str, values: pa.Array) -> None:
        found = pc.min_max(values)
        low, high = doubles(pa.array([found["min"].as_py(), found["max"].as_py()], values.type))
        self._low[name] = min(self._low.get(name, np.inf), float(low))
        self._high[name] = max(self._high.get(name, -np.inf), float(high))


def every(start: int, rows: int, step: int) -> npt.NDArray[np.int64]:
    """Of so many rows, numbered from `start` on, the places of those whose number `step` divides."""
    return np.arange(-start % step, rows, step)
