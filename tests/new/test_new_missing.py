"""What stands for a missing value is found, written into the case and read as missing."""

import pytest
from strangers import ROWS, flats


@pytest.mark.parametrize("token", ["NA", "?", "-", "Sem info", "a combinar", "N/D", "null"])
def test_a_word_among_numbers_is_a_missing_number(bench, token):
    made = bench.of(flats(fee=[token if place % 3 == 0 else place + 0.5 for place in range(ROWS)]))
    assert made.case.source.missing == ("", token)
    assert made.column("fee") == {"type": "number", "optional": True}
    assert made.table["fee"].isna().sum() == 67
    assert made.dataset.rejected == 0
    assert f"{token!r} in fee" in made.text


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_blank_cells_are_missing_and_the_column_is_optional(bench, blank):
    made = bench.of(flats(fee=[blank if place % 4 == 0 else place + 0.5 for place in range(ROWS)]))
    assert made.case.columns["fee"].optional
    assert (made.dataset.rejected, made.table["fee"].isna().sum()) == (0, 50)


def test_a_well_known_word_among_texts_is_missing_and_another_is_a_level(bench):
    made = bench.of(flats(wind=["N", "NNW", "NA", "unknown"] * 50))
    assert made.case.source.missing == ("", "NA")
    assert made.column("wind")["levels"] == ("N", "NNW", "unknown")
    assert made.table["wind"].isna().sum() == 50


def test_a_missing_word_that_is_a_level_elsewhere_is_missing_there_too(bench):
    fee = ["none" if place % 5 == 0 else place + 0.5 for place in range(ROWS)]
    made = bench.of(flats(fee=fee, pool=["none", "large", "small", "none"] * 50))
    assert made.case.columns["pool"].optional
    assert made.table["pool"].isna().sum() == 100
    assert "'none' in fee, pool" in made.text


def test_a_rare_token_beyond_any_sample_is_found(bench):
    rows = 30_000
    columns = {
        "size": [place % 977 for place in range(rows)],
        "fee": ["?" if place == 12_345 else place % 101 for place in range(rows)],
        "price": [place % 977 * 3 + place % 7 * 400 for place in range(rows)],
    }
    made = bench.of(columns)
    assert made.case.source.missing == ("", "?")
    assert made.dataset.rejected == 0


def test_blanks_before_a_text_are_no_part_of_it(bench):
    made = bench.of(flats(job=[" clerk", "clerk", " nurse", "nurse "] * 50))
    assert made.column("job")["levels"] == ("clerk", "nurse")
    assert set(made.table["job"]) == {"clerk", "nurse"}


def test_a_filler_of_nines_is_pointed_out(bench):
    made = bench.of(flats(fee=[-999 if place % 9 == 0 else place % 50 for place in range(ROWS)]))
    assert "fee: -999 may stand for a missing value" in made.notes


def test_a_missing_word_is_missing_among_thousands_of_levels_too(bench):
    rows = 20_000
    columns = {
        "agent": ["none" if place % 100 == 0 else f"agent {place % 6_007}" for place in range(rows)],
        "fee": ["none" if place % 5 == 0 else place % 977 for place in range(rows)],
        "price": [place % 977 * 3 + place % 7 * 400 for place in range(rows)],
    }
    made = bench.of(columns)
    assert made.case.columns["agent"].optional
    assert (made.dataset.rejected, made.table["agent"].isna().sum()) == (0, 200)
