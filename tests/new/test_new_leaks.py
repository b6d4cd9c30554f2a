"""A column that holds the target is commented out with the evidence; one that merely tells much is not."""

import random

from strangers import ROWS, flats


def noisy(values, share, seed=1):
    chance = random.Random(seed)  # noqa: S311
    return [round(value * (1 + chance.uniform(0, share)), 3) for value in values]


def test_a_copy_of_the_target_is_commented_out_with_the_evidence(bench):
    made = bench.of(flats(fee=noisy(flats()["price"], 0.01)))
    assert "fee" not in made.case.columns
    assert "  # fee: {type: number" in made.text
    assert "probably leaks the target: alone it gives an R²" in " ".join(made.text.split())
    assert "fee probably leaks the target" in made.notes


def test_a_total_that_holds_the_target_is_found_though_it_predicts_it_less_well(bench):
    rent, chance = flats()["price"], random.Random(5)  # noqa: S311
    total = [round(one * chance.uniform(1.0, 1.4), 2) for one in rent]
    made = bench.of(flats(total=total))
    assert "total" not in made.case.columns
    assert "never below the target" in made.notes


def test_a_code_of_the_class_is_found(bench):
    columns = flats(kind=["a", "b", "b", "a"] * 50, result=["won", "lost", "lost", "won"] * 50)
    made = bench.of(columns, "kind")
    assert "result" not in made.case.columns
    assert "alone it gives an AUC of 1.000" in made.notes


def test_a_column_filled_only_for_one_class_is_found(bench):
    made = bench.of(
        flats(kind=["a", "b"] * 100, paid=[place if place % 2 else "" for place in range(ROWS)]), "kind"
    )
    assert "paid" not in made.case.columns


def test_a_strong_column_stays_and_deserves_a_look(bench):
    chance = random.Random(4)  # noqa: S311
    made = bench.of(flats(fee=[round(price * chance.uniform(0.75, 1.25), 2) for price in flats()["price"]]))
    assert {"fee", "area"} <= set(made.case.columns)


def test_the_line_of_a_leak_is_a_column_when_its_sign_is_taken_away(bench):
    made = bench.of(flats(fee=noisy(flats()["price"], 0.01)))
    made.written.case.write_text(made.text.replace("  # fee: {", "  fee: {"), encoding="utf-8")
    again = bench.reread(made)
    assert "fee" in again.case.columns
    assert again.dataset.rows_out == ROWS
