"""The two tensors that a table's features become, for scikit-learn and ONNX alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from esteira.case import Case
from esteira.columns import Category, Column, is_text

BATCH_ROWS = 32_768
_BATCH_CELLS = 1 << 21
_BUFFER_BYTES = 1 << 16
_DISTURBED_ROWS = 10
_UNHEARD_OF = "\N{SNOWMAN} never seen"

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]
Tensors = dict[str, npt.NDArray[np.generic]]
Classes = tuple[Any, ...]


@dataclass(frozen=True)
class Layout:
    """Which features are numbers and which are text, in the order that the graph takes them."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [*self.numbers, *self.texts]


def layout(columns: Mapping[str, Column]) -> Layout:
    """Dates and whole-number levels travel with the numbers; only text needs the other tensor."""
    texts = tuple(name for name, column in columns.items() if is_text(column))
    return Layout(tuple(name for name in columns if name not in texts), texts)


def frame(table: pd.DataFrame, shape: Layout) -> pd.DataFrame:
    """The features of some rows: numbers as float64 with NaN for missing, texts with "" for missing.

    A date is its days since 1970.
    """
    numbers = {name: _numbers(table[name]) for name in shape.numbers}
    texts = {name: table[name].astype(object).where(table[name].notna(), "") for name in shape.texts}
    return pd.DataFrame(numbers | texts, index=table.index)


def tensors(features: pd.DataFrame, shape: Layout) -> Tensors:
    """What the ONNX graph takes: `numbers` float64 [N, k] and `texts` string [N, m]; empty ones absent."""
    feed: Tensors = {}
    if shape.numbers:
        feed["numbers"] = features[list(shape.numbers)].to_numpy(np.float64)
    if shape.texts:
        feed["texts"] = features[list(shape.texts)].to_numpy(object)
    return feed


def batch_tensors(rows: pa.RecordBatch, shape: Layout) -> Tensors:
    """The same of Arrow rows."""
    feed: Tensors = {}
    if shape.numbers:
        numbers = np.empty((rows.num_rows, len(shape.numbers)))
        for place, name in enumerate(shape.numbers):
            numbers[:, place] = doubles(rows[name])
        feed["numbers"] = numbers
    if shape.texts:
        texts = np.empty((rows.num_rows, len(shape.texts)), dtype=object)
        for place, name in enumerate(shape.texts):
            texts[:, place] = words(rows[name])
        feed["texts"] = texts
    return feed


def disturbed(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Copies of raw rows (features alone) with what else a graph must answer.

    For each feature ten rows in which it is missing and, for a category, ten in which it is a level
    that no training saw; then ten rows in which everything is missing.
    """
    few = rows[list(case.features)].head(_DISTURBED_ROWS)
    copies = [_with(few, name, missing(few[name])) for name in case.features]
    for name, column in case.features.items():
        if isinstance(column, Category):
            copies.append(_with(few, name, pd.Series(_unseen(column), index=few.index)))
    copies.append(pd.DataFrame({name: missing(few[name]) for name in case.features}))
    return pd.concat(copies, ignore_index=True)


def batches(dataset: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet dataset, at most BATCH_ROWS at a time, in the file's order."""
    # The default pool keeps what it has freed, and a reader that buffers ahead keeps the whole file.
    pa.set_memory_pool(pa.system_memory_pool())
    rows = max(1, min(BATCH_ROWS, _BATCH_CELLS // len(columns)))
    with pq.ParquetFile(dataset, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
        yield from file.iter_batches(batch_size=rows, columns=columns, use_threads=False)


def doubles(column: pa.Array) -> Doubles:
    """The numbers of an Arrow column as float64 of their own, with NaN for missing; dates as days."""
    if pa.types.is_timestamp(column.type):
        return _days(column.to_numpy(zero_copy_only=False))
    return np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def words(column: pa.Array) -> npt.NDArray[np.object_]:
    """The texts of an Arrow column as Python strings, "" for missing; equal ones are one object."""
    encoded = column.fill_null("").dictionary_encode()
    levels: npt.NDArray[np.object_] = encoded.dictionary.to_numpy(zero_copy_only=False)
    texts: npt.NDArray[np.object_] = levels[encoded.indices.to_numpy()]
    return texts


def target(case: Case, classes: Classes | None, rows: pa.RecordBatch) -> Doubles | Whole:
    """The target of Arrow rows [N] in its unit, or the places of their classes, -1 for none of them."""
    values = rows[case.target]
    if classes is None:
        return doubles(values)
    found = pc.index_in(values, pa.array(classes).cast(values.type)).fill_null(-1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def missing(values: pd.Series) -> pd.Series:
    """As many missing values, of a type that still says whether they are numbers, dates or texts."""
    return values.where(np.zeros(len(values), dtype=bool))


def _numbers(values: pd.Series) -> npt.NDArray[np.float64]:
    if pd.api.types.is_datetime64_any_dtype(values):
        return _days(values.to_numpy())
    return values.to_numpy(np.float64, na_value=np.nan)


def _days(moments: npt.NDArray[np.datetime64]) -> Doubles:
    """As `esteira.days.to_days` counts them."""
    whole = moments.astype("datetime64[us]")
    days: Doubles = whole.view(np.int64) / 86_400e6
    days[np.isnat(whole)] = np.nan
    return days


def _with(rows: pd.DataFrame, name: str, values: pd.Series) -> pd.DataFrame:
    copy = rows.copy()
    copy[name] = values
    return copy


def _unseen(column: Category) -> int | str:
    return _UNHEARD_OF if column.is_text else max(int(level) for level in column.levels or ()) + 1
