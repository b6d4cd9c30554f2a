"""A raw file as a table of texts in the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esteira.case import Case
from esteira.columns import Date
from esteira.data import recode
from esteira.data.layout import Layout, LayoutError, columns, opened

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table

_BUFFER_BYTES = 8_000_000  # a quarter of the engine's own, and one thread's share of a file
_LINE_ENDS = {"\n": "\\n", "\r": "\\r", "\r\n": "\\r\\n"}


def check_formats(connection: Backend, case: Case) -> None:
    """Raise LayoutError at a date's format that nothing can be read by."""
    import duckdb

    formats = {name: column.format for name, column in columns(case).items() if isinstance(column, Date)}
    for name, form in formats.items():
        try:
            connection.con.execute("SELECT try_strptime('', ?)", [form])
        except duckdb.InvalidInputException as error:
            raise LayoutError(
                f"columns.{name}.format of the case {case.name!r} is {form!r}, which is not in the words of "
                f"strptime; correct it to what the raw file holds, as in '%d/%m/%Y'"
            ) from error


def source(layout: Layout, work: Path, place: int) -> Path:
    """The file as the engine can open it: it reads UTF-8, and takes *, ? and [ in a path for a pattern."""
    if layout.encoding != "utf-8":
        written = work / f"raw{place}.csv"
        with opened(layout.path) as content:
            recode.as_utf8(content, layout.encoding, written)
        return written
    link = work / f"raw{place}{''.join(layout.path.suffixes[-1:])}"
    link.symlink_to(layout.path.absolute())
    return link


def texts(connection: Backend, layout: Layout, source: Path, **on_error: bool | str) -> Table:
    """The rows in the order of the file, as c0, c1, …; an empty cell is null."""
    extra = {"rejects_scan": f"scan_{on_error['rejects_table']}"} if "rejects_table" in on_error else {}
    return connection.read_csv(
        str(source),
        columns={f"c{place}": "string" for place in range(len(layout.header))},
        delim=layout.delimiter,
        new_line=_LINE_ENDS[layout.line_end],
        quote='"',
        escape='"',
        header=True,
        buffer_size=_BUFFER_BYTES,
        nullstr="",
        **on_error,
        **extra,
    )
