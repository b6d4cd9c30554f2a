"""Streams generated columns into a raw file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Columns = Mapping[str, np.ndarray[Any, np.dtype[Any]]]


def write(path: Path, chunks: Iterable[Columns], missing: str = "") -> None:
    """Write chunks of equally named columns as one CSV, in bounded memory; NaN and None become `missing`.

    A whole number is written without a decimal point. A path that ends in .gz is compressed.
    """
    import duckdb
    import pyarrow as pa

    batches = (_batch(chunk) for chunk in chunks)
    first = next(batches)
    reader = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
    with duckdb.connect() as connection:
        rows = connection.from_arrow(reader).project(", ".join(_shown(field) for field in first.schema))
        compression = "gzip" if path.suffix == ".gz" else "none"
        rows.to_csv(str(path), header=True, na_rep=missing, compression=compression)


def _batch(columns: Columns) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.record_batch({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def _shown(field: pa.Field) -> str:
    import pyarrow as pa

    name = f'"{field.name}"'
    if pa.types.is_floating(field.type):
        return f"regexp_replace({name}::VARCHAR, '\\.0$', '') AS {name}"
    return name
