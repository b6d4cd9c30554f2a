"""Puts what was sent, what may be sent and what was seen into words."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import Any

from esteira.columns import Category, Column, Date, Integer
from esteira.days import to_text

LONGEST_SHOWN = 60
LONGEST_TEXT = 1000
MOST_NAMED = 20
NEAREST = 3


class Levels:
    """The levels of a category: all are named where they are few, else those nearest to a value."""

    def __init__(self, levels: tuple[int, ...] | tuple[str, ...]) -> None:
        self._levels = levels
        self._sorted = sorted(levels, key=_folded) if len(levels) > MOST_NAMED else []
        self._folded = [_folded(level) for level in self._sorted]

    def named(self, near: object = None) -> str:
        """`1, 2, 3`, or `4,312 values, such as …` with the neighbours of `near` in their order."""
        if not self._sorted:
            return ", ".join(map(str, self._levels))
        at = bisect_left(self._folded, _folded(near)) if type(near) is type(self._sorted[0]) else 0
        first = max(0, min(at - 1, len(self._sorted) - NEAREST))
        neighbours = ", ".join(map(str, self._sorted[first : first + NEAREST]))
        return f"{len(self._sorted):,} values, such as {neighbours}"


def allowed(column: Column, near: object = None) -> str:
    """What may be sent for a column; of many levels those nearest to what was sent are named."""
    return _allowed(column, near) + (", or null" if column.optional else "")


def cut(text: str) -> str:
    """A text that a client sent, no longer than a sentence bears."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _allowed(column: Column, near: object) -> str:
    if isinstance(column, Category):
        if column.levels is None:
            return f"a text of 1 to {LONGEST_TEXT} characters"
        return f"one of {_known(column.levels).named(near)}{' in any case' if column.ignore_case else ''}"
    if isinstance(column, Date):
        kind = "a moment (YYYY-MM-DDTHH:MM:SS, or YYYY-MM-DD)" if column.time else "a date (YYYY-MM-DD)"
        low, high = (None if days is None else to_text(days) for days in column.bounds)
        return f"{kind}{_between(low, high)}"
    kind = "a whole number" if isinstance(column, Integer) else "a number"
    unit = f" ({column.unit})" if column.unit else ""
    return f"{kind}{_between(column.min, column.max)}{unit}"


@lru_cache(1_000)
def _known(levels: tuple[int, ...] | tuple[str, ...]) -> Levels:
    return Levels(levels)


def _between(low: float | str | None, high: float | str | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return "" if high is None else f" of at most {high}"


def _folded(level: Any) -> Any:
    return level.casefold() if isinstance(level, str) else level
