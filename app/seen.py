"""Warns of values that are allowed but unlike anything that training saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from app.words import Levels, cut
from esteira.columns import Category, Column, Date, Integer, Value, is_text, json_name
from esteira.days import to_text
from esteira.metadata import Seen

Values = tuple[Value, ...]
Array = npt.NDArray[Any]
_Check = tuple[int, Callable[[Value], bool], Callable[[Value], str]]


class Familiarity:
    """What training saw of each column."""

    def __init__(self, columns: Mapping[str, Column], seen: Mapping[str, Seen]) -> None:
        self._checks = [
            _check(at, json_name(name), column, seen[name])
            for at, (name, column) in enumerate(columns.items())
            if name in seen and _is_known(column, seen[name])
        ]
        known = list(columns.items())
        self._array_checks = [
            (at, _unfamiliar(seen[known[at][0]]), _as_sent(known[at][1])) for at, *_ in self._checks
        ]

    def warnings(self, values: Values) -> list[str]:
        """A sentence for each value that training did not see, a missing one aside."""
        return [
            sentence(values[at]) for at, is_familiar, sentence in self._checks if not is_familiar(values[at])
        ]

    def warnings_of_columns(self, columns: Sequence[Array]) -> dict[int, list[str]]:
        """The same for many rows, given as columns, by the places of those that have any."""
        found: dict[int, list[str]] = {}
        for (at, unfamiliar, value), (_, _, sentence) in zip(self._array_checks, self._checks, strict=True):
            for place in np.flatnonzero(unfamiliar(columns[at])).tolist():
                found.setdefault(place, []).append(sentence(value(columns[at][place])))
        return found


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


def _unfamiliar(seen: Seen) -> Callable[[Array], Array]:
    """Which values of a column training did not see; a missing one is NaN, or "" among texts."""
    if seen.levels is None:
        low, high = seen.min, seen.max
        return lambda values: (values < low) | (values > high)
    if isinstance(seen.levels[0], str):
        known = {*seen.levels, ""}
        return lambda values: ~np.fromiter(map(known.__contains__, values), np.bool_, len(values))
    levels = np.array(seen.levels, np.float64)
    return lambda values: ~(np.isin(values, levels) | np.isnan(values))


def _as_sent(column: Column) -> Callable[[Any], Value]:
    """How a column's value in an array is as the record's type gives it."""
    if is_text(column):
        return str
    return int if isinstance(column, Integer | Category) else float


def _within(low: float, high: float) -> Callable[[Value], bool]:
    return lambda value: value is None or low <= value <= high  # type: ignore[operator]


def _unseen_level(name: str, levels: Levels) -> Callable[[Value], str]:
    return lambda value: f"{name} is {cut(str(value))}, but training saw only {levels.named(value)}"


def _unseen_day(name: str, saw: str) -> Callable[[Value], str]:
    return lambda days: f"{name} is {to_text(days)}, but training saw only {saw}"  # type: ignore[arg-type]


def _unseen_number(name: str, saw: str) -> Callable[[Value], str]:
    return lambda value: f"{name} is {value}, but training saw only {saw}"
