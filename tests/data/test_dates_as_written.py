"""Dates are read in the words of strptime, or as ISO 8601, and become moments without a zone."""

from __future__ import annotations

from datetime import datetime

import pyarrow.parquet as pq
import pytest

from esteira.data.report import Report

DAY = datetime(2019, 12, 31)
READ = {
    "{type: date}": {
        "2019-12-31": DAY,
        " 2019-12-31T10:00 ": DAY,
        "2019-12-31 23:00:00-03:00": datetime(2020, 1, 1),
    },
    "{type: date, time: true}": {
        "2019-12-31": DAY,
        "2019-12-31T10:00": datetime(2019, 12, 31, 10),
        "2019-12-31 10:00:05": datetime(2019, 12, 31, 10, 0, 5),
        "2019-12-31T10:00:05.25Z": datetime(2019, 12, 31, 10, 0, 5, 250_000),
        "2019-12-31T22:00:00-03:00": datetime(2020, 1, 1, 1),
        "2019-12-31T10:00+0530": datetime(2019, 12, 31, 4, 30),
    },
    "{type: date, format: '%d/%m/%Y'}": {
        "31/12/2019": DAY,
        "1/2/2019": datetime(2019, 2, 1),
        " 31/12/2019 ": DAY,
    },
    "{type: date, format: '%Y%m%dT%H%M%S'}": {"20191231T000000": DAY, "20191231T235959": DAY},
    "{type: date, format: '%d/%m/%y %H:%M', time: true}": {"31/12/19 10:05": datetime(2019, 12, 31, 10, 5)},
    "{type: date, format: '%b %d, %Y %I:%M %p', time: true}": {
        "dec 31, 2019 01:05 PM": datetime(2019, 12, 31, 13, 5)
    },
    "{type: date, format: '%Y-%m-%d %H:%M:%S %z', time: true}": {
        "2019-12-31 22:00:00 -0300": datetime(2020, 1, 1, 1)
    },
    "{type: date, format: '%m/%Y'}": {"12/2019": datetime(2019, 12, 1)},
}

REFUSED = {
    "{type: date}": {
        **dict.fromkeys(
            ["31/12/2019", "2019-02-30", "2019", "20191231", "epoch", "infinity", "x"],
            "X: not a date as in ISO 8601",
        ),
        "": "X: missing",
        "0001-01-01": "X: before 1000-01-01",
    },
    "{type: date, format: '%d/%m/%Y'}": {
        **dict.fromkeys(
            ["2019-12-31", "31/02/2019", "12/31/2019", "31/12/2019 10:00", "x"], "X: not a date as %d/%m/%Y"
        ),
        "31/12/19": "X: before 1000-01-01",
    },
    "{type: date, format: '%d/%m/%Y', min: 2008-01-01, max: 2019-12-31}": {
        "31/12/2007": "X: before 2008-01-01",
        "01/01/2020": "X: after 2019-12-31",
    },
    "{type: date, time: true, max: '2019-12-31T12:00'}": {
        "2019-12-31T12:00:01": "X: after 2019-12-31T12:00:00"
    },
}


@pytest.mark.parametrize("column", READ)
def test_a_date_is_read_as_its_column_says(bench, column):
    texts = READ[column]
    assert bench.read(column, next(iter(texts)), *texts) == (list(texts.values()), {})


@pytest.mark.parametrize("column", REFUSED)
def test_a_text_that_does_not_fit_is_kept_aside_as_it_was_with_its_reason(bench, column):
    good = "31/12/2019" if "%d" in column else "2019-12-31"
    reasons = {text or None: said for text, said in REFUSED[column].items()}
    assert bench.read(column, good, *REFUSED[column]) == ([], reasons)


def test_a_missing_date_stays_missing_where_that_is_allowed(bench):
    column = "{type: date, optional: true}"
    read = bench.read(column, "2019-12-31", "", " NA ", "1900-01-01", missing=["NA", "1900-01-01"])
    assert read == ([None] * 3, {})


FEE_AS_DAY = ("{type: number, min: 0, optional: true}", "{type: date, format: '%d/%m/%Y', optional: true}")


def dated(flats, days):
    rows = (row.split(",") for row in flats)
    return [",".join([*row[:3], day, row[4]]) for row, day in zip(rows, days, strict=True)]


@pytest.fixture
def days():
    return [f"{1 + place % 28:02}/{1 + place % 12:02}/{2000 + place % 10}" for place in range(60)]


def test_dates_are_stored_without_a_zone(bench, csv, flats, days):
    bench.put(csv(dated(flats, days)))
    stored = pq.read_schema(bench.clean(FEE_AS_DAY).path).field("Fee").type
    assert str(stored) == "timestamp[us]"


def test_rules_for_numbers_leave_dates_alone(bench, csv, flats, days):
    bench.put(csv(dated(flats, ["01/01/1950", *days[1:]])))
    rules = ("train:", "clean: [drop_duplicates, iqr_outliers]\ntrain:")
    assert bench.clean(FEE_AS_DAY, rules).rows_out == 60


def test_a_row_that_a_rule_rejects_shows_its_day(bench, csv, flats, days):
    bench.put(csv([*dated(flats, days), "999,1,flat,31/12/2019,1000"]))
    rules = ("train:", "clean: [iqr_outliers: {columns: [Area]}]\ntrain:")
    (aside,) = pq.read_table(bench.clean(FEE_AS_DAY, rules).rejected_path).to_pylist()
    assert (aside["Area"], aside["Fee"]) == ("999", "2019-12-31")


def test_the_report_shows_the_range_of_a_date_and_its_bars_by_time(bench, csv, flats, days, caplog):
    caplog.set_level("INFO")
    bench.put(csv(dated(flats, ["", "15/06/1999", *days[2:]])))
    dataset = bench.clean(FEE_AS_DAY)
    fee = Report.model_validate_json(dataset.report_path.read_bytes()).columns[3]
    assert (fee.type, fee.missing, sum(bar.rows for bar in fee.bars)) == ("date", 1, 59)
    assert fee.figures()[::2] == ("1999-06-15", "2009-12-04")
    edges = [bar.label for bar in fee.bars]
    assert (len(edges), edges[0]) == (24, "1999-06-15")
    assert edges == sorted(edges)
    assert "1999-06-15" in dataset.page_path.read_text(encoding="utf-8")
    assert "1999-06-15" in caplog.text
