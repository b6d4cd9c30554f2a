"""The two tensors that a table's features become, for scikit-learn and ONNX alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from esteira.case import Column, is_text

BATCH_ROWS = 32_768

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """Which features are numbers and which are text, in the order that the graph takes them."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [*self.numbers, *self.texts]


def layout(columns: Mapping[str, Column]) -> Layout:
    """Whole-number levels travel with the numbers; only text needs the other tensor."""
    texts = tuple(name for name, column in columns.items() if is_text(column))
    return Layout(tuple(name for name in columns if name not in texts), texts)


def frame(table: pd.DataFrame, shape: Layout) -> pd.DataFrame:
    """The features of some rows: numbers as float64 with NaN for missing, texts with "" for missing."""
    numbers = table[list(shape.numbers)].astype(np.float64)
    texts = table[list(shape.texts)].astype(object).where(table[list(shape.texts)].notna(), "")
    return pd.concat([numbers, texts], axis=1)


def tensors(features: pd.DataFrame, shape: Layout) -> dict[str, npt.NDArray[np.generic]]:
    """What the ONNX graph takes: `numbers` float64 [N, k] and `texts` string [N, m]; empty ones absent."""
    feed: dict[str, npt.NDArray[np.generic]] = {}
    if shape.numbers:
        feed["numbers"] = features[list(shape.numbers)].to_numpy(np.float64)
    if shape.texts:
        feed["texts"] = features[list(shape.texts)].to_numpy(object)
    return feed


def batches(dataset: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet dataset, BATCH_ROWS at a time, in the file's order."""
    pa.set_memory_pool(pa.system_memory_pool())  # the default one keeps what it has freed
    with pq.ParquetFile(dataset) as file:
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=columns, use_threads=False)


def doubles(column: pa.Array) -> Doubles:
    """The numbers of an Arrow column as float64 of their own, with NaN for missing."""
    return np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)
