"""Reads dates as the raw file writes them, as moments without a zone (that of UTC, where they have one)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from esteira.columns import Date
from esteira.days import to_days

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibis.expr.types import StringValue, TimestampValue

_MOMENT = "timestamp(6)"
_ZONED = "timestamp('UTC', 6)"
_EPOCH = datetime(1970, 1, 1)
_FIRST, _LAST = to_days("1000-01-01"), to_days("9999-12-31")


def read(text: StringValue, column: Date) -> TimestampValue:
    """The moment, or the midnight that begins its day; null for a text that is no date as the column says."""
    found = _iso(text) if column.format is None else _strptime(text, column.format)
    return found if column.time else found.truncate("D")


def limits(column: Date) -> tuple[float, float]:
    """The first and the last day that is allowed, since 1970; a year always has four digits."""
    low, high = column.bounds
    return _FIRST if low is None else low, _LAST if high is None else high


def moment(days: float) -> datetime:
    """What a number of days since 1970 is in the table."""
    return _EPOCH + timedelta(days=days)


def _iso(text: StringValue) -> TimestampValue:
    """ISO 8601 begins with a digit; DuckDB would also take `epoch` for a date."""
    import ibis

    begins = (text >= "0") & (text < ":")
    return ibis.ifelse(begins, text, ibis.null("string")).try_cast(_ZONED).cast(_MOMENT)


def _strptime(text: StringValue, form: str) -> TimestampValue:
    if "%z" in form.replace("%%", ""):
        return _parser(_ZONED)(text, form).cast(_MOMENT)
    return _parser(_MOMENT)(text, form)


@cache
def _parser(result: str) -> Callable[..., Any]:
    """DuckDB's own strptime that gives null; Ibis has only the one that stops."""
    import ibis

    def try_strptime(text: str, form: str) -> Any: ...

    parser: Callable[..., Any] = ibis.udf.scalar.builtin(
        try_strptime, signature=(("string", "string"), result)
    )
    return parser
