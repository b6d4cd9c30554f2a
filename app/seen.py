"""Warns of values that are allowed but unlike anything that training saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from esteira.bundle import Seen, Value
from esteira.case import Category, Column, json_name

Values = tuple[Value, ...]
_Check = tuple[int, str, Callable[[Value], bool], str]


class Familiarity:
    """What training saw of each column."""

    def __init__(self, columns: Mapping[str, Column], seen: Mapping[str, Seen]) -> None:
        self._checks = [
            _check(at, json_name(name), seen[name])
            for at, name in enumerate(columns)
            if name in seen and _is_known(columns[name], seen[name])
        ]

    def warnings(self, values: Values) -> list[str]:
        """A sentence for each value that training did not see, a missing one aside."""
        return [
            f"{name} is {values[at]}, but training saw only {saw}"
            for at, name, is_familiar, saw in self._checks
            if not is_familiar(values[at])
        ]


def _is_known(column: Column, seen: Seen) -> bool:
    if isinstance(column, Category):
        return seen.levels is not None
    return seen.min is not None and seen.max is not None


def _check(at: int, name: str, seen: Seen) -> _Check:
    if seen.levels is not None:
        return at, name, {*seen.levels, None}.__contains__, ", ".join(map(str, seen.levels))
    assert seen.min is not None  # noqa: S101
    assert seen.max is not None  # noqa: S101
    return at, name, _within(seen.min, seen.max), f"{seen.min:g} to {seen.max:g}"


def _within(low: float, high: float) -> Callable[[Value], bool]:
    return lambda value: value is None or low <= value <= high  # type: ignore[operator]
