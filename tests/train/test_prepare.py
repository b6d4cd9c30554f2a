"""What a training is given: parts, targets, classes, times and samples; and clear words when it cannot be."""

import json

import numpy as np
import pyarrow as pa
import pytest

from esteira import settings
from esteira.days import to_days
from esteira.train import features
from esteira.train import prepare as prepare_module
from esteira.train.columns import SkewError
from esteira.train.prepare import prepare
from esteira.train.prepared import Prepared
from esteira.train.split import HOLDOUT, TRAIN, VALIDATION, SplitError, divide
from mixed import cleaned, mixed, table

PARTS = {"train": TRAIN, "validation": VALIDATION, "holdout": HOLDOUT}


@pytest.fixture
def make(tmp_path):
    now = settings.load({"ESTEIRA_HOME": str(tmp_path / "home")})

    def make(case, rows):
        return prepare(case, cleaned(tmp_path / "mixed.parquet", rows), "one", now)

    return make


def with_classes(sizes: dict[str, int]) -> pa.Table:
    """Rows of `grade`, so many of each."""
    grades = [name for name, rows in sizes.items() for _ in range(rows)]
    rows = table(len(grades))
    return rows.set_column(rows.schema.get_field_index("grade"), "grade", pa.array(grades))


def test_each_row_is_in_one_part_with_its_own_target(make):
    rows = table()
    prepared = make(mixed(), rows)
    split = divide(mixed(), prepared.cleaned.path)
    for part, side in PARTS.items():
        expected = rows["price"].to_numpy()[split.sides == side]
        assert np.array_equal(prepared.target(part), expected)
        assert prepared.target(part).dtype == np.float64
        assert prepared.columns(part).shape == (len(expected), len(prepared.column_names))
    assert prepared.dataset.rows == 3_000
    assert prepared.raw("holdout")["price"].tolist() == prepared.target("holdout").tolist()
    assert prepared.scale == np.std(prepared.target("train"))
    assert prepared.classes is prepared.times() is prepared.since is None


def test_columns_have_zero_mean_unit_variance_and_names_that_differ(make):
    prepared = make(mixed(), table())
    columns = prepared.columns("train")
    assert isinstance(columns, np.memmap)
    assert len(set(prepared.column_names)) == columns.shape[1]
    plain = [place for place, name in enumerate(prepared.column_names) if " is " not in name]
    assert np.allclose(columns[:, plain].mean(axis=0), 0, atol=1e-5)
    assert np.allclose(columns[:, plain].std(axis=0), 1, atol=1e-5)


def test_classes_stand_in_the_order_of_the_case_else_sorted(make):
    sold = make(mixed("sold"), table())
    assert sold.classes == ("yes", "no")
    assert sold.target("holdout").dtype == np.int64
    assert [sold.classes[place] for place in sold.target("holdout")] == sold.raw("holdout")["sold"].tolist()
    assert sold.scale == 1.0
    assert make(mixed("grade"), table()).classes == tuple(f"g{place}" for place in range(7))


def test_whole_numbers_can_be_classes(make):
    case = json.loads(mixed("sold").model_dump_json())
    case["columns"]["sold"] = {"type": "category", "levels": [2, 1, 0]}
    rows = table().drop_columns("sold")
    rows = rows.append_column("sold", pa.array(np.arange(3_000) % 3, pa.int8()))
    prepared = make(type(mixed()).model_validate_json(json.dumps(case)), rows)
    assert prepared.classes == (2, 1, 0)
    assert [prepared.classes[place] for place in prepared.target("holdout")] == prepared.raw("holdout")[
        "sold"
    ].tolist()


def test_a_class_that_training_lacks_is_left_out_of_the_others_with_a_warning(make, caplog):
    rows = table()
    newest = np.argsort(features.doubles(rows["built"].combine_chunks().fill_null(np.datetime64(0, "us"))))
    grades = rows["grade"].to_pylist()
    for row in [*newest[-3:], newest[-400]]:
        grades[row] = "rare"
    rows = rows.set_column(rows.schema.get_field_index("grade"), "grade", pa.array(grades))
    prepared = make(mixed("grade", time="built"), rows)
    assert prepared.classes == tuple(f"g{place}" for place in range(7))
    assert prepared.dataset.rows == 2_996
    assert len(prepared.raw("holdout")) == len(prepared.target("holdout")) == len(prepared.columns("holdout"))
    assert "rare" not in set(prepared.raw("holdout")["grade"]) | set(prepared.raw("validation")["grade"])
    assert "1 rows of the validation part and 3 of the holdout have a class of grade" in caplog.text


