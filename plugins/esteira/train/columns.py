"""The fitted preprocessing on Arrow batches: what the pipeline's `transform` gives, without its copies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.pipeline import Pipeline

from esteira.train.features import Doubles, Floats, Layout, doubles


@dataclass(frozen=True)
class _Scaled:
    """One column of numbers: missing ones filled, then mean and scale taken out in double precision."""

    name: str
    fill: float
    mean: float
    scale: float
    width: int = 1

    def write(self, column: pa.Array, out: Floats) -> None:
        values = doubles(column)
        if column.null_count:
            values[np.isnan(values)] = self.fill
        _write_scaled(values, self.mean, self.scale, out)


@dataclass(frozen=True)
class _Missing:
    """One column that tells where a number is missing."""

    name: str
    mean: float
    scale: float
    width: int = 1

    def write(self, column: pa.Array, out: Floats) -> None:
        _write_scaled(np.isnan(doubles(column)).astype(np.float64), self.mean, self.scale, out)


@dataclass(frozen=True)
class _OneHot:
    """One column for each level; `absent` is the level that a missing value counts as."""

    name: str
    levels: tuple[Any, ...]
    absent: Any

    @property
    def width(self) -> int:
        return len(self.levels)

    def write(self, column: pa.Array, out: Floats) -> None:
        values = column if self.absent is None else column.fill_null(self.absent)
        found = pc.index_in(values, pa.array(self.levels).cast(column.type))
        places = found.fill_null(-1).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(places >= 0)
        out[rows, places[rows]] = 1


@dataclass(frozen=True)
class Columns:
    """The preprocessed columns in their order."""

    parts: tuple[_Scaled | _Missing | _OneHot, ...]

    @classmethod
    def of(cls, fitted: Pipeline, shape: Layout) -> "Columns":
        """What a pipeline of `scaler.fit` does, from its fitted attributes."""
        parts: list[_Scaled | _Missing | _OneHot] = []
        for step, transformer, places in fitted.named_steps["columns"].transformers_:
            names = [shape.names[place] for place in places]
            if step == "numbers":
                parts.extend(_numbers(names, *(fitted_step for _, fitted_step in transformer.steps)))
            elif step in ("codes", "texts"):
                absent = "" if step == "texts" else None
                levels = (tuple(found.tolist()) for found in transformer.categories_)
                parts.extend(_OneHot(name, found, absent) for name, found in zip(names, levels, strict=True))
        return cls(tuple(parts))

    @property
    def width(self) -> int:
        return sum(part.width for part in self.parts)

    def read(self, batch: pa.RecordBatch) -> Floats:
        """The columns of a batch, float32 [N, width], equal to `transform` bit by bit."""
        columns = np.zeros((batch.num_rows, self.width), dtype=np.float32)
        at = 0
        for part in self.parts:
            part.write(batch[part.name], columns[:, at : at + part.width])
            at += part.width
        return columns


def _numbers(names: list[str], imputer: Any, standard: Any) -> Iterator[_Scaled | _Missing]:
    """The imputer puts its indicators behind all the numbers."""
    moments = list(zip(standard.mean_.tolist(), standard.scale_.tolist(), strict=True))
    for name, fill, (mean, scale) in zip(names, imputer.statistics_.tolist(), moments, strict=False):
        yield _Scaled(name, fill, mean, scale)
    for place, (mean, scale) in zip(imputer.indicator_.features_, moments[len(names) :], strict=True):
        yield _Missing(names[place], mean, scale)


def _write_scaled(values: Doubles, mean: float, scale: float, out: npt.NDArray[np.float32]) -> None:
    values -= mean
    values /= scale
    out[:, 0] = values
