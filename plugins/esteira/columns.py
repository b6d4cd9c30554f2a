"""The types of a case's columns: what a record may hold, and how it is written."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from esteira.days import to_days, to_text
from esteira.vocabulary import Word

EXACT = 2**53
"""Beyond this, not every whole number is a float64, which is what the model computes with."""

Value = int | float | str | None
"""A value of a record in JSON."""


class _Column(Word):
    description: str | None = None
    optional: bool = False

    def fault(self, value: Value) -> str | None:
        """What is wrong with a record's value for this column, after the value; None where nothing is."""
        if value is None:
            return None if self.optional else "needs the column to be optional"
        return self._fault(value)

    @abstractmethod
    def _fault(self, value: float | str) -> str | None: ...


class _Numeric(_Column):
    """How a number is written in the raw file; in JSON it is always a plain number."""

    unit: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    symbol: str | None = Field(None, min_length=1)
    """A currency or percent sign that is taken off, at either end."""

    @model_validator(mode="after")
    def _different_marks(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; one of them must be another")
        return self


class Integer(_Numeric):
    """Whole numbers between `min` and `max`, both allowed."""

    type: Literal["integer"]
    min: int | None = None
    max: int | None = None

    @model_validator(mode="after")
    def _possible(self) -> Integer:
        _check_range(self.min, self.max)
        return self

    def _fault(self, value: float | str) -> str | None:
        if isinstance(value, str) or value % 1:
            return "is no whole number"
        return _outside(value, self.min, self.max)


class Number(_Numeric):
    """Finite real numbers between `min` and `max`, both allowed."""

    type: Literal["number"]
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _possible(self) -> Number:
        _check_range(self.min, self.max)
        return self

    def _fault(self, value: float | str) -> str | None:
        return "is no number" if isinstance(value, str) else _outside(value, self.min, self.max)


class Date(_Column):
    """Days, or moments, between `min` and `max` (ISO 8601), both allowed; ISO 8601 in JSON too."""

    type: Literal["date"]
    format: str | None = None
    """How the raw file writes it, in the words of strptime; by default ISO 8601."""
    time: bool = False
    """Whether the time of day counts; without it a moment is its day."""
    min: str | None = None
    max: str | None = None

    @field_validator("min", "max")
    @classmethod
    def _date(cls, text: str | None) -> str | None:
        if text is not None:
            to_days(text)
        return text

    @model_validator(mode="after")
    def _possible(self) -> Date:
        low, high = self.bounds
        _check_range(low, high)
        return self

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The first and the last day that is allowed, as days since 1970."""
        low, high = (None if text is None else to_days(text) for text in (self.min, self.max))
        return low, high

    def _fault(self, value: float | str) -> str | None:
        if not isinstance(value, str):
            return "is no date; put it in quotes"
        try:
            days = to_days(value)
        except ValueError:
            return "is no date in ISO 8601, as in '2024-12-31'"
        if not self.time and (days % 1 or to_text(days) != value):
            return "is not a day alone, as in '2024-12-31', and the column has no time"
        return _outside(days, *self.bounds)


class Category(_Column):
    """One of `levels`: all whole numbers or all text; without `levels`, any text."""

    type: Literal["category"]
    levels: tuple[int, ...] | tuple[str, ...] | None = None
    ignore_case: bool = False
    """Whether `Yes` and `yes` are the same level: the one that `levels` spells."""

    @field_validator("levels", mode="before")
    @classmethod
    def _quoted(cls, levels: Any) -> Any:
        if isinstance(levels, list) and any(isinstance(level, bool) for level in levels):
            raise ValueError("YAML reads Yes, No, on and off as true and false; put them in quotes")
        return tuple(levels) if isinstance(levels, list) else levels

    @field_validator("levels")
    @classmethod
    def _distinct(cls, levels: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if levels is not None and (len(levels) == 0 or len(set(levels)) < len(levels)):
            raise ValueError("levels must be one or more different values")
        return levels

    @model_validator(mode="after")
    def _foldable(self) -> Category:
        if self.ignore_case and not (self.levels and self.is_text):
            raise ValueError("ignore_case needs levels that are text")
        if self.ignore_case and len({str(level).casefold() for level in self.levels or ()}) < len(
            self.levels or ()
        ):
            raise ValueError("levels differ only in case, and ignore_case takes those for the same")
        return self

    @property
    def is_text(self) -> bool:
        """Whether the levels are text; whole-number levels travel with the numbers."""
        return self.levels is None or isinstance(self.levels[0], str)

    def _fault(self, value: float | str) -> str | None:
        if self.levels is None:
            return None if isinstance(value, str) else "is no text; put it in quotes"
        if isinstance(value, str) and self.ignore_case:
            known = {str(level).casefold() for level in self.levels}
            return None if value.casefold() in known else "is none of its levels"
        found = any(level == value and type(level) is type(value) for level in self.levels)
        return None if found else "is none of its levels"


Column = Annotated[Integer | Number | Category | Date, Field(discriminator="type")]


def is_text(column: Column) -> bool:
    """Whether a column's values are text, in a table, in JSON and in the ONNX graph."""
    return isinstance(column, Category) and column.is_text


def json_name(column: str) -> str:
    """The name of a column in JSON: blanks become underscores."""
    return re.sub(r"\s+", "_", column.strip())


def _check_range(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"min {low} is above max {high}: no value fits")


def _outside(value: float, low: float | None, high: float | None) -> str | None:
    if low is not None and value < low:
        return "is below the column's min"
    return "is above the column's max" if high is not None and value > high else None
