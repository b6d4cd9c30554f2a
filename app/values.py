"""The types of values that JSON has no words for: one of some levels, and dates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from app.span import pattern
from esteira.columns import Date
from esteira.days import to_days, to_text

EARLIEST, LATEST = to_days("0001-01-01"), to_days("9999-12-31T23:59:59")
"""Every number of days between these is a date; a time zone can move a moment past them."""
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"


@dataclass(frozen=True)
class OneOf:
    """The levels of a category; unlike typing.Literal it does not take true or 1.0 for 1."""

    levels: tuple[int, ...] | tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.chain_schema([handler(source), core_schema.literal_schema(list(self.levels))])

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "integer" if isinstance(self.levels[0], int) else "string",
            "enum": list(self.levels),
        }


@dataclass(frozen=True)
class OneInAnyCase(OneOf):
    """The same, of text in upper or lower case; it becomes the level as `levels` spells it."""

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        known = spelled(self.levels)

        def level(text: str) -> int | str:
            return known.get(text.casefold(), text)

        as_spelled = core_schema.no_info_after_validator_function(level, handler(source))
        return core_schema.chain_schema([as_spelled, core_schema.literal_schema(list(self.levels))])


@dataclass(frozen=True)
class Whole:
    """A whole number in a range; 27.0 is one too, as JSON Schema has it: how it is written says nothing."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        low, high = self.low, self.high

        def whole(value: object) -> int:
            if isinstance(value, float) and value.is_integer() and low <= value <= high:
                return int(value)
            raise ValueError("not a whole number in its range")

        return core_schema.union_schema(
            [
                core_schema.int_schema(strict=True, ge=low, le=high),
                core_schema.no_info_plain_validator_function(whole),
            ],
            mode="left_to_right",
            custom_error_type="whole",
            custom_error_message="not a whole number in its range",
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Days:
    """An ISO 8601 date, with or without a time where its column has times, as days since 1970."""

    column: Date

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            DaysOf(self.column), core_schema.str_schema(strict=True)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if self.column.time:
            return {"type": "string", "format": "date-time"}
        low, high = self.column.bounds
        if low is None and high is None:
            return {"type": "string", "format": "date"}
        ends = (to_text(EARLIEST if low is None else low), to_text(LATEST if high is None else high))
        return {"type": "string", "format": "date", "pattern": pattern(*(end[:10] for end in ends))}


class DaysOf:
    """The days of a date that is written as its column asks; raises ValueError for any other text."""

    def __init__(self, column: Date) -> None:
        self._form = re.compile(f"{_DAY}({_TIME})?" if column.time else _DAY)
        low, high = column.bounds
        self.first = EARLIEST if low is None else low
        self.last = LATEST if high is None else high

    def __call__(self, text: str) -> float:
        if not self._form.fullmatch(text):
            raise ValueError("not written as an ISO 8601 date")
        value = to_days(text)
        if not self.first <= value <= self.last:
            raise ValueError("too early or too late")
        return value


def spelled(levels: tuple[int, ...] | tuple[str, ...]) -> dict[str, int | str]:
    """Levels by what they are in no case."""
    return {str(level).casefold(): level for level in levels}
