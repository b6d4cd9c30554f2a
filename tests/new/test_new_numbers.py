"""Numbers are read as they are written, whatever marks and signs they carry."""

import pytest
from strangers import ROWS, csv, flats

AMOUNTS = [1234.5 + 977.25 * place for place in range(ROWS)]


def brazilian(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([brazilian(one) for one in AMOUNTS], {"decimal": ",", "thousands": "."}),
        ([f"R$ {brazilian(one)}" for one in AMOUNTS], {"decimal": ",", "thousands": ".", "symbol": "R$"}),
        ([f"{one:.2f}".replace(".", ",") for one in AMOUNTS], {"decimal": ","}),
        ([f'"${one:,.2f} "' for one in AMOUNTS], {"thousands": ",", "symbol": "$"}),
        ([f"{one:.2f} %" for one in AMOUNTS], {"symbol": "%"}),
        ([f"{one:.2f} km" for one in AMOUNTS], {"symbol": "km"}),
        ([f"{one:,.2f}".replace(",", " ") for one in AMOUNTS], {"thousands": " "}),
    ],
)
def test_marks_and_signs(bench, written, said):
    made = bench.new(bench.put(csv(flats(fee=written), delimiter="," if '"' in written[0] else ";")))
    column = made.column("fee")
    assert {key: column[key] for key in column if key in ("decimal", "thousands", "symbol")} == said
    assert made.table["fee"].tolist() == pytest.approx(AMOUNTS)
    assert "could be read" not in made.notes


def test_whole_amounts_with_a_sign_and_thousands(bench):
    made = bench.of(flats(fee=[f'"R${8000 + 100 * place:,}"' for place in range(ROWS)]))
    assert made.table["fee"].tolist() == [8000 + 100 * place for place in range(ROWS)]
    assert made.column("fee")["unit"] == "R$"


@pytest.mark.parametrize(("other", "value"), [("7,25", 1250.0), ("7.25", 1.25)])
def test_a_doubtful_mark_is_read_as_the_rest_of_the_file_and_said(bench, other, value):
    columns = flats(doubtful=["1.250", "2.375"] * 100, sure=[other] * 199 + [other.replace("7", "8")])
    rounded = {**columns, "area": range(ROWS), "price": [place * place % 997 for place in range(ROWS)]}
    made = bench.new(bench.put(csv(rounded, delimiter=";")))
    assert made.table["doubtful"].iloc[0] == value
    assert "doubtful: its numbers could be read with" in made.notes


def test_codes_with_leading_zeros_are_not_numbers(bench):
    made = bench.of(flats(code=["00123", "04567", "00999", "12345"] * 50))
    assert made.column("code")["type"] == "category"
    assert "00123" in set(made.table["code"])


def test_counts_start_at_zero_and_no_range_stops_a_plausible_value(bench):
    made = bench.of(flats(change=[place % 77 - 50 for place in range(ROWS)]))
    assert made.column("rooms") == {"type": "integer", "min": 0}
    assert made.column("area") == {"type": "number", "min": 0.0}
    assert made.column("change") == {"type": "integer"}


def test_a_few_cells_that_are_no_numbers_cost_their_rows_and_are_shown(bench):
    fee = [*AMOUNTS[:-2], "12a", "3/4"]
    made = bench.of(flats(fee=fee))
    assert made.dataset.rejected == 2
    assert "fee: 2 cells with no numbers ('12a', '3/4'): their rows are rejected" in made.notes
