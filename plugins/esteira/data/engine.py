"""The Ibis connection to DuckDB: bounded memory, spilling to a folder beside the output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table

MEMORY_LIMIT = "1GB"
BATCH_ROWS = 65_536


@contextmanager
def connected(spill: Path) -> Iterator[Backend]:
    """A private in-memory database; whatever exceeds MEMORY_LIMIT goes to `spill`."""
    import ibis

    connection = ibis.duckdb.connect(memory_limit=MEMORY_LIMIT, temp_directory=str(spill))
    # Without this a cast is moved into the CSV reader, which then rejects the row that TRY_CAST would keep.
    connection.raw_sql("SET disabled_optimizers = 'type_pushdown'")
    connection.raw_sql("SET enable_progress_bar = false")
    try:
        yield connection
    finally:
        connection.disconnect()


def drop(connection: Backend, name: str) -> None:
    """Drop a table, to give its memory back."""
    connection.raw_sql(f'DROP TABLE IF EXISTS "{name}"')


def batches(connection: Backend, table: Table) -> Iterator[pa.RecordBatch]:
    """The rows of a table in bounded portions; Ibis 12 calls a method here that DuckDB 2.0 no longer has."""
    relation = connection.con.sql(connection.compile(table))
    yield from relation.to_arrow_reader(BATCH_ROWS)
