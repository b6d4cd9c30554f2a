"""The target of a classification, and levels that are written in several ways."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet as pq
import pytest

from esteira.data.report import Report

CLASSES = (
    ("target: Price", "target: Kind"),
    ("task: regression", "task: classification"),
    ("candidates: [linear_regression]", "candidates: [decision_tree]"),
)


def report_of(dataset):
    return Report.model_validate_json(dataset.report_path.read_bytes())


def reasons(dataset):
    return {drop.reason: drop.rows for drop in report_of(dataset).steps[0].drops}


def test_a_missing_or_unknown_class_is_kept_aside(bench, csv, flats):
    bench.put(csv([*flats, "1,1,,1,1", "1,1, NA ,1,1", "1,1,hut,1,1"]))
    dataset = bench.clean(*CLASSES, ("{files: flats.csv}", "{files: flats.csv, missing: [NA]}"))
    assert dataset.rows_out == 60
    assert reasons(dataset) == {"Kind: missing": 2, "Kind: not one of flat, house": 1}


def test_a_target_is_never_optional_and_needs_no_words_in_the_case(bench, csv, flats):
    bench.put(csv([*flats, "1,1,,1,1", "1,1,hut,1,1"]))
    dataset = bench.clean(*CLASSES, ("  Kind:  {type: category, levels: [flat, house]}\n", ""))
    assert set(pd.read_parquet(dataset.path)["Kind"]) == {"flat", "house", "hut"}
    assert reasons(dataset) == {"Kind: missing": 1}


def test_whole_numbers_may_be_classes(bench, csv, flats):
    bench.put(csv([*flats, "1,4,flat,1,1"]))
    dataset = bench.clean(("target: Price", "target: City"), *CLASSES[1:])
    assert str(pq.read_schema(dataset.path).field("City").type) == "int8"
    assert reasons(dataset) == {"City: not one of 1, 2, 3": 1}


def test_the_report_shows_how_often_each_class_occurs(bench, csv, flats, caplog):
    caplog.set_level("INFO")
    bench.put(csv([*flats, *["9,1,flat,1,1"] * 20]))
    dataset = bench.clean(*CLASSES)
    assert [(bar.label, bar.rows) for bar in report_of(dataset).classes] == [("flat", 50), ("house", 30)]
    assert "Classes of Kind: flat 50 (62.5%), house 30 (37.5%)" in caplog.text
    assert "Classes of Kind" in dataset.page_path.read_text(encoding="utf-8")


def test_classes_beyond_those_shown_are_counted_as_one(bench, csv, flats):
    bench.put(csv([row.replace("flat", f"flat {place}") for place, row in enumerate(flats)]))
    dataset = bench.clean(*CLASSES, (", levels: [flat, house]", ""))
    *shown, others = report_of(dataset).classes
    assert (shown[0].label, len(shown), others.label, others.rows) == ("house", 24, "all others", 7)


def test_a_regression_has_no_classes(bench, csv, flats, caplog):
    caplog.set_level("INFO")
    bench.put(csv(flats))
    assert report_of(bench.clean()).classes == ()
    assert "Classes" not in caplog.text


@pytest.mark.parametrize("optional", ["", ", optional: true"])
def test_levels_in_other_capitals_become_the_level_as_the_case_spells_it(bench, optional):
    column = f"{{type: category, levels: ['Yes', Não], ignore_case: true{optional}}}"
    values, aside = bench.read(column, "Yes", "yes", " YES ", "NÃO", "não", "Não", "Y")
    assert values == ["Yes", "Yes", "Não", "Não", "Não"]
    assert aside == {"Y": "X: not one of Yes, Não"}


def test_levels_in_other_capitals_are_others_by_default(bench):
    values, aside = bench.read("{type: category, levels: ['Yes', 'No']}", "Yes", "No", "no")
    assert (values, aside) == (["No"], {"no": "X: not one of Yes, No"})
