"""What may be put in and what is unlike the training, in the page's languages."""

from __future__ import annotations

from collections.abc import Mapping

from app.faults import Fault
from app.page.language import Language, plain
from app.seen import Values
from app.words import LONGEST_TEXT, cut
from esteira.columns import Category, Column, Date, Value, json_name
from esteira.days import to_text
from esteira.metadata import Metadata, Seen

MOST_NAMED = 6
_BETWEEN: Mapping[Language, tuple[str, str, str]] = {
    "en": ("{} to {}", "at least {}", "at most {}"),
    "pt": ("de {} a {}", "no mínimo {}", "no máximo {}"),
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "integer": "a whole number",
        "number": "a number",
        "date": "a date",
        "moment": "a date and time",
        "text": "a text of up to {} characters",
        "one of": "one of {}",
        "values": "{} values, such as {}",
        "missing": "{} is missing; it takes {}",
        "wrong": "{} cannot be {}; it takes {}",
        "unseen": "{} is {}, but training saw only {}",
    },
    "pt": {
        "integer": "um número inteiro",
        "number": "um número",
        "date": "uma data",
        "moment": "uma data com hora",
        "text": "um texto de até {} caracteres",
        "one of": "um destes: {}",
        "values": "{} valores, como {}",
        "missing": "Falta {}; aceita {}",
        "wrong": "{} não pode ser {}; aceita {}",
        "unseen": "{} é {}, mas o treino só viu {}",
    },
}


def allowed(column: Column, seen: Seen | None, language: Language) -> str:
    """What a field takes, short; where anything goes, what training saw."""
    if isinstance(column, Category):
        return "" if column.levels is None else str(_levels(column.levels, language))
    low, high = column.bounds if isinstance(column, Date) else (column.min, column.max)
    if low is None and high is None and seen is not None:
        low, high = seen.min, seen.max
    return _between(column, low, high, language)


def refused(fault: Fault, columns: Mapping[str, Column], language: Language) -> str:
    """What is wrong with a field, and what it takes."""
    name, column = _named(fault.field, columns)
    if column is None:
        return fault.message
    words = _WORDS[language]
    if fault.sent == "nothing":
        return words["missing"].format(name, _wanted(column, language))
    return words["wrong"].format(name, fault.sent, _wanted(column, language))


def unseen(
    metadata: Metadata, columns: Mapping[str, Column], values: Values, language: Language
) -> list[tuple[int, str]]:
    """The place and a sentence of each value that training did not see, a missing one aside."""
    told = []
    for at, ((name, column), value) in enumerate(zip(columns.items(), values, strict=True)):
        seen = metadata.seen.get(name)
        if seen is not None and value is not None and not _is_familiar(seen, value):
            saw = _saw(column, seen, language)
            told.append((at, _WORDS[language]["unseen"].format(name, shown(column, value, language), saw)))
    return told


def shown(column: Column, value: Value, language: Language) -> str:
    """A value as people write it."""
    if value is None:
        return "–"
    if isinstance(column, Date) and isinstance(value, float):
        return _day(value, language)
    return cut(value) if isinstance(value, str) else plain(value, language)


def _is_familiar(seen: Seen, value: Value) -> bool:
    if seen.levels is not None:
        return value in seen.levels
    if seen.min is None or seen.max is None or not isinstance(value, int | float):
        return True
    return seen.min <= value <= seen.max


def _saw(column: Column, seen: Seen, language: Language) -> str:
    if seen.levels is not None:
        return _levels(seen.levels, language)
    return _between(column, seen.min, seen.max, language)


def _wanted(column: Column, language: Language) -> str:
    words = _WORDS[language]
    if isinstance(column, Category):
        if column.levels is None:
            return words["text"].format(plain(LONGEST_TEXT, language))
        return words["one of"].format(_levels(column.levels, language))
    kind = "moment" if isinstance(column, Date) and column.time else column.type
    return f"{words[kind]} {allowed(column, None, language)}".rstrip()


def _levels(levels: tuple[int, ...] | tuple[str, ...], language: Language) -> str:
    named = ", ".join(cut(str(level)) for level in levels[:MOST_NAMED])
    if len(levels) <= MOST_NAMED:
        return named
    return _WORDS[language]["values"].format(plain(len(levels), language), named)


def _between(column: Column, low: float | None, high: float | None, language: Language) -> str:
    both, least, most = _BETWEEN[language]
    first, last = (None if bound is None else _bound(column, bound, language) for bound in (low, high))
    if first is not None and last is not None:
        return both.format(first, last)
    if first is not None:
        return least.format(first)
    return "" if last is None else most.format(last)


def _bound(column: Column, bound: float, language: Language) -> str:
    return _day(bound, language) if isinstance(column, Date) else plain(bound, language)


def _day(days: float, language: Language) -> str:
    day, _, time = to_text(days).partition("T")
    if language == "pt":
        day = "/".join(reversed(day.split("-")))
    return f"{day} {time[:5]}".rstrip()


def _named(field: str, columns: Mapping[str, Column]) -> tuple[str, Column | None]:
    for name, column in columns.items():
        if field in (name, json_name(name)):
            return name, column
    return field, None
