"""What the columns of a dataset hold: ranges, means, missing values and distributions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esteira.case import Category, Column
from esteira.data.report import Bar, ColumnProfile

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table, Value

BINS = 24
SHOWN_LEVELS = 12


def profiles(connection: Backend, dataset: Path, columns: Mapping[str, Column]) -> tuple[ColumnProfile, ...]:
    """Describe each column of a Parquet dataset, in two passes over it."""
    rows = connection.read_parquet(str(dataset))
    figures = _figures(rows, columns)
    bars = _bars(rows, columns, figures)
    return tuple(_profile(name, column, figures[name], bars[name]) for name, column in columns.items())


def _figures(rows: Table, columns: Mapping[str, Column]) -> dict[str, dict[str, Any]]:
    wanted: dict[str, Value] = {}
    for place, (name, column) in enumerate(columns.items()):
        wanted[f"missing{place}"] = rows[name].isnull().sum()
        if isinstance(column, Category):
            wanted[f"levels{place}"] = rows[name].nunique()
        else:
            wanted[f"min{place}"] = rows[name].min().cast("float64")
            wanted[f"max{place}"] = rows[name].max().cast("float64")
            wanted[f"mean{place}"] = rows[name].mean()
    (found,) = rows.aggregate(**wanted).to_pyarrow().to_pylist()
    keys = ("missing", "levels", "min", "max", "mean")
    return {
        name: {key: found[f"{key}{place}"] for key in keys if f"{key}{place}" in found}
        for place, name in enumerate(columns)
    }


def _bars(
    rows: Table, columns: Mapping[str, Column], figures: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[Bar, ...]]:
    """Each column's distribution: all columns are counted in one query."""
    import ibis

    counts = [
        _counts(rows, name, place, column, figures[name])
        for place, (name, column) in enumerate(columns.items())
    ]
    found = ibis.union(*counts).to_pyarrow().to_pylist()
    by_place: dict[int, list[tuple[str, int]]] = {place: [] for place in range(len(columns))}
    for row in found:
        by_place[row["place"]].append((row["bar"], row["rows"]))
    return {
        name: _levels(by_place[place])
        if isinstance(column, Category)
        else _bins(by_place[place], figures[name])
        for place, (name, column) in enumerate(columns.items())
    }


def _counts(rows: Table, name: str, place: int, column: Column, figures: Mapping[str, Any]) -> Table:
    import ibis

    present = rows.filter(rows[name].notnull())
    bar = present[name] if isinstance(column, Category) else _bin(present[name], figures)
    counted = present.select(bar=bar).group_by("bar").aggregate(rows=ibis._.count())
    if isinstance(column, Category):
        counted = counted.order_by([ibis.desc("rows"), "bar"]).limit(SHOWN_LEVELS)
    return counted.select(place=ibis.literal(place, "int64"), bar=counted.bar.cast("string"), rows="rows")


def _bin(value: Value, figures: Mapping[str, Any]) -> Value:
    low, width = _edges(figures)
    return ((value.cast("float64") - low) / width).floor().cast("int64").clip(0, BINS - 1)


def _edges(figures: Mapping[str, Any]) -> tuple[float, float]:
    low, high = figures["min"] or 0.0, figures["max"] or 0.0
    return low, (high - low) / BINS or 1.0


def _bins(counts: list[tuple[str, int]], figures: Mapping[str, Any]) -> tuple[Bar, ...]:
    low, width = _edges(figures)
    rows = {int(bar): count for bar, count in counts}
    return tuple(Bar(label=f"{low + place * width:,.6g}", rows=rows.get(place, 0)) for place in range(BINS))


def _levels(counts: list[tuple[str, int]]) -> tuple[Bar, ...]:
    ordered = sorted(counts, key=lambda item: (-item[1], item[0]))
    return tuple(Bar(label=label, rows=rows) for label, rows in ordered)


def _profile(name: str, column: Column, figures: Mapping[str, Any], bars: tuple[Bar, ...]) -> ColumnProfile:
    unit = None if isinstance(column, Category) else column.unit
    return ColumnProfile(name=name, type=column.type, unit=unit, bars=bars, **figures)
