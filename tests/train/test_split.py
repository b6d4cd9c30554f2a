"""A row keeps its side in every later training, or time decides."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esteira.train.features import doubles
from esteira.train.split import HOLDOUT, TRAIN, VALIDATION, SplitError, divide, sides
from mixed import mixed
from mixed import table as mixed_table


def table(rows: int = 20_000) -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "area": random.integers(-300, 30_000, rows),
            "age": random.normal(size=rows),
            "kind": random.choice(["a", "b", None], rows),
        }
    )


def written(path: Path, rows: pa.Table) -> Path:
    pq.write_table(rows, path / "rows.parquet")
    return path / "rows.parquet"


def dated(moments: list[str | None]) -> pa.Table:
    values = pa.array([None if one is None else np.datetime64(one, "us").item() for one in moments])
    return pa.table({"built": values.cast(pa.timestamp("us")), "price": np.arange(1.0, len(moments) + 1)})


def test_about_eighty_ten_and_ten_percent():
    share = np.bincount(sides(table()), minlength=3) / 20_000
    assert np.allclose(share, [0.8, 0.1, 0.1], atol=0.02)
    assert (TRAIN, VALIDATION, HOLDOUT) == (0, 1, 2)


def test_the_last_two_digits_of_a_rows_hash_decide_as_they_always_did():
    rows = table()
    same = rows[sorted(rows)].astype({"area": np.float64})
    digits = pd.util.hash_pandas_object(same, index=False).to_numpy() % 100
    assert (sides(rows) == np.select([digits < 10, digits < 20], [HOLDOUT, VALIDATION], TRAIN)).all()


@pytest.mark.parametrize("holdout", [0.05, 0.125, 0.3])
def test_a_larger_holdout_keeps_the_rows_of_a_smaller_one(holdout):
    rows = table()
    held = sides(rows, holdout) == HOLDOUT
    assert held.mean() == pytest.approx(holdout, abs=0.01)
    smaller, larger = sorted([held, sides(rows) == HOLDOUT], key=np.sum)
    assert (larger[smaller]).all()


def test_order_company_and_width_of_a_row_do_not_move_it():
    rows = table()
    before = sides(rows)
    shuffled = rows.sample(frac=1, random_state=1)
    assert (sides(shuffled) == before[shuffled.index]).all()
    assert (sides(rows.head(100)) == before[:100]).all()
    assert (sides(rows.astype({"area": "int16"})) == before).all()
    assert (sides(rows.astype({"area": "float64"})) == before).all()
    assert (sides(rows[["kind", "age", "area"]]) == before).all()


def test_another_content_moves_about_a_third_of_the_rows():
    rows = table()
    moved = (sides(rows.assign(age=rows["age"] + 1)) != sides(rows)).mean()
    assert 0.25 < moved < 0.42


def test_a_date_counts_as_its_days():
    rows = table(2_000)
    days = np.random.default_rng(0).integers(-100_000, 100_000, 2_000)
    dates = rows.assign(day=days.astype("datetime64[D]").astype("datetime64[us]"))
    assert (sides(dates) == sides(rows.assign(day=days))).all()
    assert (sides(dates.astype({"day": "datetime64[ns]"})) == sides(dates)).all()


@pytest.mark.parametrize(("folds", "held"), [(0, 0.1), (5, 0.1), (0, 0.25)])
def test_a_case_says_how_much_is_held_out_and_folds_need_no_validation(tmp_path, folds, held):
    path = written(tmp_path, mixed_table())
    split = divide(mixed(folds=folds, holdout=held), path)
    assert split.size(HOLDOUT) == pytest.approx(3_000 * held, rel=0.2)
    assert split.size(VALIDATION) == (0 if folds else pytest.approx(300, rel=0.2))
    rows = mixed_table().select([*mixed().features, "price"]).to_pandas()
    assert ((split.sides == HOLDOUT) == (sides(rows, held) == HOLDOUT)).all()


@pytest.mark.parametrize("seed", range(40))
def test_few_rows_never_leave_a_part_empty(tmp_path, seed):
    few = mixed_table(12, seed)
    split = divide(mixed(), written(tmp_path, few))
    assert min(split.size(TRAIN), split.size(VALIDATION), split.size(HOLDOUT)) >= 1
    assert split.size(TRAIN) >= 6


def test_the_same_row_again_and_again_cannot_be_split(tmp_path):
    rows = mixed_table(1).take(np.zeros(60, dtype=np.int64))
    with pytest.raises(SplitError, match=r"rows\.parquet holds 1 different rows, too few for 3 parts"):
        divide(mixed(), written(tmp_path, rows))


def test_by_time_the_newest_rows_are_held_out(tmp_path):
    rows = mixed_table()
    split = divide(mixed(time="seen"), written(tmp_path, rows))
    moments = doubles(rows["seen"].combine_chunks())
    train, validation, holdout = (moments[split.sides == side] for side in (TRAIN, VALIDATION, HOLDOUT))
    assert np.nanmax(train) < validation.min() == split.cuts.validation
    assert validation.max() < holdout.min() == split.cuts.holdout
    assert len(validation) == pytest.approx(300, abs=1)
    assert len(holdout) == pytest.approx(300, abs=1)
    assert np.isnan(train).sum() == np.isnan(moments).sum() > 200


def test_one_moment_never_spans_two_parts(tmp_path):
    days = [f"2020-01-{day:02}" for day in range(1, 8) for _ in range(10 * day)]
    split = divide(mixed(time="built", columns=("built",)), written(tmp_path, dated(days)))
    found = sorted({(day, int(side)) for day, side in zip(days, split.sides, strict=True)})
    assert [side for _, side in found] == [TRAIN] * 5 + [VALIDATION, HOLDOUT]


def test_with_folds_time_leaves_no_validation_part(tmp_path):
    path = written(tmp_path, mixed_table())
    split = divide(mixed(time="built", folds=4, holdout=0.2), path)
    assert split.size(VALIDATION) == 0
    assert split.size(HOLDOUT) == pytest.approx(600, abs=3)


def test_two_moments_are_too_few_for_three_parts(tmp_path):
    rows = dated(["2020-01-01", "2020-01-02", None] * 30)
    with pytest.raises(SplitError, match="2 moments in 'built', too few for 3 parts"):
        divide(mixed(time="built", columns=("built",)), written(tmp_path, rows))
