"""Dates are read in the form in which the file writes them, and order the rows."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from strangers import ROWS, csv, flats

DAYS = [datetime(2019, 1, 1) + timedelta(days=place) for place in range(ROWS)]
MOMENTS = [day + timedelta(hours=place % 24, minutes=15) for place, day in enumerate(DAYS)]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("%Y-%m-%d", None),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y", "%m/%d/%Y"),
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("%Y%m%dT000000", "%Y%m%dT%H%M%S"),
        ("%Y%m%d", "%Y%m%d"),
        ("%d-%b-%Y", "%d-%b-%Y"),
        ("%d/%m/%y", "%d/%m/%y"),
    ],
)
def test_days(bench, form, said):
    made = bench.of(flats(day=[day.strftime(form) for day in DAYS]))
    column = made.case.columns["day"]
    assert (column.type, column.format, column.time) == ("date", said, False)
    assert made.table["day"].tolist() == DAYS
    assert made.setting("time") == "day"


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p"]
)
def test_moments(bench, form):
    made = bench.of(flats(when=[moment.strftime(form) for moment in MOMENTS]))
    assert made.case.columns["when"].time
    assert made.table["when"].tolist() == MOMENTS


def test_the_one_day_above_twelve_in_the_whole_file_tells_day_from_month(bench):
    rows = 30_000
    days = [f"{1 + place % 12:02d}/{1 + place // 12 % 12:02d}/2020" for place in range(rows)]
    days[17_171] = "25/03/2020"
    columns = {
        "day": days,
        "size": [place % 977 for place in range(rows)],
        "n": [place % 7 for place in range(rows)],
    }
    made = bench.of({**columns, "price": [place % 977 * 3 + place % 7 * 400 for place in range(rows)]})
    assert made.case.columns["day"].format == "%d/%m/%Y"
    assert (made.dataset.rejected, "cannot be told apart" in made.notes) == (0, False)


@pytest.mark.parametrize(("delimiter", "decimal", "form"), [(";", ",", "%d/%m/%Y"), (",", ".", "%m/%d/%Y")])
def test_day_or_month_first_goes_with_the_decimal_mark_where_nothing_tells_and_it_is_said(
    bench, delimiter, decimal, form
):
    days = [f"{1 + place % 12:02d}/{1 + place // 12 % 12:02d}/2020" for place in range(ROWS)]
    columns = flats(day=days)
    columns["area"] = [str(area).replace(".", decimal) for area in columns["area"]]
    columns["price"] = [str(price).replace(".", decimal) for price in columns["price"]]
    made = bench.new(bench.put(csv(columns, delimiter=delimiter)))
    assert made.case.columns["day"].format == form
    assert "day: no day of its dates is above 12" in made.notes


def test_a_date_of_birth_or_one_with_gaps_does_not_order_the_rows(bench):
    gaps = [day.date() if place % 5 else "" for place, day in enumerate(DAYS)]
    made = bench.of(flats(birth_date=[day.date() for day in DAYS], sold=gaps))
    assert made.setting("time") is None
    assert made.case.columns["sold"].optional
    assert made.table["sold"].isna().sum() == 40


def test_the_date_that_the_file_is_sorted_by_orders_the_rows(bench):
    shuffled = [DAYS[place * 77 % ROWS].date() for place in range(ROWS)]
    made = bench.of(flats(seen=shuffled, sold=[day.date() for day in DAYS]))
    assert made.setting("time") == "sold"
    assert made.setting("holdout") == 0.2


def test_wrong_dates_cost_their_rows(bench):
    made = bench.of(flats(day=[*(day.strftime("%d/%m/%Y") for day in DAYS[:-1]), "31/02/2019"]))
    assert made.dataset.rejected == 1
    assert "day: 1 cell with no dates ('31/02/2019')" in made.notes
    assert made.table["day"].max() == pd.Timestamp(DAYS[-2])
