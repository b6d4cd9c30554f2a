"""The Ibis connection to DuckDB: bounded memory, spilling to a folder beside the output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table

MEMORY_LIMIT = "1GB"
BATCH_ROWS = 65_536


@contextmanager
def connected(spill: Path) -> Iterator[Backend]:
    """A private in-memory database; whatever exceeds MEMORY_LIMIT goes to `spill`."""
    import ibis
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())  # the default one keeps what it has freed
    connection = ibis.duckdb.connect(memory_limit=MEMORY_LIMIT, temp_directory=str(spill))
    # Without this a cast is moved into the CSV reader, which then rejects the row that TRY_CAST would keep.
    connection.raw_sql("SET disabled_optimizers = 'type_pushdown'")
    ((shows_progress,),) = connection.raw_sql("SELECT current_setting('enable_progress_bar')").fetchall()
    if shows_progress:  # in a notebook without ipywidgets it is off, and cannot be set at all
        connection.raw_sql("SET enable_progress_bar = false")
    connection.raw_sql("SET TimeZone = 'UTC'")  # of moments that are written without a zone
    try:
        yield connection
    finally:
        connection.disconnect()


def create(connection: Backend, name: str, rows: Table) -> int:
    """Make a table of these rows; returns how many. Ibis's own way compiles the query twice."""
    return _done(connection, f'CREATE TABLE "{name}" AS {connection.compile(rows)}')


def append(connection: Backend, name: str, rows: Table) -> int:
    """Add rows to a table with the same columns; returns how many. Ibis's own way parses its own SQL."""
    return _done(connection, f'INSERT INTO "{name}" {connection.compile(rows)}')


def _done(connection: Backend, statement: str) -> int:
    ((rows,),) = connection.raw_sql(statement).fetchall()
    return int(rows)


def drop(connection: Backend, name: str) -> None:
    """Drop a table, to give its memory back."""
    connection.raw_sql(f'DROP TABLE IF EXISTS "{name}"')


def fetch(connection: Backend, table: Table) -> pa.Table:
    """The rows of a small table; Ibis's own way would load pandas, half a second and 50 MB."""
    return connection.con.sql(connection.compile(table)).to_arrow_table()


def numbers(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Numbers without missing ones as numpy has them; pyarrow's own way would load pandas."""
    import numpy as np
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        return np.concatenate([np.from_dlpack(chunk) for chunk in values.chunks] or [np.empty(0, np.int64)])
    return np.from_dlpack(values)


def column(values: npt.NDArray[np.int64]) -> pa.Array:
    """The other way round."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def texts(words: Sequence[str], places: npt.NDArray[np.int64]) -> pa.Array:
    """The words at the given places."""
    import pyarrow as pa

    builder = pa.lib.StringBuilder()
    builder.append_values(words)
    return builder.finish().take(column(places))


def batches(connection: Backend, table: Table) -> Iterator[pa.RecordBatch]:
    """The rows of a table in bounded portions; Ibis 12 calls a method here that DuckDB 2.0 no longer has."""
    relation = connection.con.sql(connection.compile(table))
    yield from relation.to_arrow_reader(BATCH_ROWS)
