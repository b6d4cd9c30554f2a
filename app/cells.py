"""Takes the cells of Arrow columns for what JSON would call them: text from a CSV, or typed."""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import numpy as np
from arro3.core import Array, DataType

from app.judges import DateJudge, Floats, Judge, Judged, NumberJudge, TextJudge
from app.problems import Refusal
from app.words import allowed, cut
from esteira.columns import EXACT

FLOAT, INTEGER, TEXT = DataType.float64(), DataType.int64(), DataType.utf8()
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
SECONDS_OF_DAY = 86_400
_NUMBER = re.compile(r"[+-]?([0-9]+\.?|[0-9]*\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,400}")


def judged_text(cells: Array, judge: Judge) -> Judged:
    """Judge a CSV's column; an empty cell is missing."""
    if not isinstance(judge, NumberJudge):
        return judge.of_objects(list(cells.to_pylist()))
    numbers = cells.cast(FLOAT)
    values = _floats(numbers)
    judged = judge.of_floats(values)
    if np.isnan(values).sum() > cells.null_count:  # what is no number, or the word NaN
        empty = np.array([cell is None for cell in cells.to_pylist()])
        judged = Judged(values, judged.sure & (empty | ~np.isnan(values)))
    return judged


def value_of_text(cells: Array, place: int, judge: Judge) -> Any:
    """A CSV's cell as JSON would have it; what is no number stays text, so that it is named as such."""
    text = cells[place].as_py()
    if text is None or isinstance(judge, TextJudge):
        return text
    text = text.strip()
    if isinstance(judge, DateJudge):
        return text or None
    if _WHOLE.fullmatch(text):
        return int(text)
    return _number(float(text), judge) if _NUMBER.fullmatch(text) else text


def in_time(cells: Array) -> Array:
    """A typed column, its moments in microseconds at most, as the model's dates are."""
    kind = cells.type
    if DataType.is_timestamp(kind) and kind.time_unit == "ns":
        return cells.cast(DataType.timestamp("us", tz=kind.tz))
    return cells


def judged_typed(cells: Array, judge: Judge) -> Judged:
    """Judge a column of an Arrow stream or a Parquet file; NaN is missing, as null is."""
    if DataType.is_null(cells.type):
        return judge.absent(len(cells))
    if isinstance(judge, NumberJudge):
        return judge.of_floats(_floats(cells.cast(FLOAT)))
    if isinstance(judge, DateJudge) and DataType.is_temporal(cells.type):
        return judge.of_days(_days(cells))
    return judge.of_objects(list(cells.cast(TEXT).to_pylist()))


def value_of_typed(cells: Array, place: int, judge: Judge) -> Any:
    """A typed cell as JSON would have it."""
    value = cells[place].as_py()
    if value is None:
        return None if cells.slice(place, 1).null_count else "a date out of the calendar"
    if isinstance(value, date):
        return value.isoformat()
    return _number(float(value), judge) if isinstance(value, float | Decimal) else value


def check_type(name: str, kind: DataType, judge: Judge) -> None:
    """Raise Refusal, naming the column, when its Arrow type is not one that the model's column can have."""
    texts = DataType.is_string(kind) or DataType.is_large_string(kind)
    if isinstance(judge, NumberJudge):
        fits = DataType.is_integer(kind) or DataType.is_floating(kind) or DataType.is_decimal(kind)
    elif isinstance(judge, DateJudge):
        fits = texts or DataType.is_date(kind) or DataType.is_timestamp(kind)
    else:
        fits = texts
    if not fits and not DataType.is_null(kind):
        held = repr(kind).strip().partition("<")[2].removesuffix(">")
        detail = f"{cut(name)} cannot be a column of type {cut(held)}; send {allowed(judge.column)}"
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def _number(value: float, judge: Judge) -> int | float | None:
    if math.isnan(value):
        return None
    return int(value) if isinstance(judge, NumberJudge) and judge.whole and value.is_integer() else value


def _floats(cells: Array) -> Floats:
    return np.asarray(cells.to_pylist() if cells.null_count else cells.to_numpy(), np.float64)


def _days(cells: Array) -> Floats:
    """Exactly as `days.to_days` gives them, or infinite where they are too far off for that."""
    if DataType.is_date32(cells.type):
        return _floats(cells.cast(DataType.int32()).cast(FLOAT))
    ticks = _floats(cells.cast(INTEGER).cast(FLOAT)).copy()
    ticks[np.abs(ticks) >= EXACT] = np.inf
    return ticks / (SECONDS_OF_DAY * UNITS[cells.type.time_unit or "ms"])
