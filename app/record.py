"""The type of a record, built from a case's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, create_model

from app.values import Days, OneInAnyCase, OneOf, Whole
from app.words import LONGEST_TEXT, allowed
from esteira.columns import EXACT, Category, Column, Date, Integer, Value, json_name
from esteira.metadata import Record


def record_type(columns: Mapping[str, Column], examples: Record) -> type[BaseModel]:
    """A strict type with the fields c0, c1, … in the columns' order, each with its column's name as alias.

    In JSON a column is called by its `json_name` or by its own name; unknown fields are forbidden.
    A date becomes its days since 1970. `examples` has values by column name, for the documentation.
    """
    fields: dict[str, Any] = {
        f"c{at}": _field(name, column, examples.get(name))
        for at, (name, column) in enumerate(columns.items())
    }
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    return create_model("Record", __config__=config, **fields)


def _field(name: str, column: Column, example: Value) -> tuple[Any, Any]:
    about: dict[str, Any] = {
        "title": name,
        "description": _description(column),
        "validation_alias": AliasChoices(*dict.fromkeys((json_name(name), name))),
        "examples": None if example is None else [example],
    }
    if column.optional:
        return _kind(column) | None, Field(None, **about)
    return _kind(column), Field(**about)


def _kind(column: Column) -> Any:
    if isinstance(column, Category):
        if column.levels is None:
            return Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
        one_of = OneInAnyCase if column.ignore_case else OneOf
        return Annotated[type(column.levels[0]), one_of(column.levels)]
    if isinstance(column, Date):
        return Annotated[float, Days(column)]
    if isinstance(column, Integer):
        low = -EXACT if column.min is None else column.min
        high = EXACT if column.max is None else column.max
        return Annotated[int, Whole(low, high)]
    return Annotated[float, Field(ge=column.min, le=column.max)]


def _description(column: Column) -> str:
    sentence = allowed(column)
    return f"{column.description}: {sentence}" if column.description else sentence[0].upper() + sentence[1:]
