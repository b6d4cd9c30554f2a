"""Dates as numbers: days since 1970-01-01 as a float, hours and minutes as its fraction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def to_days(text: str) -> float:
    """The days of an ISO 8601 date, with or without a time; raises ValueError for anything else.

    A time zone is taken into account; without one the time is taken as it is.
    """
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) / _DAY


def to_text(days: float) -> str:
    """The ISO 8601 date of a number of days; the time is written if there is one.

    Between 1800 and 2140 `to_days` gives the same number again.
    """
    moment = _EPOCH + days * _DAY
    whole = moment.replace(tzinfo=None)
    return whole.date().isoformat() if days == int(days) else whole.isoformat()
