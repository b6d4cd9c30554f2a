"""What is wrong with a record, field by field, in sentences."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.words import allowed, cut
from esteira.columns import Column, json_name

MOST_FAULTS = 100


class Fault(BaseModel):
    """One field of a record that cannot be used."""

    row: int | None = None
    """Which record of a batch; the first is 1."""
    field: str
    sent: str
    """As JSON, cut where it is long."""
    allowed: str
    message: str


def faults(
    error: ValidationError, columns: Mapping[str, Column], row: int | None = None, most: int = MOST_FAULTS
) -> list[Fault]:
    """What a record's type found wrong, at most `most` of it."""
    by_name = {alias: name for name in columns for alias in (name, json_name(name))}
    return [_fault(detail, columns, by_name, row) for detail in error.errors(include_url=False)[:most]]


def shown(value: object) -> str:
    """A value that a client sent, as short JSON."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return json.dumps(cut(value), ensure_ascii=False)
    return cut(json.dumps(value))


def _fault(
    detail: ErrorDetails, columns: Mapping[str, Column], by_name: Mapping[str, str], row: int | None
) -> Fault:
    kind, sent = detail["type"], shown(detail["input"])
    if not detail["loc"]:
        wanted = "an object with a field for each column"
        message = f"A record must be {wanted}, not {sent}."
        return Fault(row=row, field="", sent=sent, allowed=wanted, message=message)
    name = str(detail["loc"][0])
    if kind == "extra_forbidden":
        return _unknown(name, sent, by_name, row)
    wanted, name = allowed(columns[by_name[name]], near=detail["input"]), json_name(name)
    if kind == "missing":
        message = f"{name} is missing; send {wanted}."
        return Fault(row=row, field=name, sent="nothing", allowed=wanted, message=message)
    message = f"{name} cannot be {sent}; send {wanted}."
    return Fault(row=row, field=name, sent=sent, allowed=wanted, message=message)


def _unknown(name: str, sent: str, by_name: Mapping[str, str], row: int | None) -> Fault:
    known = list(dict.fromkeys(map(json_name, by_name)))
    label = cut(name)
    if json_name(name) in known:
        message = f"{label} was sent under two names; send it once, as {json_name(name)}."
    elif near := difflib.get_close_matches(label, known, n=1):
        message = f"{label} is not a field of this model; did you mean {near[0]}?"
    else:
        message = f"{label} is not a field of this model; leave it out."
    return Fault(row=row, field=label, sent=sent, allowed=f"the fields {', '.join(known)}", message=message)
