"""The pattern of dates is that of the dates, and of no others."""

from __future__ import annotations

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from app.span import pattern


@given(st.dates(), st.dates(), st.dates())
def test_it_takes_what_lies_between_and_nothing_else(one: date, other: date, asked: date) -> None:
    low, high = sorted((one, other))
    found = re.fullmatch(pattern(low.isoformat(), high.isoformat()), asked.isoformat())
    assert (found is not None) == (low <= asked <= high)


@given(st.dates(), st.dates())
def test_it_takes_both_ends(one: date, other: date) -> None:
    low, high = (day.isoformat() for day in sorted((one, other)))
    assert re.fullmatch(pattern(low, high), low)
    assert re.fullmatch(pattern(low, high), high)
