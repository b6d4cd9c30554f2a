"""Numbers are read as people write them, and what does not fit is a fault rather than another number."""

from __future__ import annotations

import pytest

READ = {
    "{type: number, decimal: ',', thousands: .}": {
        "1.234,56": 1234.56,
        "-1.234.567,8": -1234567.8,
        " 12 ": 12,
        "1234,5": 1234.5,
        "1,5e3": 1500,
        ",5": 0.5,
        "+7": 7,
    },
    "{type: integer, thousands: ',', symbol: R$}": {
        "R$8,000": 8000,
        "R$ 1,234.00": 1234,
        "-R$8": -8,
        "- R$ 8": -8,
        "R$ -8": -8,
        "8 R$ ": 8,
        "R$\u00a01,234": 1234,
        "12": 12,
    },
    "{type: number, thousands: ',', symbol: $}": {"$84,835.00 ": 84835, "$.5": 0.5, "-$1,000,000": -1e6},
    "{type: number, thousands: ',', symbol: ₹}": {"₹1,23,456.5": 123456.5, "₹12,34,56,789": 123456789},
    "{type: number, symbol: '%'}": {"45%": 45, " 4.5 %": 4.5, "-3%": -3},
    "{type: number, decimal: ',', thousands: ' '}": {"1 234 567,5": 1234567.5, "1\u202f234": 1234},
    '{type: number, thousands: "\'"}': {"1'234.5": 1234.5, "1’234": 1234},
    "{type: number, symbol: 'Rs. '}": {"Rs. 5": 5, "5 Rs.": 5},
}

REFUSED = {
    "{type: number, decimal: ','}": ["1,2,3", "1.5", "1.234,5", "1e", "12 34", "R$ 5,00"],
    "{type: number, decimal: ',', thousands: .}": [
        "1.23",
        "1234.567",
        "12.3456,7",
        "0.123",
        ".123",
        "1.234.5",
    ],
    "{type: integer, thousands: ',', symbol: R$}": [
        "1,2,3",
        "R$",
        "R$ -",
        "-R$-8",
        "--8",
        "$8",
        "8,00",
        "8.5",
    ],
    "{type: number, symbol: '%'}": ["%", "4 5%", "nan", "inf"],
}


@pytest.mark.parametrize("column", READ)
def test_a_number_is_read_as_its_column_says(bench, column):
    texts = READ[column]
    assert bench.read(column, next(iter(texts)), *texts) == (list(texts.values()), {})


@pytest.mark.parametrize("column", REFUSED)
def test_a_text_that_does_not_fit_is_kept_aside_with_its_reason(bench, column):
    texts = REFUSED[column]
    said = "X: not an integer" if "integer" in column else "X: not a number"
    assert bench.read(column, "5", *texts) == ([], dict.fromkeys(texts, said))


def test_limits_and_missing_values_hold_whatever_the_spelling(bench):
    column = "{type: number, decimal: ',', thousands: ., symbol: R$, min: 0, max: 2000, optional: true}"
    values, reasons = bench.read(column, "R$ 1.000,00", "", "-R$ 1,00", "R$ 2.000,01")
    assert values == [None]
    assert reasons == {"-R$ 1,00": "X: below 0", "R$ 2.000,01": "X: above 2,000"}


def test_a_token_for_a_missing_value_may_look_like_a_number(bench):
    column = "{type: number, decimal: ',', optional: true}"
    read = bench.read(column, "1,5", " -1,00 ", "?", "-1,0", missing=["-1,00", "?"])
    assert read == ([None, None, -1.0], {})
