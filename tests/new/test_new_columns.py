"""What each column becomes: a flag, a level, a number, or nothing, each with its reason in the case."""

import pytest
from strangers import ROWS, flats

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def sentence(place: int) -> str:
    return " ".join(WORDS[place * step % 10] for step in (1, 3, 7, 11, 13)) + f" {place}"


@pytest.mark.parametrize(
    ("cells", "levels"),
    [
        (["yes", "no", "no", "yes"], ("no", "yes")),
        (["Sim", "Não", "Sim", "Não"], ("Não", "Sim")),
        (["True", "False", "False", "True"], ("False", "True")),
        ([0, 1, 1, 0], (0, 1)),
    ],
)
def test_flags_have_two_levels(bench, cells, levels):
    made = bench.of(flats(furnished=cells * 50))
    assert made.column("furnished") == {"type": "category", "levels": levels}
    assert made.dataset.rows_out == ROWS


def test_yes_and_capital_yes_are_the_same_level_spelled_as_most_often(bench):
    made = bench.of(flats(furnished=["yes", "Yes", "no", "yes", "NO", "no", "yes", "no"] * 25))
    assert made.column("furnished") == {"type": "category", "levels": ("no", "yes"), "ignore_case": True}
    assert set(made.table["furnished"]) == {"yes", "no"}


def test_few_frequent_levels_are_closed_but_a_city_is_not(bench):
    made = bench.of(flats(heating=["gas", "oil", "sun", "none at all"] * 50, city=["A", "B", "C", "D"] * 50))
    assert made.column("heating")["levels"] == ("gas", "none at all", "oil", "sun")
    assert made.column("city") == {"type": "category"}
    assert "4 levels, open: a new one is answered with a warning" in made.text


def test_a_level_seen_once_says_that_there_are_others(bench):
    made = bench.of(flats(heating=["gas", "oil"] * 99 + ["sun", "gas"]))
    assert made.column("heating") == {"type": "category"}


def test_many_levels_that_repeat_are_a_category_open_for_others(bench):
    made = bench.of(flats(agent=[f"agent {place % 70}" for place in range(ROWS)]))
    assert made.column("agent") == {"type": "category"}
    assert made.dataset.rows_out == ROWS


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("note", [""] * ROWS, "it holds no value at all"),
        ("note", ["NA"] * ROWS, "it holds no value at all"),
        ("country", ["Brasil"] * ROWS, "every row says 'Brasil'"),
        ("year", [2024] * ROWS, "every row says 2,024"),
        ("", range(ROWS), "it numbers the rows"),
        ("Unnamed: 0", range(7, 7 + ROWS), "it numbers the rows"),
        (
            "customerID",
            [f"{place * 7919 % 9973}-XK" for place in range(ROWS)],
            "an identifier: 200 different",
        ),
        ("id_cliente", [place * 7919 % 99_991 for place in range(ROWS)], "an identifier: 200 different"),
        ("remarks", list(map(sentence, range(ROWS))), "free text: 200 different ones in 200 cells"),
        ("plate", [f"K{place * 31 % 131}" for place in range(ROWS)], "values that hardly repeat"),
    ],
)
def test_what_tells_nothing_of_a_new_row_is_left_out_with_the_reason(bench, name, cells, reason):
    made = bench.of(flats(**{name: cells}))
    called = name or "column_3"
    assert list(made.case.columns) == ["area", "rooms", "price"]
    assert any(called in line and "left out, " in line and reason in line for line in made.text.splitlines())
    assert made.dataset.rows_out == ROWS


def test_a_whole_measure_takes_fractions_too_and_a_count_does_not(bench):
    made = bench.of(flats(size=[place * 37 % 191 for place in range(ROWS)]))
    assert made.column("size")["type"] == "number"
    assert made.column("rooms")["type"] == "integer"


def test_duplicates_are_dropped_unless_an_identifier_was(bench):
    columns = {name: [*cells[:150], *cells[:50]] for name, cells in flats().items()}
    plain = bench.of(columns)
    known = bench.of({"id": range(1000, 1000 + 3 * ROWS, 3), **columns}, name="known.csv")
    assert [rule.kind for rule in plain.case.clean] == ["drop_duplicates"]
    assert (plain.dataset.rows_out, known.dataset.rows_out) == (150, ROWS)
    assert (known.case.clean, "50 rows equal to another but for id" in known.text) == ((), True)


def test_case_variants_among_many_levels_are_pointed_out(bench):
    made = bench.of(
        flats(agent=[f"{'Agent' if place % 2 else 'agent'} {place % 35}" for place in range(ROWS)])
    )
    assert "agent: 35 of its levels differ from others in capitals only" in made.notes


def test_a_value_far_from_all_others_is_pointed_out(bench):
    made = bench.of(flats(size=[46_335, *(50 + place % 90 for place in range(ROWS - 1))]))
    assert "size goes up to 46,335" in made.notes
    assert made.dataset.rows_out == ROWS
