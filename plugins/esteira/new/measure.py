"""Measures how a table's columns can be read, over all of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from esteira.columns import Column, Date
from esteira.data import checks
from esteira.new.readings import Reading
from esteira.new.table import Table

if TYPE_CHECKING:
    from ibis.expr.types import Table as IbisTable
    from ibis.expr.types import Value as IbisValue

_AT_ONCE = 40
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One reading of a column over all rows; without `reading`, the column as text."""

    reading: Reading | None
    unread: int
    present: int
    distinct: int
    low: float | None = None
    high: float | None = None
    fractions: int = 0


def measured(table: Table, proposals: Sequence[Sequence[Reading]]) -> list[list[Measure]]:
    """For each column its measures: the best reading, if there is one, and text."""
    asked = [(place, reading) for place, readings in enumerate(proposals) for reading in (*readings, None)]
    results: list[list[Measure]] = [[] for _ in proposals]
    for start in range(0, len(asked), _AT_ONCE):
        part = asked[start : start + _AT_ONCE]
        cells = table.cells
        measures = {
            f"m{number}_{name}": value
            for number, (place, reading) in enumerate(part)
            for name, value in _measures(cells, place, reading).items()
        }
        columns = list(measures)
        (row,) = table.ask_about(cells.aggregate(**measures).select(*columns))
        by_name = dict(zip(columns, row, strict=True))
        for number, (place, reading) in enumerate(part):
            mine = {
                name.split("_", 1)[1]: value
                for name, value in by_name.items()
                if name.startswith(f"m{number}_")
            }
            results[place].append(Measure(reading=reading, **mine))
    return [_best(measures) for measures in results]


def _measures(cells: IbisTable, place: int, reading: Reading | None) -> dict[str, IbisValue]:
    key = f"c{place}"
    if reading is None:
        text = cells[key]
        return {"unread": text.isnull().sum(), "present": text.count(), "distinct": text.approx_nunique()}
    cell = checks.cells(cells, {key: key}, {key: reading.column}, ("",))[key]
    value = as_number(cell.value, reading.column)
    return {
        "unread": (~cell.sound).sum().fill_null(0),
        "present": value.count(),
        "distinct": value.approx_nunique(),
        "low": value.min(),
        "high": value.max(),
        "fractions": (value % 1 != 0).sum().fill_null(0),
    }


def as_number(value: IbisValue, column: Column) -> IbisValue:
    """A date as days since 1970, anything else as it is."""
    return value.epoch_seconds().cast("float64") / _DAY if isinstance(column, Date) else value


def _best(measures: list[Measure]) -> list[Measure]:
    """The reading that reads most cells and the text; a doubt is gone where the others read fewer."""
    *readings, text = measures
    if not readings:
        return [text]
    best = min(readings, key=lambda measure: measure.unread)
    assert best.reading is not None
    if sum(measure.unread == best.unread for measure in readings) == 1:
        best = replace(best, reading=replace(best.reading, doubt=None))
    return [best, text]
