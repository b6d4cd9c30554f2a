"""A case file says what it means, or is told in one sentence what is wrong."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from esteira import casefile
from esteira.casefile import CaseError
from esteira.columns import Integer, json_name
from esteira.rules import IqrOutliers
from esteira.settings import PROJECT

GOOD = {
    "title": "Flats",
    "source": {"files": "flats.csv"},
    "target": "price",
    "task": "regression",
    "columns": {"area": {"type": "integer", "min": 1, "max": 500}, "kind": {"type": "category"}},
    "clean": ["drop_duplicates", {"iqr_outliers": {"factor": 3.0, "columns": ["area"]}}],
    "train": {"candidates": ["linear_regression", {"random_forest": {"trees": 5}}]},
}


def write(folder: Path, **changes: object) -> Path:
    (folder / "flats.yaml").write_text(yaml.safe_dump({**GOOD, **changes}))
    return folder


def test_a_case_of_a_dozen_lines_is_enough(tmp_path):
    case = casefile.load(write(tmp_path), "flats")
    assert case.name == "flats"
    assert list(case.features) == ["area", "kind"]
    assert case.clean[1] == IqrOutliers(factor=3.0, columns=("area",))
    assert [one.kind for one in case.train.candidates] == ["linear_regression", "random_forest"]


def test_every_case_in_the_box_is_valid():
    names = casefile.names(PROJECT / "casos")
    assert "imoveis" in names
    for name in names:
        casefile.load(PROJECT / "casos", name)


def test_a_target_among_the_columns_is_not_a_feature(tmp_path):
    columns = {**GOOD["columns"], "price": {"type": "integer", "min": 1}}
    case = casefile.load(write(tmp_path, columns=columns), "flats")
    assert list(case.features) == ["area", "kind"]
    assert case.target_column == Integer(type="integer", min=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"colums": {}}, "colums: is not a known key"),
        ({"columns": {}}, "columns"),
        ({"columns": {"area": {"type": "integer", "min": 9, "max": 1}}}, "min 9 is above max 1"),
        ({"columns": {"area": {"type": "category", "levels": [True, False]}}}, "put them in quotes"),
        ({"clean": [{"iqr_outliers": {"columns": ["kind"]}}]}, "'kind' has no quartiles"),
        ({"train": {"candidates": ["logistic_regression"]}}, "'logistic_regression' cannot do a regression"),
        ({"train": {**GOOD["train"], "metric": "f1"}}, "'f1' is not for a regression; it can be r2"),
        (
            {"train": {**GOOD["train"], "time": "area"}},
            "'area' must be one of the columns, with the type date",
        ),
        ({"train": {**GOOD["train"], "folds": 1}}, "it can be 0, or 2 to 10"),
        ({"train": {**GOOD["train"], "imbalance": "smote"}}, "a regression has no classes"),
        ({"columns": {"area": {"type": "whole"}}}, "'whole' is not known; it can be 'integer', 'number'"),
        ({"columns": {"area": {"type": "integer", "minimum": 1}}}, "columns.area.integer.minimum"),
        ({"columns": {"area": {"type": "integer", "min": "low"}}}, "'low'"),
        ({"columns": {"kind": {"type": "category", "levels": ["a", "a"]}}}, "different values"),
        ({"columns": {"price": {"type": "integer"}}}, "at least one column besides the target"),
        ({"columns": {"price": {"type": "category"}, "a": {"type": "integer"}}}, "columns.price"),
        ({"columns": {"a b": {"type": "integer"}, "a_b": {"type": "integer"}}}, "'a_b' in JSON"),
        ({"clean": ["drop_everything"]}, "'drop_everything' is not known; it can be 'drop_duplicates'"),
        ({"clean": [{"drop_missing": {"columns": ["rooms"]}}]}, "there is no column 'rooms'"),
        ({"train": {"candidates": ["magic"]}}, "'magic' is not known; it can be 'linear_regression'"),
        ({"train": {"candidates": []}}, "train.candidates"),
        ({"train": {"candidates": ["decision_tree", "decision_tree"]}}, "named once"),
        ({"train": {"candidates": ["decision_tree"], "log_target": True}}, "positive target"),
        ({"gate": {"accuracy": 0.9}}, "gate.accuracy"),
        ({"example": {"area": 3}}, "example: must name each column once; look at kind"),
        ({"example": {"area": "3", "kind": "a"}}, "example.area: '3' is no whole number"),
        ({"example": {"area": 3.5, "kind": "a"}}, "example.area: 3.5 is no whole number"),
        ({"example": {"area": 0, "kind": "a"}}, "example.area: 0 is below the column's min"),
        ({"example": {"area": 501, "kind": "a"}}, "example.area: 501 is above the column's max"),
        ({"example": {"area": None, "kind": "a"}}, "example.area: None needs the column to be optional"),
        ({"example": {"area": 3, "kind": 4}}, "example.kind: 4 is no text; put it in quotes"),
        ({"columns": {"area": {"type": "integer", "max": 2**63}}}, "columns.area.max: 9223372036854775808"),
        ({"columns": {"area": {"type": "integer", "min": -(2**53) - 1}}}, "is beyond 9,007,199,254,740,992"),
        ({"train": {"candidates": ["ensemble"]}}, "an ensemble is made of other candidates"),
        ({"columns": {"seen": {"type": "date", "min": date(2020, 1, 1), "max": "soon"}}}, "soon"),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path, changes, expected):
    with pytest.raises(CaseError) as error:
        casefile.load(write(tmp_path, **changes), "flats")
    assert expected in str(error.value)
    assert str(tmp_path / "flats.yaml") in str(error.value)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ({"type": "number"}, "low", "'low' is no number"),
        ({"type": "number", "max": 1.5}, 2, "2 is above the column's max"),
        ({"type": "category", "levels": [1, 2]}, "1", "'1' is none of its levels"),
        ({"type": "category", "levels": [1, 2]}, 1.0, "1.0 is none of its levels"),
        ({"type": "category", "levels": ["a"]}, "A", "'A' is none of its levels"),
        ({"type": "date"}, "yesterday", "'yesterday' is no date in ISO 8601"),
        ({"type": "date"}, 20200101, "20200101 is no date; put it in quotes"),
        ({"type": "date"}, "2020-01-01T10:00:00", "is not a day alone"),
        ({"type": "date", "min": "2020-01-02"}, "2020-01-01", "is below the column's min"),
    ],
)
def test_an_example_that_the_api_would_refuse_is_named(tmp_path, column, value, expected):
    with pytest.raises(CaseError) as error:
        casefile.load(write(tmp_path, columns={"x": column}, clean=[], example={"x": value}), "flats")
    assert "example.x: " in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ({"type": "integer", "min": 1, "max": 2**53}, 27.0),
        ({"type": "number", "optional": True}, None),
        ({"type": "category", "levels": ["Yes"], "ignore_case": True}, "yES"),
        ({"type": "category"}, "anything"),
        ({"type": "date"}, date(2020, 1, 1)),
        ({"type": "date", "time": True}, "2020-01-01T10:00:00-03:00"),
    ],
)
def test_an_example_that_the_api_would_take_is_taken(tmp_path, column, value):
    case = casefile.load(write(tmp_path, columns={"x": column}, clean=[], example={"x": value}), "flats")
    assert case.example is not None


@pytest.mark.parametrize("key", ["2020-01-01", "No", "on", "1", "1.5", "~"])
def test_a_column_whose_name_yaml_takes_for_something_else_is_to_be_quoted(tmp_path, key):
    text = yaml.safe_dump({**GOOD, "clean": []})
    (tmp_path / "flats.yaml").write_text(text.replace("  area:", f"  {key}:"))
    with pytest.raises(CaseError, match=rf"flats\.yaml.*the key {key} is no text; put it in quotes"):
        casefile.load(tmp_path, "flats")
    (tmp_path / "flats.yaml").write_text(text.replace("  area:", f"  '{key}':"))
    assert list(casefile.load(tmp_path, "flats").features) == [key, "kind"]


def test_an_anchor_and_what_is_merged_from_it_are_yaml_like_any_other(tmp_path):
    text = yaml.safe_dump({**GOOD, "clean": []})
    text = text.replace("  area:\n", "  area: &size\n") + "\n"
    text = text.replace("  kind:", "  side: {<<: *size, max: 9}\n  kind:")
    (tmp_path / "flats.yaml").write_text(text)
    assert casefile.load(tmp_path, "flats").features["side"] == Integer(type="integer", min=1, max=9)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("title: &a [*a]", r"holds an alias"),
        ("title: 2020-13-45", r"is not YAML: month must be in 1\.\.12"),
        ("[" * 5_000, r"is not YAML"),
    ],
)
def test_whatever_keeps_a_file_from_being_read_names_it(tmp_path, content, expected):
    (tmp_path / "odd.yaml").write_text(content)
    with pytest.raises(CaseError, match=rf"odd\.yaml {expected}"):
        casefile.load(tmp_path, "odd")


@pytest.mark.parametrize("at", ["read_text", "is_file"])
def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch, at):
    def refused(*given, **named):
        raise PermissionError(13, "Permission denied")

    write(tmp_path)
    monkeypatch.setattr(Path, at, refused)
    with pytest.raises(CaseError, match=r"flats\.yaml cannot be read: Permission denied"):
        casefile.load(tmp_path, "flats")


def test_a_mistyped_case_is_met_with_the_nearest_name(tmp_path):
    with pytest.raises(CaseError, match=r"did you mean 'flats'"):
        casefile.load(write(tmp_path), "flat")


@pytest.mark.parametrize("name", ["predict", "ping", "invocations", "v2", "problems"])
def test_a_case_is_not_called_as_a_path_of_the_api(tmp_path, name):
    (write(tmp_path) / "flats.yaml").rename(tmp_path / f"{name}.yaml")
    with pytest.raises(CaseError, match=rf"'{name}' is a path of the API; give the file another name"):
        casefile.load(tmp_path, name)


@pytest.mark.parametrize("content", ["- a list", "a: [unclosed", "just words"])
def test_what_is_not_a_mapping_is_refused(tmp_path, content):
    (tmp_path / "odd.yaml").write_text(content)
    with pytest.raises(CaseError, match=r"odd\.yaml"):
        casefile.load(tmp_path, "odd")


def test_blanks_in_a_column_name_become_underscores_in_json():
    assert json_name("White Marble") == "White_Marble"


def test_a_case_that_says_nothing_of_releases_gets_one_container_without_a_canary(tmp_path):
    release = casefile.load(write(tmp_path), "flats").release
    assert (release.replicas, release.canary, release.shadow, release.keep) == (1, 0, 0, 3)
    assert (release.bake, release.errors, release.p99_ratio, release.agreement) == (30, 0.01, 1.5, None)


def test_a_case_says_how_its_versions_go_live(tmp_path):
    words = {"replicas": 2, "canary": 10, "bake": 60, "shadow": 25, "agreement": 0.9, "p99_ratio": 2}
    release = casefile.load(write(tmp_path, release=words), "flats").release
    assert {name: getattr(release, name) for name in words} == words


@pytest.mark.parametrize(
    "words",
    [
        {"replicas": 0},
        {"replicas": 9},
        {"canary": 51},
        {"bake": 0},
        {"shadow": 101},
        {"errors": 1},
        {"p99_ratio": 0.9},
        {"agreement": 1.1},
        {"keep": -1},
    ],
)
def test_a_limit_that_makes_no_sense_is_named(tmp_path, words):
    (name,) = words
    with pytest.raises(CaseError, match=f"release.{name}"):
        casefile.load(write(tmp_path, release=words), "flats")
