"""The form: a field for each column, and what was sent with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from app.page.language import Language
from app.page.sentences import allowed
from esteira.columns import Category, Column, Date, Integer, Number, Value, json_name
from esteira.days import to_days, to_text
from esteira.metadata import Metadata, Record, Seen

FEW, LETTERS = 4, 24
"""So many levels, with so many letters together, stand side by side."""
MOST_OFFERED = 300
"""Of a column's levels; whoever wants another writes it."""


@dataclass(frozen=True, kw_only=True)
class Slider:
    """The numbers that training saw."""

    low: str
    high: str
    step: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column, as the form asks for it."""

    at: int
    name: str
    title: str
    kind: str
    """`number`, `date`, `moment`, `segments`, `choices` or `text`."""
    value: str
    optional: bool
    hint: str
    about: str
    unit: str = ""
    low: str = ""
    high: str = ""
    step: str = ""
    levels: tuple[str, ...] = ()
    slider: Slider | None = None


class Form:
    """The fields of a version, whatever is in them."""

    def __init__(self, metadata: Metadata, columns: Mapping[str, Column]) -> None:
        self._columns, self._seen = columns, metadata.seen
        self.names = tuple(map(json_name, columns))

    def fields(self, values: Mapping[str, str], language: Language) -> list[Field]:
        """The fields with their texts, by the columns' names in JSON."""
        return [
            _field(at, name, column, self._seen.get(name), values.get(json_name(name), ""), language)
            for at, (name, column) in enumerate(self._columns.items())
        ]

    def texts(self, record: Record) -> dict[str, str]:
        """What to write into the fields for a record."""
        return {
            json_name(name): text
            for name, column in self._columns.items()
            if (text := _text(column, record.get(name)))
        }

    def record(self, values: Mapping[str, str]) -> Record:
        """The record that was put in, as JSON would have it; what cannot be one is left as it is."""
        return dict(self._values(values))

    def _values(self, values: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
        for name, column in self._columns.items():
            text = values.get(json_name(name), "")
            if text or (isinstance(column, Category) and "" in (column.levels or ())):
                yield json_name(name), _value(column, text)
            elif column.optional:
                yield json_name(name), None


def _field(at: int, name: str, column: Column, seen: Seen | None, value: str, language: Language) -> Field:
    low, high = _bounds(column)
    return Field(
        at=at,
        name=json_name(name),
        title=name,
        kind=_kind(column),
        value=value,
        optional=column.optional,
        hint=allowed(column, seen, language),
        about=column.description or "",
        unit=column.unit or "" if isinstance(column, Integer | Number) else "",
        low=low,
        high=high,
        step={"integer": "1", "number": "any", "date": "1", "category": ""}[column.type],
        levels=_levels(column, seen),
        slider=_slider(column, seen),
    )


def _kind(column: Column) -> str:
    if isinstance(column, Date):
        return "moment" if column.time else "date"
    if _are_few(column):
        return "segments"
    if isinstance(column, Integer | Number):
        return "number"
    return "text" if column.levels is None or len(column.levels) > MOST_OFFERED else "choices"


def _are_few(column: Integer | Number | Category) -> bool:
    texts = _levels(column, None)
    return not column.optional and 1 <= len(texts) <= FEW and sum(map(len, texts)) <= LETTERS


def _levels(column: Column, seen: Seen | None) -> tuple[str, ...]:
    if isinstance(column, Integer) and column.min is not None and column.max is not None:
        return tuple(map(str, range(column.min, column.max + 1))) if column.max - column.min < FEW else ()
    if not isinstance(column, Category):
        return ()
    known = column.levels or (seen.levels if seen else None) or ()
    return tuple(map(str, known[:MOST_OFFERED]))


def _bounds(column: Column) -> tuple[str, str]:
    if isinstance(column, Category):
        return "", ""
    if isinstance(column, Date):
        low, high = (None if bound is None else _dated(column, bound) for bound in column.bounds)
    else:
        low, high = (None if bound is None else _written(bound) for bound in (column.min, column.max))
    return low or "", high or ""


def _slider(column: Column, seen: Seen | None) -> Slider | None:
    if not isinstance(column, Integer | Number) or seen is None or seen.min is None or seen.max is None:
        return None
    span = seen.max - seen.min
    if span <= 0:
        return None
    step = 1.0 if isinstance(column, Integer) else float(f"{span / 200:.0e}")
    return Slider(low=_written(seen.min), high=_written(seen.max), step=_written(step))


def _text(column: Column, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(column, Date) and isinstance(value, str):
        with suppress(ValueError):
            return _dated(column, to_days(value))
    return value if isinstance(value, str) else _written(value)


def _dated(column: Date, days: float) -> str:
    """As the browser's own fields for dates want it."""
    text = to_text(days)
    if not column.time:
        return text[:10]
    return text if "T" in text else f"{text}T00:00"


def _written(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _value(column: Column, text: str) -> Value:
    if isinstance(column, Number):
        with suppress(ValueError):
            return float(text)
    elif isinstance(column, Integer) or (isinstance(column, Category) and not column.is_text):
        with suppress(ValueError):
            return int(text)
    return text
