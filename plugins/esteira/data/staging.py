"""Reads the raw files into one typed table in the order of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esteira.case import Case
from esteira.data import checks, engine, scan
from esteira.data.cells import Cell
from esteira.data.layout import Layout, LayoutError, columns
from esteira.rules import ROW

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table

STAGED = "staged"
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
    scan.check_formats(connection, case)
    parts: list[Part] = []
    reasons: tuple[str, ...] = ()
    for place, layout in enumerate(layouts):
        source = scan.source(layout, work, place)
        first = parts[-1].first + parts[-1].rows if parts else 0
        text = scan.texts(connection, layout, source, store_rejects=True, rejects_table=f"broken{place}")
        cells = _cells(text, layout, case)
        typed = checks.typed(text, cells)
        if not parts:
            reasons = ("unreadable", *(fault.reason for fault in checks.faults(cells)))
            connection.create_table(STAGED, schema=typed.schema())
        rows = _stage(connection, layout, typed)
        parts.append(Part(layout, source, first, rows, _broken(connection, f"broken{place}")))
    staged = connection.table(STAGED)
    return Staged(staged.mutate(**{ROW: staged.rowid()}), tuple(parts), reasons)


def faulty(connection: Backend, case: Case, part: Part, rows: Table) -> Iterator[pa.RecordBatch]:
    """The original text of a file's rows that have a fault, as t0, t1, …, with the fault's code and `ROW`.

    `rows` holds the `ROW` of each of them; the file is read again, in its order.
    """
    import ibis

    text = scan.texts(connection, part.layout, part.source, ignore_errors=True)
    wanted = text.mutate(**{ROW: ibis.row_number() + part.first}).semi_join(rows, ROW).order_by(ROW)
    original = {f"t{place}": wanted[f"c{at}"] for place, at in enumerate(part.layout.positions.values())}
    marks = {checks.FAULT: checks.fault_code(_cells(wanted, part.layout, case)), ROW: wanted[ROW]}
    yield from engine.batches(connection, wanted.select(**original, **marks))


def _cells(text: Table, layout: Layout, case: Case) -> dict[str, Cell]:
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
