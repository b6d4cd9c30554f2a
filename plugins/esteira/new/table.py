"""A file's cells as text in a database on disk, for questions about all of its rows in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esteira.data import layout, recode
from esteira.new.errors import NewCaseError
from esteira.new.form import Form

if TYPE_CHECKING:
    import numpy as np
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table as IbisTable

_MEMORY = "400MB"
_TRIMMED = (
    "CASE WHEN {name} < '!' OR suffix({name}, ' ') OR suffix({name}, e'\\t') OR suffix({name}, e'\\r') "
    "THEN nullif(trim({name}, e' \\t\\n\\r\\x0B\\x0C'), '') ELSE {name} END"
)
"""Only where there is something to trim: that costs as much as to read the file."""

_SCALE = 1 << 20
_LINE_ENDS = {"\n": "\\n", "\r": "\\r", "\r\n": "\\r\\n"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a file, each cell a text without blanks around it, or null."""

    connection: Backend
    form: Form
    cells: IbisTable
    """The cells by position: c0, c1, …"""
    rows: int
    broken: int
    """Rows that have not the form of the header and are not among `rows`."""

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives; the table is `raw`."""
        found: list[tuple[Any, ...]] = self.connection.raw_sql(question).fetchall()
        return found

    def ask_about(self, rows: IbisTable) -> list[tuple[Any, ...]]:
        """The rows of an Ibis table."""
        return self.ask(self.connection.compile(rows))

    def arrays(self, rows: IbisTable) -> dict[str, np.ma.MaskedArray[Any, Any]]:
        """An Ibis table's columns as numpy has them, with the missing values masked."""
        import numpy as np

        found = self.connection.con.sql(self.connection.compile(rows)).fetchnumpy()
        return {name: np.ma.asarray(values) for name, values in found.items()}

    def sampled(self, rows: int) -> IbisTable:
        """About so many rows, spread over the whole file and in its order."""
        import ibis

        if rows >= self.rows:
            return self.cells
        cells = self.cells
        share = ibis.literal(int(_SCALE * rows / self.rows))
        return cells.filter((cells.rowid().hash() % _SCALE).abs() < share)

    def texts(self, rows: int) -> list[list[str | None]]:
        """A sample of the cells, column by column."""
        found = self.connection.con.sql(self.connection.compile(self.sampled(rows))).to_arrow_table()
        return [column.to_pylist() for column in found.columns]


@contextmanager
def opened(form: Form, work: Path) -> Iterator[Table]:
    """Read a file into a database in the work folder.

    Raises NewCaseError when the database cannot read it.
    """
    import ibis

    connection = ibis.duckdb.connect(
        str(work / "cells.duckdb"), memory_limit=_MEMORY, temp_directory=str(work / "spill")
    )
    try:
        connection.raw_sql("SET enable_progress_bar = false")
        connection.raw_sql("SET TimeZone = 'UTC'")  # of moments that are written without a zone
        rows, broken = _read(connection, form, work)
        cells = connection.table("raw")
        yield Table(connection=connection, form=form, cells=cells, rows=rows, broken=broken)
    finally:
        connection.disconnect()


def _read(connection: Backend, form: Form, work: Path) -> tuple[int, int]:
    import duckdb

    source = _source(form, work)
    try:
        connection.raw_sql(f"CREATE TABLE raw AS {_selection(form, source)}")
    except duckdb.Error as error:
        raise NewCaseError(
            f"{form.path} cannot be read as a table with {form.delimiter!r} between the fields: "
            f"{str(error).splitlines()[0]}; save it again as a CSV in UTF-8"
        ) from error
    ((rows,),) = connection.raw_sql("SELECT count(*) FROM raw").fetchall()
    ((broken,),) = connection.raw_sql("SELECT count(DISTINCT line) FROM broken").fetchall()
    return int(rows), int(broken)


def _source(form: Form, work: Path) -> Path:
    """A name for the file that the engine can open: it takes *, ? and [ in a path for a pattern."""
    if form.encoding != "utf-8":
        written = work / "raw.csv"
        with layout.opened(form.path) as content:
            recode.as_utf8(content, form.encoding, written)
        return written
    link = work / f"raw{''.join(form.path.suffixes[-1:])}"
    link.symlink_to(form.path)
    return link


def _selection(form: Form, source: Path) -> str:
    names = [f"c{place}" for place in range(len(form.names))]
    cells = ", ".join(f"{_TRIMMED.format(name=name)} AS {name}" for name in names)
    types = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    options = (
        f"columns = {{{types}}}, delim = {quoted(form.delimiter)}, quote = '\"', escape = '\"', "
        f"header = true, nullstr = '', new_line = '{_LINE_ENDS[form.line_end]}', "
        f"store_rejects = true, rejects_table = 'broken', rejects_scan = 'broken_scan'"
    )
    return f"SELECT {cells} FROM read_csv({quoted(str(source))}, {options})"  # noqa: S608


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Sequence[str]) -> str:
    """Texts as SQL writes a list of them."""
    return "(" + ", ".join(map(quoted, texts)) + ")"
