"""The task, the classes and how they are learned are decided from the target, and said."""

import random

import pytest
from strangers import ROWS, flats


def classes(*cells: object, repeat: int = 50) -> dict:
    """The flats with another target."""
    columns = flats(kind=list(cells) * repeat)
    del columns["price"]
    return columns


@pytest.mark.parametrize(
    ("cells", "levels"),
    [
        (["Yes", "No", "No", "No"], ("No", "Yes")),
        (["Sim", "Não", "Não", "Sim"], ("Não", "Sim")),
        ([1, 0, 0, 1], (0, 1)),
        (["True", "False", "False", "True"], ("False", "True")),
        (["calm", "gale", "calm", "calm"], ("calm", "gale")),
        (["b", "c", "a", "a"], ("a", "b", "c")),
        ([3, 1, 2, 2], (1, 2, 3)),
    ],
)
def test_texts_flags_and_few_whole_numbers_are_classes_with_the_yes_or_the_rarer_last(bench, cells, levels):
    made = bench.of(classes(*cells), "kind")
    assert (made.case.task, made.case.target_column.levels) == ("classification", levels)
    assert made.dataset.rejected == 0


def test_classes_in_several_spellings_are_one(bench):
    made = bench.of(classes("Yes", "yes", "no", "yes", "no", "NO", "no", "yes", repeat=25), "kind")
    assert made.case.target_column.levels == ("no", "yes")
    assert made.case.target_column.ignore_case


def test_a_class_of_one_row_is_left_out_and_its_row_rejected(bench):
    made = bench.of(classes(*["a", "b"] * 99, "a", "odd", repeat=1), "kind")
    assert made.case.target_column.levels == ("a", "b")
    assert made.dataset.rejected == 1
    assert "classes 'odd' (1) have fewer than 10 rows" in made.notes


def test_rows_without_a_target_are_rejected_and_said_and_the_run_goes_on(bench):
    columns = flats()
    columns["price"] = [price if place % 3 == 0 else "" for place, price in enumerate(columns["price"])]
    made = bench.of(columns)
    assert (made.dataset.rows_out, made.dataset.rejected) == (67, 133)
    assert made.case.source.max_rejected == 0.8
    assert "the target price is missing in 133 of 200 rows: they are rejected" in made.notes


def test_a_usual_number_is_learned_as_it_is(bench):
    made = bench.of(flats())
    assert (made.case.task, made.case.metric, made.setting("log_target")) == ("regression", "rmse", False)
    assert [one.kind for one in made.case.train.candidates] == [
        "ridge", "decision_tree", "random_forest", "extra_trees", "hist_gradient_boosting", "ensemble",
    ]  # fmt: skip
    assert (made.setting("folds"), made.setting("holdout"), made.setting("search").seconds) == (5, 0.2, 60)


def skewed(**changed: float) -> dict:
    chance = random.Random(3)  # noqa: S311
    columns = flats()
    columns["price"] = [round(chance.lognormvariate(7, 1), 2) for _ in columns["area"]]
    for place, price in changed.items():
        columns["price"][int(place[1:])] = price
    return columns


def test_a_skewed_positive_target_is_learned_as_its_logarithm(bench):
    made = bench.of(skewed())
    assert (made.setting("log_target"), made.case.metric) == (True, "r2_log")
    assert made.case.target_column.min > 0
    assert made.dataset.rejected == 0
    assert "it is skewed, half below" in made.text


def test_a_target_of_zero_rules_the_logarithm_out(bench):
    made = bench.of(skewed(_5=0))
    assert (made.setting("log_target"), made.dataset.rejected) == (False, 0)


def test_sale_prices_among_rents_deserve_a_note(bench):
    made = bench.of(skewed(_5=90_000_000))
    assert "the target price goes up to 90,000,000" in made.notes


@pytest.mark.parametrize(
    ("cells", "metric", "imbalance"),
    [
        (["a", "b", "c", "d"], "accuracy", "none"),
        (["a"] * 17 + ["b", "b", "c"], "balanced_accuracy", "class_weights"),
        (["a"] * 19 + ["b"], "roc_auc", "none"),
    ],
)
def test_metric_and_weights_go_with_the_balance_of_the_classes(bench, cells, metric, imbalance):
    made = bench.of(classes(*cells, repeat=ROWS // len(cells)), "kind")
    assert (made.case.metric, made.setting("imbalance")) == (metric, imbalance)


def test_svc_competes_on_a_small_file_only(bench):
    rows = 6_000
    many = {"size": [place % 91 for place in range(rows)], "kind": ["a", "b", "c"] * 2_000}
    small, large = bench.of(classes("a", "b", repeat=100), "kind"), bench.of(many, "kind", "large.csv")
    assert "svc" in {one.kind for one in small.case.train.candidates}
    assert "svc" not in {one.kind for one in large.case.train.candidates}
    assert "svc is left out" in large.text