def test_one_class_only_is_refused(make):
    with pytest.raises(
        SplitError, match=r"mixed\.parquet: all \d+ rows of the training part have grade = 'a'"
    ):
        make(mixed("grade"), with_classes({"a": 100}))


def test_fifty_rows_are_enough(make):
    for case in (mixed(), mixed("sold"), mixed("grade"), mixed(folds=5), mixed(time="seen")):
        prepared = make(case, table(50))
        assert min(len(prepared.target("train")), len(prepared.target("holdout"))) >= 1
        assert len(prepared.columns("validation")) == prepared.dataset.validation_rows
        assert (prepared.dataset.validation_rows == 0) == (case.train.folds > 0)


def test_with_folds_there_is_no_validation_part(make):
    prepared = make(mixed(folds=3), table())
    assert prepared.dataset.validation_rows == 0
    assert prepared.columns("validation").shape == (0, len(prepared.column_names))


def test_a_sample_is_the_whole_of_a_small_part_and_some_of_a_large_one(make, monkeypatch):
    prepared = make(mixed(), table())
    assert prepared.sample("validation").equals(prepared.raw("validation"))
    monkeypatch.setattr("esteira.train.prepared._SAMPLE_ROWS", 50)
    sample = prepared.sample("holdout")
    assert 25 < len(sample) <= 50
    assert set(sample["price"]) <= set(prepared.target("holdout"))


def test_by_time_the_training_rows_know_their_moments(make):
    rows, case = table(), mixed(time="seen")
    prepared = make(case, rows)
    split = divide(case, prepared.cleaned.path)
    moments = features.doubles(rows["seen"].combine_chunks())[split.sides == TRAIN]
    assert np.array_equal(prepared.times(), moments, equal_nan=True)
    assert np.nanmax(moments) < prepared.since[0] < prepared.since[1]


def test_what_training_saw_of_a_date_is_days(make):
    prepared = make(mixed(), table())
    train = table().filter(divide(mixed(), prepared.cleaned.path).sides == TRAIN).to_pandas()
    assert prepared.seen["built"].min == to_days(train["built"].min().isoformat())
    assert prepared.seen["seen"].max == to_days(train["seen"].max().isoformat())
    assert prepared.seen["area"].min == train["area"].min()
    assert prepared.seen["city"].levels == (1, 2, 3)
    assert "" in prepared.seen["street"].levels


def test_it_says_how_the_rows_were_split(make):
    by_content = make(mixed(), table())
    assert by_content.sentence() == "2,419 rows to train, 306 to validate, 275 held out"
    by_time = make(mixed(time="built"), table())
    validation, holdout = (f"from {day} on" for day in ("2030-06-07", "2055-07-08"))
    assert by_time.sentence() == f"2,400 rows to train, 300 to validate {validation}, 300 held out {holdout}"


def test_it_passes_from_step_to_step_as_json(make):
    prepared = make(mixed("sold", time="built"), table())
    assert Prepared.model_validate_json(prepared.model_dump_json()) == prepared


def test_a_category_that_is_missing_everywhere_is_no_column(make):
    rows = table()
    empty = rows.set_column(rows.schema.get_field_index("city"), "city", pa.nulls(3_000, pa.int64()))
    prepared = make(mixed(), empty)
    assert not [name for name in prepared.column_names if name.startswith("city")]


def test_a_number_or_date_that_is_missing_everywhere_does_no_harm(make):
    rows = table()
    for name, kind in (("age", pa.float64()), ("built", pa.timestamp("us"))):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.nulls(3_000, kind))
    prepared = make(mixed(), rows)
    assert np.isfinite(prepared.columns("train")).all()
    assert not {"age", "built"} & set(prepared.seen)


@pytest.mark.parametrize("row", [0, -1])
def test_a_held_out_row_whose_columns_are_not_scikit_learns_is_refused(make, monkeypatch, row):
    case, rows = mixed(), table()
    write = prepare_module._write

    def differing(case, split, classes, graph, encoded, folder):
        write(case, split, classes, graph, encoded, folder)
        columns = np.load(folder / "holdout_X.npy", mmap_mode="r+")
        columns[row, 0] += 1e-3

    monkeypatch.setattr(prepare_module, "_write", differing)

    with pytest.raises(SkewError, match="differs from scikit-learn"):
        make(case, rows)
