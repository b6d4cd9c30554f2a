"""Splits the dataset and writes what the candidates are fitted on: float32 columns, once, on disk."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esteira.bundle import DatasetFact, Seen
from esteira.case import Case, Category
from esteira.data.dataset import Dataset
from esteira.errors import EsteiraError
from esteira.settings import Settings
from esteira.train import features, scaler, workspace
from esteira.train.columns import Columns
from esteira.train.features import Doubles, Floats, doubles
from esteira.train.prepared import Prepared
from esteira.train.split import HOLDOUT, TRAIN, VALIDATION, sides

log = logging.getLogger("esteira")

_SCALER_ROWS = 50_000
_PARTS = {TRAIN: "train", VALIDATION: "validation", HOLDOUT: "holdout"}


class SplitError(EsteiraError):
    """The dataset is too small to be split into three parts."""


def prepare(case: Case, dataset: Dataset, training_id: str, settings: Settings) -> Prepared:
    """Split by content hash, fit the preprocessing on the training part, write all three parts.

    The rows are read twice in batches; what stays in memory is at most 50,000 rows of the
    training part, on which the preprocessing's medians, means and variances are fitted.

    Raises SplitError when a part would be empty.
    """
    folder = workspace.start(settings, case.name, training_id)
    shape = features.layout(case.features)
    survey = _Survey(case, dataset.rows_out)
    rows_sides = []
    for rows in _batches(case, dataset):
        rows_sides.append(sides(rows))
        survey.add(rows, rows_sides[-1])
    survey.check(dataset.path)
    fitted = scaler.fit(case, shape, features.frame(survey.sample(), shape), survey.levels())
    joblib.dump(fitted, folder / "scaler.joblib")
    fact = survey.fact(dataset)
    columns = Columns.of(fitted, shape)
    with _Parts(folder, fact, columns.width) as parts:
        for rows, side in zip(_batches(case, dataset), rows_sides, strict=True):
            parts.add(rows, side, columns.read(rows), doubles(rows[case.target]))
    scale = float(np.std(np.load(folder / "train_y.npy"))) or 1.0
    prepared = Prepared(
        training_id=training_id, folder=folder, cleaned=dataset, dataset=fact, seen=survey.seen(), scale=scale
    )
    log.info("%s; %d columns after preprocessing", prepared.sentence(), columns.width)
    return prepared


def _batches(case: Case, dataset: Dataset) -> Iterator[pa.RecordBatch]:
    return features.batches(dataset.path, [*case.features, case.target])


class _Survey:
    """What the first pass learns of the parts: sizes, and of the training part ranges and levels."""

    def __init__(self, case: Case, rows: int) -> None:
        self._case = case
        self._sizes = np.zeros(3, dtype=np.int64)
        self._low: dict[str, float] = {}
        self._high: dict[str, float] = {}
        self._levels: dict[str, set[Any]] = {}
        self._sample: list[pa.RecordBatch] = []
        self._every = 1 + rows // _SCALER_ROWS

    def add(self, rows: pa.RecordBatch, side: npt.NDArray[np.uint8]) -> None:
        self._sizes += np.bincount(side, minlength=3)
        train = rows.filter(pa.array(side == TRAIN))
        for name, column in self._case.features.items():
            if isinstance(column, Category):
                self._add_levels(name, train[name], column.is_text)
            elif train[name].null_count < train.num_rows:
                self._add_range(name, pc.min_max(train[name]).as_py())
        self._sample.append(train.take(pa.array(np.arange(0, train.num_rows, self._every))))

    def _add_levels(self, name: str, values: pa.Array, is_text: bool) -> None:
        present = values.fill_null("") if is_text else values.drop_null()
        self._levels.setdefault(name, set()).update(present.unique().to_pylist())

    def _add_range(self, name: str, found: dict[str, float]) -> None:
        self._low[name] = min(self._low.get(name, np.inf), float(found["min"]))
        self._high[name] = max(self._high.get(name, -np.inf), float(found["max"]))

    def check(self, path: Path) -> None:
        for side, part in _PARTS.items():
            if self._sizes[side] == 0:
                raise SplitError(
                    f"{path} has {self._sizes.sum()} rows and none falls into the {part} part; "
                    f"at least a few hundred different rows are needed to train and judge a model"
                )

    def sample(self) -> pd.DataFrame:
        rows: pd.DataFrame = pa.Table.from_batches(self._sample).to_pandas()
        return rows

    def levels(self) -> dict[str, tuple[int, ...] | tuple[str, ...]]:
        return {name: tuple(sorted(levels)) for name, levels in self._levels.items()}

    def seen(self) -> dict[str, Seen]:
        ranges = {name: Seen(min=self._low[name], max=self._high[name]) for name in self._low}
        return ranges | {name: Seen(levels=levels) for name, levels in self.levels().items()}

    def fact(self, dataset: Dataset) -> DatasetFact:
        train, validation, holdout = (int(self._sizes[side]) for side in (TRAIN, VALIDATION, HOLDOUT))
        return DatasetFact(
            sha256=dataset.sha,
            rows=train + validation + holdout,
            train_rows=train,
            validation_rows=validation,
            holdout_rows=holdout,
            synthetic=dataset.synthetic,
        )


class _Parts:
    """Writes the three parts batch by batch: columns and target as .npy, what is judged also raw."""

    def __init__(self, folder: Path, fact: DatasetFact, width: int) -> None:
        self._folder = folder
        self._rows = {TRAIN: fact.train_rows, VALIDATION: fact.validation_rows, HOLDOUT: fact.holdout_rows}
        self._width = width
        self._files: dict[tuple[int, str], BinaryIO] = {}
        self._raw: dict[int, pq.ParquetWriter] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for side, part in _PARTS.items():
            self._start(side, "X", np.float32, (self._rows[side], self._width), part)
            self._start(side, "y", np.float64, (self._rows[side],), part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(
        self, rows: pa.RecordBatch, side: npt.NDArray[np.uint8], columns: Floats, target: Doubles
    ) -> None:
        for part in _PARTS:
            mine = side == part
            self._files[part, "X"].write(columns[mine].data)
            self._files[part, "y"].write(target[mine].data)
            if part != TRAIN:
                self._add_raw(part, rows.filter(pa.array(mine)))

    def _start(self, side: int, kind: str, dtype: type, shape: tuple[int, ...], part: str) -> None:
        file = self._open.enter_context((self._folder / f"{part}_{kind}.npy").open("wb"))
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
            "fortran_order": False,
            "shape": shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
        self._files[side, kind] = file

    def _add_raw(self, part: int, rows: pa.RecordBatch) -> None:
        if part not in self._raw:
            path = self._folder / f"{_PARTS[part]}.parquet"
            self._raw[part] = self._open.enter_context(pq.ParquetWriter(path, rows.schema))
        self._raw[part].write_batch(rows)
