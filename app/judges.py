"""Judges the cells of a column all at once: which of them the record's type would take, and as what."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.values import DaysOf, spelled
from app.words import LONGEST_TEXT
from esteira.columns import EXACT, Category, Column, Date, Integer, is_text

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_LARGEST = float(np.finfo(np.float64).max)
_NONE = type(None)


class Judged(NamedTuple):
    """A column's values, and which of them are as the record's type would give them.

    The others may still be good: only the record's type can tell, and what is wrong with them.
    """

    values: npt.NDArray[Any]
    """Numbers, NaN where missing; or texts, "" where missing."""
    sure: Mask


class Judge(ABC):
    """What one column takes."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.optional = column.optional

    @abstractmethod
    def of_objects(self, cells: Sequence[Any], *, truths: bool = True) -> Judged:
        """Judge values as JSON has them; `truths` says whether true and false can be among them."""

    def absent(self, rows: int) -> Judged:
        """Judge a column that was not sent."""
        return self.of_objects([None] * rows)


class NumberJudge(Judge):
    """Integers, numbers and levels that are whole numbers."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.whole = not _is_number(column)
        self._levels = np.array(column.levels, np.float64) if isinstance(column, Category) else None
        ends = (None, None) if isinstance(column, Category | Date) else (column.min, column.max)
        # beyond, a whole number may not be the float64 that it becomes
        most = float(EXACT - 1) if self.whole else _LARGEST
        self._low = -most if ends[0] is None else max(float(ends[0]), -most)
        self._high = most if ends[1] is None else min(float(ends[1]), most)
        self._types: set[type] = {int} if isinstance(column, Category) else {int, float}
        if self.optional:
            self._types.add(_NONE)
        self._code = "q" if isinstance(column, Category) else "d"

    def of_floats(self, values: Floats) -> Judged:
        """Judge numbers; NaN is a missing one."""
        sure = (values >= self._low) & (values <= self._high)
        if self._levels is not None:
            sure &= np.isin(values, self._levels)
        elif self.whole:
            sure &= values == np.rint(values)
        if self.optional:
            sure |= np.isnan(values)
        return Judged(values, sure)

    def of_objects(self, cells: Sequence[Any], *, truths: bool = True) -> Judged:
        if not truths and (packed := _packed(cells, self._code)) is not None:
            return self._of_json(cells, packed)
        types = set(map(type, cells))
        if not types <= self._types:
            return self._of_odd(cells)
        values = None if _NONE in types else _packed(cells, "d")
        if values is None:
            try:
                values = np.array(cells, np.float64)
            except OverflowError:
                return self._of_odd(cells)
        return self._of_json(cells, values)

    def _of_json(self, cells: Sequence[Any], values: Floats) -> Judged:
        judged = self.of_floats(values)
        # NaN is no missing value in JSON
        if self.optional and np.isnan(values).sum() != cells.count(None):
            judged.sure[[cell != cell for cell in cells]] = False
        return judged

    def _of_odd(self, cells: Sequence[Any]) -> Judged:
        usual = [
            type(cell) in self._types and not (type(cell) is int and abs(cell) > EXACT) for cell in cells
        ]
        values = np.array([cell if is_usual else np.nan for cell, is_usual in zip(cells, usual, strict=True)])
        values = values.astype(np.float64)
        judged = self.of_floats(values)
        missing = np.array([cell is None for cell in cells])
        return Judged(values, judged.sure & usual & (~np.isnan(values) | missing))


class DateJudge(Judge):
    """Dates, as days since 1970."""

    def __init__(self, column: Date) -> None:
        super().__init__(column)
        self._days = DaysOf(column)
        self.time = column.time

    def of_objects(self, cells: Sequence[Any], *, truths: bool = True) -> Judged:  # noqa: ARG002
        texts = [cell if type(cell) is str else None for cell in cells]
        known: dict[str | None, float] = {text: self._or_nan(text) for text in set(texts)}
        values = np.fromiter(map(known.__getitem__, texts), np.float64, len(texts))
        sure = ~np.isnan(values)
        if self.optional and not sure.all():
            sure |= np.fromiter((cell is None for cell in cells), np.bool_, len(cells))
        return Judged(values, sure)

    def of_days(self, values: Floats) -> Judged:
        """Judge days; NaN is a missing one."""
        sure = (values >= self._days.first) & (values <= self._days.last)
        if not self.time:
            sure &= values == np.floor(values)
        if self.optional:
            sure |= np.isnan(values)
        return Judged(values, sure)

    def _or_nan(self, text: str | None) -> float:
        try:
            return np.nan if text is None else self._days(text)
        except ValueError:
            return np.nan


class TextJudge(Judge):
    """Texts, of some levels or any."""

    def __init__(self, column: Category) -> None:
        super().__init__(column)
        self._levels: dict[Any, str] | None = None
        self._ignore_case = column.ignore_case
        if column.levels is not None:
            keys = spelled(column.levels) if column.ignore_case else dict.fromkeys(column.levels)
            self._levels = dict(zip(keys, map(str, column.levels), strict=True))

    def of_objects(self, cells: Sequence[Any], *, truths: bool = True) -> Judged:  # noqa: ARG002
        texts = cells if set(map(type, cells)) == {str} else [c if type(c) is str else "" for c in cells]
        if self._levels is None:
            values = texts
            sure = np.fromiter((0 < len(text) <= LONGEST_TEXT for text in texts), np.bool_, len(texts))
        else:
            get = self._levels.get
            keys = map(str.casefold, texts) if self._ignore_case else texts
            values = [get(key, "") for key in keys]
            sure = np.fromiter(map(bool, values), np.bool_, len(values))
        if self.optional and texts is not cells:
            sure |= np.fromiter((cell is None for cell in cells), np.bool_, len(cells))
        return Judged(np.array(values, dtype=object), sure)


def judge_of(column: Column) -> Judge:
    """The judge of a column."""
    if isinstance(column, Date):
        return DateJudge(column)
    if isinstance(column, Category) and is_text(column):
        return TextJudge(column)
    return NumberJudge(column)


def _packed(cells: Sequence[Any], code: str) -> Floats | None:
    """Numbers as an array, faster than NumPy makes one; None where there are others than `code` packs.

    "d" packs whole numbers too, "q" nothing else; both take true and false for 1 and 0.
    """
    try:
        packed = struct.pack(f"{len(cells)}{code}", *cells)
    except (OverflowError, struct.error):
        return None
    return np.frombuffer(packed, code).astype(np.float64, copy=False)


def _is_number(column: Column) -> bool:
    return not isinstance(column, Integer | Category)
