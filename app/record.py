"""The type of a record, built from a case's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from esteira.case import Category, Column, Integer, json_name

EXACT = 2**53
"""Beyond this, not every whole number is a float64, which is what the model computes with."""
LONGEST_TEXT = 1000


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


def record_type(columns: Mapping[str, Column]) -> type[BaseModel]:
    """A strict type with the fields c0, c1, … in the columns' order, each with its column's name as alias.

    In JSON a column is called by its `json_name` or by its own name; unknown fields are forbidden.
    """
    fields: dict[str, Any] = {f"c{i}": _field(*column) for i, column in enumerate(columns.items())}
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    return create_model("Record", __config__=config, **fields)


def allowed(column: Column) -> str:
    """What may be sent for a column, in words."""
    or_null = ", or null" if column.optional else ""
    if isinstance(column, Category):
        if column.levels is None:
            return f"a text of 1 to {LONGEST_TEXT} characters{or_null}"
        return f"one of {', '.join(str(level) for level in column.levels)}{or_null}"
    kind = "a whole number" if isinstance(column, Integer) else "a number"
    unit = f" ({column.unit})" if column.unit else ""
    return f"{kind}{_between(column.min, column.max)}{unit}{or_null}"


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return "" if high is None else f" of at most {high}"


def _field(name: str, column: Column) -> tuple[Any, Any]:
    aliases = AliasChoices(*dict.fromkeys((json_name(name), name)))
    about: dict[str, Any] = {"title": name, "description": _description(column), "validation_alias": aliases}
    if column.optional:
        return _kind(column) | None, Field(None, **about)
    return _kind(column), Field(**about)


def _kind(column: Column) -> Any:
    if isinstance(column, Category):
        if column.levels is None:
            return Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
        return Annotated[str if column.is_text else int, OneOf(column.levels)]
    if isinstance(column, Integer):
        low = -EXACT if column.min is None else column.min
        high = EXACT if column.max is None else column.max
        return Annotated[int, Field(ge=low, le=high)]
    return Annotated[float, Field(ge=column.min, le=column.max)]


def _description(column: Column) -> str:
    sentence = allowed(column)
    return f"{column.description}: {sentence}" if column.description else sentence[0].upper() + sentence[1:]
