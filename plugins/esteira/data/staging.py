"""Reads the raw files into one typed table in the order of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esteira.case import Case, Date
from esteira.data import checks, engine, recode
from esteira.data.layout import Layout, LayoutError, columns, opened
from esteira.rules import ROW

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table

STAGED = "staged"
_LINE_ENDS = {"\n": "\\n", "\r": "\\r", "\r\n": "\\r\\n"}
_BROKEN = {
    "MISSING COLUMNS": "row: too few fields",
    "TOO MANY COLUMNS": "row: too many fields",
    "UNQUOTED VALUE": "row: a quote that does not end",
    "INVALID ENCODING": "row: not UTF-8",
    "LINE SIZE OVER MAXIMUM": "row: longer than 2 MB",
}


@dataclass(frozen=True)
class Part:
    """One file in the staged table: its rows are `first` … `first + rows - 1`."""

    layout: Layout
    source: Path
    first: int
    rows: int
    broken: pa.Table
    """The rows without the right form: their line, text and reason, in the order of the file."""

    def lines(self, positions: np.ndarray) -> np.ndarray:
        """The line in the file of each staged row, where every row is one line; the header is line 1."""
        import numpy as np

        broken = engine.numbers(self.broken["line"]) - 2 - np.arange(self.broken.num_rows)
        within = positions - self.first
        return within + 2 + np.searchsorted(broken, within, side="right")


@dataclass(frozen=True)
class Staged:
    """The rows with `ROW`, the files they came from, and the reason behind each fault code."""

    table: Table
    parts: tuple[Part, ...]
    reasons: tuple[str, ...]

    @property
    def rows_in(self) -> int:
        return sum(part.rows + part.broken.num_rows for part in self.parts)


def read(connection: Backend, case: Case, layouts: list[Layout], work: Path) -> Staged:
    """Stage the files, one after the other. Raises LayoutError when a file cannot be read as a CSV."""
    _check_formats(connection, case)
    parts: list[Part] = []
    reasons: tuple[str, ...] = ()
    for place, layout in enumerate(layouts):
        source = _source(layout, work, place)
        first = parts[-1].first + parts[-1].rows if parts else 0
        text = _text(connection, layout, source, store_rejects=True, rejects_table=f"broken{place}")
        cells = _cells(text, layout, case)
        typed = checks.typed(text, cells)
        if not parts:
            reasons = ("unreadable", *(fault.reason for fault in checks.faults(cells)))
            connection.create_table(STAGED, schema=typed.schema())
        rows = _stage(connection, layout, typed)
        parts.append(Part(layout, source, first, rows, _broken(connection, f"broken{place}")))
    staged = connection.table(STAGED)
    return Staged(staged.mutate(**{ROW: staged.rowid()}), tuple(parts), reasons)


def faulty(connection: Backend, case: Case, part: Part) -> Iterator[pa.RecordBatch]:
    """The original text of a file's rows that have a fault, as t0, t1, …, in order; reads it again."""
    text = _text(connection, part.layout, part.source, ignore_errors=True)
    fault = checks.fault_code(_cells(text, part.layout, case))
    original = {f"t{place}": text[f"c{at}"] for place, at in enumerate(part.layout.positions.values())}
    marked = text.select(**original, **{checks.FAULT: fault})
    yield from engine.batches(connection, marked.filter(marked[checks.FAULT].notnull()))


def _check_formats(connection: Backend, case: Case) -> None:
    import duckdb

    for name, column in columns(case).items():
        try:
            if isinstance(column, Date) and column.format is not None:
                connection.con.execute("SELECT try_strptime('', ?)", [column.format])
        except duckdb.InvalidInputException as error:
            raise LayoutError(
                f"columns.{name}.format of the case {case.name!r} is {column.format!r}, which is not in the "
                f"words of strptime; correct it to what the raw file holds, as in '%d/%m/%Y'"
            ) from error


def _source(layout: Layout, work: Path, place: int) -> Path:
    """A name for the file that the engine can open: it takes *, ? and [ in a path for a pattern."""
    if layout.encoding != "utf-8":
        written = work / f"raw{place}.csv"
        with opened(layout.path) as content:
            recode.as_utf8(content, layout.encoding, written)
        return written
    link = work / f"raw{place}{''.join(layout.path.suffixes[-1:])}"
    link.symlink_to(layout.path.absolute())
    return link


def _text(connection: Backend, layout: Layout, source: Path, **on_error: bool | str) -> Table:
    extra = {"rejects_scan": f"scan_{on_error['rejects_table']}"} if "rejects_table" in on_error else {}
    return connection.read_csv(
        str(source),
        columns={f"c{place}": "string" for place in range(len(layout.header))},
        delim=layout.delimiter,
        new_line=_LINE_ENDS[layout.line_end],
        quote='"',
        escape='"',
        header=True,
        nullstr="",
        **on_error,
        **extra,
    )


def _cells(text: Table, layout: Layout, case: Case) -> dict[str, checks.Cell]:
    places = {name: f"c{place}" for name, place in layout.positions.items()}
    return checks.cells(text, places, columns(case), case.source.missing)


def _stage(connection: Backend, layout: Layout, typed: Table) -> int:
    """Append a file's rows; returns how many."""
    import duckdb

    try:
        return engine.append(connection, STAGED, typed)
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise _unreadable(layout, error) from error


def _broken(connection: Backend, name: str) -> pa.Table:
    import ibis

    found = connection.table(name)
    kind = ibis.cases(
        *((found.error_type == error, reason) for error, reason in _BROKEN.items()), else_="row: malformed"
    )
    by_line = (
        found.mutate(kind=kind)
        .group_by("line")
        .aggregate(
            reason=lambda rows: rows.kind.argmin(rows.column_idx.fill_null(0)),
            text=lambda rows: rows.csv_line.strip().min(),
        )
    )
    return engine.fetch(connection, by_line.mutate(line=by_line.line.cast("int64")).order_by("line"))


def _unreadable(layout: Layout, error: Exception) -> Exception:
    """What to do about an error that stops the whole file; any other error as it is."""
    said = str(error)
    if "GZIP" in said:
        remedy = "its compressed content is damaged or cut off; copy it again in full"
    elif "state machine" in said:
        remedy = "its lines end in different ways, or its quotes do not pair up; save it again as one CSV"
    else:
        return error
    return LayoutError(
        f"{layout.path} cannot be read as a CSV with {layout.delimiter!r} between the fields: {remedy}"
    )
