"""Target encoding: a level with many sisters becomes the mean target of the rows that hold it.

By scikit-learn's TargetEncoder, after D. Micci-Barreca, A preprocessing scheme for high-cardinality
categorical attributes (2001): a rare level's mean is drawn to that of all rows, an unseen level gets
the latter. A classification of more than two classes gets a column for each class's share.

The encodings come from at most 500,000 rows of the training part. Those rows are cross-fitted: each is
encoded by the means of other rows, so that no candidate learns from a column that knows the answer.
All other rows had no part in the means and get them as they are. Folds are random, also in a case that
is split by time: within the training part, a level's mean is taken over all of its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from esteira.case import Case
from esteira.train import features
from esteira.train.features import Classes, Doubles, Floats, Layout, Whole
from esteira.train.split import TRAIN, Split
from esteira.train.survey import Levels, every

FEW_LEVELS = 64
"""Up to so many levels, each has a column of its own and nothing else is needed."""
MANY_LEVELS = 255
"""Up to so many, each has one too, if the columns of all such hold no more than ONE_HOT_CELLS cells."""
ONE_HOT_CELLS = 20_000_000
_ROWS = 500_000
_CELLS = 20_000_000


@dataclass(frozen=True)
class Encoding:
    """A fitted TargetEncoder with its scaler, and the rows that it was fitted on, encoded by others."""

    names: tuple[str, ...]
    fitted: Pipeline
    crossed: Floats
    """[S, e]: of each `step`th row of the training part."""
    step: int

    def cross(self, columns: Floats, start: int) -> None:
        """Put the cross-fitted rows in place in `columns` [N, e], of the training rows from `start` on."""
        mine = every(start, len(columns), self.step)
        first = (start + self.step - 1) // self.step
        columns[mine] = self.crossed[first : first + len(mine)]


@dataclass(frozen=True)
class Plan:
    """How categories become columns: with a column for each level, target-encoded, or both ways.

    Both serves those in between: a rare level is told by its mean, a frequent one also by itself.
    """

    one_hot: frozenset[str]
    encoded: tuple[str, ...]

    @classmethod
    def of(cls, shape: Layout, levels: Levels, rows: int) -> Plan:
        """For a training part of so many rows."""
        sizes = {name: len(levels.get(name, ())) for name in shape.names}
        many = tuple(name for name, size in sizes.items() if size > FEW_LEVELS)
        cells, narrow = 0, set(sizes) - set(many)
        for name in sorted(many, key=lambda name: (sizes[name], name)):
            cells += sizes[name] * rows
            if sizes[name] <= MANY_LEVELS and cells <= ONE_HOT_CELLS:
                narrow.add(name)
        return cls(frozenset(narrow), many)


def fit(case: Case, names: tuple[str, ...], classes: Classes | None, split: Split) -> Encoding:
    """Fit on the columns `names` of the training part, and on its target or the places of its classes."""
    width = len(names) * (len(classes) if classes and len(classes) > 2 else 1)
    step = -(-split.size(TRAIN) // max(1, min(_ROWS, _CELLS // width)))
    table, target = _sample(case, names, classes, split, step)
    encoder = TargetEncoder(
        target_type="continuous" if classes is None else "auto",
        cv=KFold(5, shuffle=True, random_state=0),
    )
    fitted = make_pipeline(encoder, StandardScaler(copy=False))
    crossed = fitted.fit_transform(table, np.log(target) if case.train.log_target else target)
    return Encoding(names, fitted, crossed.astype(np.float32), step)


def _sample(
    case: Case, names: tuple[str, ...], classes: Classes | None, split: Split, step: int
) -> tuple[pd.DataFrame, Doubles | Whole]:
    shape = features.layout({name: case.features[name] for name in names})
    tables, targets, at = [], [], 0
    for rows, side in split.batches([*names, case.target]):
        places = np.flatnonzero(side == TRAIN)
        some = rows.take(pa.array(places[every(at, len(places), step)]))
        tables.append(_table(some, shape))
        targets.append(features.target(case, classes, some))
        at += len(places)
    target: Any = np.concatenate(targets)
    return pd.concat(tables, ignore_index=True), target


def _table(rows: pa.RecordBatch, shape: Layout) -> pd.DataFrame:
    numbers = {name: pd.Series(features.doubles(rows[name])) for name in shape.numbers}
    texts = {name: pd.Series(features.words(rows[name]), dtype=object) for name in shape.texts}
    return pd.DataFrame(numbers | texts)
