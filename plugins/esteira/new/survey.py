"""Reads every column of a table as numbers, dates or text: guessed on a sample, judged on all rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from esteira.columns import Date
from esteira.data import checks
from esteira.new import dates, habits, numbers, words
from esteira.new.facts import Facts, Value
from esteira.new.measure import Measure, as_number, measured
from esteira.new.readings import Reading
from esteira.new.table import Table, listed

_SAMPLE_ROWS = 5_000
_COUNTED = 5_000
_NEARLY_ALL = 0.85
_MOST_UNREADABLE = 0.02
_MOST_WORDS = 3
_MISFITS_LISTED = 1_000


def survey(table: Table) -> list[Facts]:
    """The facts of each column, in the order of the file."""
    texts = table.texts(_SAMPLE_ROWS)
    samples = [Counter(text for text in column if text and not words.is_missing(text)) for column in texts]
    usual = habits.of(samples, table.form.delimiter)
    proposals = [dates.readings(sample, usual) or numbers.readings(sample, usual) for sample in samples]
    measures = measured(table, proposals)
    found = [_column(table, place, measures[place], texts[place]) for place in range(len(texts))]
    return _with_shared_tokens(table, found)


def _column(table: Table, place: int, measures: list[Measure], texts: list[str | None]) -> Facts:
    *readings, text = measures
    for measure in readings:
        facts = _read(table, place, measure, texts)
        if facts is not None:
            return facts
    return _text(table, place, text, texts)


def _facts(table: Table, place: int, measure: Measure, **more: Any) -> Facts:
    return Facts(
        name=table.form.names[place],
        place=place,
        unnamed=not table.form.header[place],
        reading=measure.reading,
        rows=table.rows,
        **more,
    )


def _read(table: Table, place: int, measure: Measure, texts: list[str | None]) -> Facts | None:
    """A column of numbers or dates; None if too many cells are neither that nor plainly missing."""
    assert measure.reading is not None
    tokens, unreadable = _misfits(table, place, measure)
    lost = measure.unread - sum(tokens.values())
    if lost > _MOST_UNREADABLE * (measure.present + lost):
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
        lost=lost,
        unreadable=tuple(unreadable),
    )


def _misfits(table: Table, place: int, measure: Measure) -> tuple[dict[str, int], dict[str, int]]:
    """The most frequent cells that a reading does not read: what stands for a missing value, and others."""
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


def _value_counts(table: Table, place: int, measure: Measure) -> dict[Value, int]:
    assert measure.reading is not None
    key = f"c{place}"
    cell = checks.cells(table.cells, {key: key}, {key: measure.reading.column}, ("",))[key]
    values = table.cells.select(value=as_number(cell.value, measure.reading.column))
    values = values.filter(values.value.notnull())
    counted = values.group_by("value").aggregate(times=values.count())
    return dict(table.ask_about(counted.order_by(counted.times.desc(), counted.value)))


def _exactly(table: Table, place: int, measure: Measure) -> int:
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


def _text(table: Table, place: int, measure: Measure, texts: list[str | None]) -> Facts:
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


def _with_shared_tokens(table: Table, found: list[Facts]) -> list[Facts]:
    """A text that stands for a missing value does so in every column: `source.missing` is one list."""
    tokens = {text for facts in found for text in facts.tokens}
    return [_without(table, facts, tokens - set(facts.tokens)) for facts in found]


def _without(table: Table, facts: Facts, tokens: set[str]) -> Facts:
    """A column of numbers or dates has none but its own tokens: it could not read the others."""
    if facts.reading is not None or not tokens:
        return facts
    gone = _times(table, facts.place, tokens)
    left = facts.counts and {text: times for text, times in facts.counts.items() if text not in gone}
    return replace(
        facts,
        counts=left,
        distinct=facts.distinct - len(gone),
        present=facts.present - sum(gone.values()),
        tokens={**facts.tokens, **gone},
    )


def _times(table: Table, place: int, tokens: set[str]) -> dict[str, int]:
    """How often each of the tokens stands in a column, for those that do."""
    counted = (
        f"SELECT c{place}, count(*) FROM raw "  # noqa: S608
        f"WHERE c{place} IN {listed(sorted(tokens))} GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return dict(table.ask(counted))
