"""How dates may be written: the words of strptime that read a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, partial
from itertools import islice

from esteira import days
from esteira.columns import Date
from esteira.new.habits import Habits
from esteira.new.readings import Reading, Samples

_DAYS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y.%m.%d", "%Y%m%d",
    "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y",
    "%d %B %Y", "%d/%b/%Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%b-%d-%Y", "%d%b%Y", "%a %b %d %Y",
    "%Y-%m", "%Y/%m", "%m/%Y", "%b-%Y", "%b %Y", "%B %Y", "%b-%y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", "T%H%M%S", "T%H:%M:%S.%f", "T%H:%M", " %I:%M %p",
    " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S", " - %H:%M", "T%H:%M:%SZ", "T%H%M%SZ", " %H:%M:%S UTC",
)  # fmt: skip
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_YEARS = range(1800, 2101)
_LOOKED_AT = 300
_FEWEST = 0.95


def readings(samples: Samples, habits: Habits) -> list[Reading]:
    """The ways to read a column as dates, the likeliest first; none unless nearly all of the sample fits."""
    texts = dict(islice(samples.items(), _LOOKED_AT))
    if not texts:
        return []
    if _fit(texts, _is_iso) >= _FEWEST:
        return [Reading(Date(type="date", optional=True, time=True))]
    fits = {form: _fit(texts, partial(_reads, form=form)) for form in _first(texts)}
    best = max(fits.values(), default=0.0)
    forms = [form for form, fit in fits.items() if fit >= max(_FEWEST, best)]
    forms.sort(key=lambda form: _is_day_first(form, habits) != habits.day_first)
    return [_reading(form, forms, habits) for form in forms]


def _first(texts: Samples) -> Iterator[str]:
    """The formats that read one of the first few texts."""
    some = list(islice(texts, 3))
    for form in dict.fromkeys(form for text in some for form in _by_shape().get(_shape(text), ())):
        if any(_reads(text, form) for text in some):
            yield form


@cache
def _by_shape() -> dict[str, list[str]]:
    """The formats by the shape of what they read: to try them all would take a second."""
    found: dict[str, list[str]] = {}
    for day in _DAYS:
        for time in _TIMES:
            shape = _shape(re.sub("%[abBp]", "x", re.sub("%[YymdHIMSf]", "1", day + time)))
            found.setdefault(shape, []).append(day + time)
    return found


def _shape(text: str) -> str:
    """A text with each number as 0 and each word as A."""
    return re.sub("[0-9]+", "0", re.sub(r"[^\W\d_]+", "A", text))


def _fit(texts: Samples, reads: Callable[[str], bool]) -> float:
    return sum(times for text, times in texts.items() if reads(text)) / sum(texts.values())


def _is_iso(text: str) -> bool:
    if not _ISO.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _reads(text: str, form: str) -> bool:
    if form.startswith("%Y%m%d") and not text[:8].isdigit():
        return False
    try:
        return datetime.strptime(text, form).year in _YEARS
    except ValueError:
        return False


def _is_day_first(form: str, habits: Habits) -> bool:
    """A form that tells day from month by itself goes with either habit."""
    if form.startswith(("%d/%m", "%d-%m", "%d.%m")):
        return True
    return not form.startswith(("%m/%d", "%m-%d")) and habits.day_first


def _reading(form: str, forms: list[str], habits: Habits) -> Reading:
    doubt = None
    if len(forms) > 1:
        first = "the day first" if _is_day_first(form, habits) else "the month first"
        doubt = (
            f"no day of its dates is above 12, so day and month cannot be told apart; "
            f"{first} was taken, because {habits.why_days}"
        )
    return Reading(Date(type="date", optional=True, format=form, time=True), (f"dates as {form}",), doubt)


def to_days(text: str, form: str | None) -> float:
    """The days since 1970 of a date as the file writes it; raises ValueError where it is none."""
    if form is None:
        return days.to_days(text)
    return days.to_days(datetime.strptime(text, form).isoformat())
