"""Warns of values that are allowed but unlike anything that training saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.words import Levels, cut
from esteira.bundle import Seen, Value
from esteira.case import Category, Column, Date, json_name
from esteira.days import to_text

Values = tuple[Value, ...]
_Check = tuple[int, Callable[[Value], bool], Callable[[Value], str]]


class Familiarity:
    """What training saw of each column."""

    def __init__(self, columns: Mapping[str, Column], seen: Mapping[str, Seen]) -> None:
        self._checks = [
            _check(at, json_name(name), column, seen[name])
            for at, (name, column) in enumerate(columns.items())
            if name in seen and _is_known(column, seen[name])
        ]

    def warnings(self, values: Values) -> list[str]:
        """A sentence for each value that training did not see, a missing one aside."""
        return [
            sentence(values[at]) for at, is_familiar, sentence in self._checks if not is_familiar(values[at])
        ]


def _is_known(column: Column, seen: Seen) -> bool:
    if isinstance(column, Category):
        return seen.levels is not None
    return seen.min is not None and seen.max is not None


def _check(at: int, name: str, column: Column, seen: Seen) -> _Check:
    if seen.levels is not None:
        return at, {*seen.levels, None}.__contains__, _unseen_level(name, Levels(seen.levels))
    assert seen.min is not None  # noqa: S101
    assert seen.max is not None  # noqa: S101
    is_familiar = _within(seen.min, seen.max)
    if isinstance(column, Date):
        return at, is_familiar, _unseen_day(name, f"{to_text(seen.min)} to {to_text(seen.max)}")
    return at, is_familiar, _unseen_number(name, f"{seen.min:.12g} to {seen.max:.12g}")


def _within(low: float, high: float) -> Callable[[Value], bool]:
    return lambda value: value is None or low <= value <= high  # type: ignore[operator]


def _unseen_level(name: str, levels: Levels) -> Callable[[Value], str]:
    return lambda value: f"{name} is {cut(str(value))}, but training saw only {levels.named(value)}"


def _unseen_day(name: str, saw: str) -> Callable[[Value], str]:
    return lambda days: f"{name} is {to_text(days)}, but training saw only {saw}"  # type: ignore[arg-type]


def _unseen_number(name: str, saw: str) -> Callable[[Value], str]:
    return lambda value: f"{name} is {value}, but training saw only {saw}"
