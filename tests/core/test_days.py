"""Dates travel as days since 1970 and come back as they were."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.days import to_days, to_text

DAYS = {
    "1970-01-01": 0,
    "1970-01-02": 1,
    "1969-12-31": -1,
    "2008-12-01": 14214,
    "1970-01-01T12:00:00": 0.5,
    "1969-12-31T18:00:00": -0.25,
}


@pytest.mark.parametrize(("text", "days"), DAYS.items())
def test_the_days_of_a_date_and_the_date_of_days(text, days):
    assert (to_days(text), to_text(days)) == (days, text)


@pytest.mark.parametrize("text", ["2008-12-01T02:00:00+02:00", "2008-11-30T21:00-03:00", "2008-12-01T00:00Z"])
def test_a_zone_is_taken_into_account(text):
    assert to_days(text) == 14214


@pytest.mark.parametrize("text", ["", "x", "31/12/2019", "2008-13-01", "2008-02-30", "epoch"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        to_days(text)


@given(st.datetimes(datetime(1800, 1, 1), datetime(2140, 1, 1)))
def test_a_moment_is_the_same_after_a_journey_as_text(moment):
    days = to_days(moment.isoformat())
    assert to_days(to_text(days)) == days
    assert datetime.fromisoformat(to_text(days)) == moment
