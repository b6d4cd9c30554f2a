"""What the calendar says of a day, as columns: computed alike by scikit-learn and by the ONNX graph.

A day is a number of days since 1970-01-01, float64. The formulas are arithmetic and numpy's functions
alone, so that they also take the values of a graph that is being built (see `traced`): what is served
is not a second program that could come to differ.
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from esteira.train.features import Doubles

CALENDAR = (
    "year",
    "month",
    "day of year",
    "day of week",
    "month (sine)",
    "month (cosine)",
    "day of year (sine)",
    "day of year (cosine)",
    "day of week (sine)",
    "day of week (cosine)",
)
CLOCK = ("hour", "hour (sine)", "hour (cosine)")

_MARCH_FIRST = 719_468
"""Days from 0000-03-01 to 1970-01-01: an era, and a year, that begins in March has its leap day last."""
_ERA, _CENTURY, _FOUR_YEARS = 146_097, 36_524, 1_460
"""Days of 400 years, of 100 years and of four, the last two without the leap day at their end."""


class Calendar(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turns columns of days into those of CALENDAR, and of CLOCK for those whose time counts.

    The first `dates` columns are days without missing values; `timed` are the places of those with a
    time. What follows them is handed on. The result, float64, holds one word of CALENDAR for each
    date after the other, then of CLOCK, then what was handed on.
    """

    def __init__(self, dates: int, timed: tuple[int, ...]) -> None:
        self.dates = dates
        self.timed = timed

    def fit(self, columns: Doubles, target: object = None) -> Self:  # noqa: ARG002
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, columns: Doubles) -> Doubles:
        days, rest = columns[:, : self.dates], columns[:, self.dates :]
        clocks = clock(days[:, list(self.timed)]) if self.timed else []
        return np.hstack([*calendar(days), *clocks, rest])


def calendar(days: Any) -> list[Any]:
    """The columns of CALENDAR; January and Monday are 1, as is the first day of a year.

    Source: Howard Hinnant, chrono-compatible low-level date algorithms, days_from_civil and
    civil_from_days (http://howardhinnant.github.io/date_algorithms.html), for any day of the proleptic
    Gregorian calendar.
    """
    day = np.floor(days)
    shifted = day + _MARCH_FIRST
    era = np.floor(shifted / _ERA)
    of_era = shifted - era * _ERA
    leaps = np.floor(of_era / _FOUR_YEARS) - np.floor(of_era / _CENTURY) + np.floor(of_era / (_ERA - 1))
    year_of_era = np.floor((of_era - leaps) / 365)
    since_march = of_era - _days_before(year_of_era)
    from_march = np.floor((5 * since_march + 2) / 153)
    month = from_march + 3 - 12 * np.floor(from_march / 10)
    year = year_of_era + 400 * era + np.floor((14 - month) / 12)
    of_year = shifted - 305 - _days_before(year - 1) - np.floor((year - 1) / 400)
    of_week = day + 3 - 7 * np.floor((day + 3) / 7) + 1
    cycles = [*_cycle(month - 1, 12), *_cycle(of_year - 1, 365.25), *_cycle(of_week - 1, 7)]
    return [year, month, of_year, of_week, *cycles]


def clock(days: Any) -> list[Any]:
    """The columns of CLOCK; minutes and seconds are a fraction of the hour."""
    hour = 24 * (days - np.floor(days))
    return [hour, *_cycle(hour, 24)]


def _days_before(years: Any) -> Any:
    """The days of so many years, but for the leap day of each four hundredth."""
    return 365 * years + np.floor(years / 4) - np.floor(years / 100)


def _cycle(passed: Any, length: float) -> list[Any]:
    angle = passed * (2 * np.pi / length)
    return [np.sin(angle), np.cos(angle)]
