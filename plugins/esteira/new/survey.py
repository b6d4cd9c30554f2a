"""Reads every column of a table as numbers, dates or text: guessed on a sample, judged on all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from esteira.case import Category, Column, Date
from esteira.data import checks
from esteira.new import dates, habits, numbers, words
from esteira.new.facts import Facts, Value
from esteira.new.readings import Reading
from esteira.new.table import Table, listed

if TYPE_CHECKING:
    from ibis.expr.types import Table as IbisTable
    from ibis.expr.types import Value as IbisValue

_SAMPLE_ROWS = 5_000
_COUNTED = 5_000
_NEARLY_ALL = 0.85
_MOST_UNREADABLE = 0.02
_MOST_WORDS = 3
_MISFITS_LISTED = 1_000
_AT_ONCE = 40
_DAY = 86_400
_TEXT: Column = Category(type="category", optional=True)


def survey(table: Table) -> list[Facts]:
    """The facts of each column, in the order of the file."""
    texts = table.texts(_SAMPLE_ROWS)
    samples = [Counter(text for text in column if text and not words.is_missing(text)) for column in texts]
    usual = habits.of(samples, table.form.delimiter)
    proposals = [dates.readings(sample, usual) or numbers.readings(sample, usual) for sample in samples]
    measured = _measured(table, proposals)
    found = [_column(table, place, measured[place], texts[place]) for place in range(len(texts))]
    return _with_shared_tokens(found)


@dataclass(frozen=True, kw_only=True)
class _Measure:
    """One reading of a column over all rows; without `reading`, the column as text."""

    reading: Reading | None
    unread: int
    present: int
    distinct: int
    low: float | None = None
    high: float | None = None
    fractions: int = 0


def _measured(table: Table, proposals: Sequence[Sequence[Reading]]) -> list[list[_Measure]]:
    """For each column its measures: the best reading, if there is one, and text."""
    asked = [(place, reading) for place, readings in enumerate(proposals) for reading in (*readings, None)]
    results: list[list[_Measure]] = [[] for _ in proposals]
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
            results[place].append(_Measure(reading=reading, **mine))
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


def _best(measures: list[_Measure]) -> list[_Measure]:
    """The reading that reads most cells and the text; a doubt is gone where the others read fewer."""
    *readings, text = measures
    if not readings:
        return [text]
    best = min(readings, key=lambda measure: measure.unread)
    assert best.reading is not None
    if sum(measure.unread == best.unread for measure in readings) == 1:
        best = replace(best, reading=replace(best.reading, doubt=None))
    return [best, text]


def _column(table: Table, place: int, measures: list[_Measure], texts: list[str | None]) -> Facts:
    *readings, text = measures
    for measure in readings:
        facts = _read(table, place, measure, texts)
        if facts is not None:
            return facts
    return _text(table, place, text, texts)


def _facts(table: Table, place: int, measure: _Measure, **more: Any) -> Facts:
    return Facts(
        name=table.form.names[place],
        place=place,
        unnamed=not table.form.header[place],
        reading=measure.reading,
        rows=table.rows,
        **more,
    )


def _read(table: Table, place: int, measure: _Measure, texts: list[str | None]) -> Facts | None:
    """A column of numbers or dates; None if too many cells are neither that nor plainly missing."""
    assert measure.reading is not None
    tokens, unreadable = _misfits(table, place, measure)
    if sum(unreadable.values()) > _MOST_UNREADABLE * (measure.present + sum(unreadable.values())):
        return None
    counts = _value_counts(table, place, measure) if measure.distinct <= _COUNTED else None
    return _facts(
        table,
        place,
        measure,
        present=measure.present,
        distinct=len(counts) if counts is not None else _exactly(table, place, measure),
        counts=counts,
        low=measure.low,
        high=measure.high,
        fractions=measure.fractions,
        in_order=_in_order(texts, measure.reading),
        tokens=tokens,
        unreadable=unreadable,
    )


def _misfits(table: Table, place: int, measure: _Measure) -> tuple[dict[str, int], dict[str, int]]:
    """The cells that a reading does not read: those that stand for a missing value, and the others."""
    if not measure.unread or measure.reading is None:
        return {}, {}
    key = f"c{place}"
    cells = table.cells
    cell = checks.cells(cells, {key: key}, {key: measure.reading.column}, ("",))[key]
    unread = cells.filter(~cell.sound & cells[key].notnull())
    counted = unread.group_by(text=unread[key]).aggregate(times=unread.count())
    found = dict(table.ask_about(counted.order_by(counted.times.desc(), counted.text).limit(_MISFITS_LISTED)))
    tokens = {text: times for text, times in found.items() if words.is_missing(text)}
    rest = {text: times for text, times in found.items() if text not in tokens}
    if len(rest) <= _MOST_WORDS and not any(letter.isdigit() for text in rest for letter in text):
        return {**tokens, **rest}, {}
    return tokens, rest


def _value_counts(table: Table, place: int, measure: _Measure) -> dict[Value, int]:
    assert measure.reading is not None
    key = f"c{place}"
    cell = checks.cells(table.cells, {key: key}, {key: measure.reading.column}, ("",))[key]
    values = table.cells.select(value=as_number(cell.value, measure.reading.column))
    values = values.filter(values.value.notnull())
    counted = values.group_by("value").aggregate(times=values.count())
    return dict(table.ask_about(counted.order_by(counted.times.desc(), counted.value)))


def _exactly(table: Table, place: int, measure: _Measure) -> int:
    """The approximate count is within a few percent: where nearly all cells differ, that is not enough."""
    if measure.distinct < _NEARLY_ALL * measure.present or measure.fractions:
        return min(measure.distinct, measure.present)
    ((exact,),) = table.ask(f"SELECT count(DISTINCT c{place}) FROM raw")  # noqa: S608
    return min(int(exact), measure.present)


def _in_order(texts: list[str | None], reading: Reading) -> float:
    """For numbers only those that Python reads as they are: an index is never written with marks."""
    values = [value for text in texts if text and (value := _value(text, reading)) is not None]
    steps = [after >= before for before, after in pairwise(values)]
    return sum(steps) / len(steps) if steps else 0.0


def _value(text: str, reading: Reading) -> float | None:
    try:
        if isinstance(reading.column, Date):
            return dates.to_days(text, reading.column.format)
        return float(text)
    except ValueError:
        return None


def _text(table: Table, place: int, measure: _Measure, texts: list[str | None]) -> Facts:
    counts: dict[Value, int] | None = None
    if measure.distinct <= _COUNTED:
        counts = dict(
            table.ask(
                f"SELECT c{place}, count(*) FROM raw WHERE c{place} IS NOT NULL "  # noqa: S608
                f"GROUP BY 1 ORDER BY 2 DESC, 1"
            )
        )
        tokens = {
            str(text): times for text, times in counts.items() if words.is_missing_among_texts(str(text))
        }
    else:
        tokens = dict(
            table.ask(
                f"SELECT c{place}, count(*) FROM raw "  # noqa: S608
                f"WHERE lower(c{place}) IN {listed(sorted(words.MISSING_AMONG_TEXTS))} GROUP BY 1"
            )
        )
    present = measure.present - sum(tokens.values())
    if counts is not None:
        counts = {text: times for text, times in counts.items() if text not in tokens}
    lengths = [len(text.split()) for text in texts if text and text not in tokens]
    return _facts(
        table,
        place,
        replace(measure, reading=None),
        present=present,
        distinct=len(counts) if counts is not None else _exactly(table, place, measure) - len(tokens),
        counts=counts,
        words=sum(lengths) / len(lengths) if lengths else 0.0,
        tokens=tokens,
    )


def _with_shared_tokens(found: list[Facts]) -> list[Facts]:
    """A text that stands for a missing value does so in every column: `source.missing` is one list."""
    tokens = {text for facts in found for text in facts.tokens}
    return [_without(facts, tokens - set(facts.tokens)) for facts in found]


def _without(facts: Facts, tokens: set[str]) -> Facts:
    if facts.counts is None or facts.reading is not None:
        return facts
    gone = {str(text): times for text, times in facts.counts.items() if text in tokens}
    if not gone:
        return facts
    counts = {text: times for text, times in facts.counts.items() if text not in gone}
    return replace(
        facts,
        counts=counts,
        distinct=len(counts),
        present=facts.present - sum(gone.values()),
        tokens={**facts.tokens, **gone},
    )
