"""A row keeps its side in every later training."""

import numpy as np
import pandas as pd

from esteira.train.split import HOLDOUT, TRAIN, VALIDATION, sides


def table(rows: int = 20_000) -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "area": random.integers(-300, 30_000, rows),
            "age": random.normal(size=rows),
            "kind": random.choice(["a", "b", None], rows),
        }
    )


def test_about_eighty_ten_and_ten_percent():
    share = np.bincount(sides(table()), minlength=3) / 20_000
    assert np.allclose(share, [0.8, 0.1, 0.1], atol=0.02)
    assert (TRAIN, VALIDATION, HOLDOUT) == (0, 1, 2)


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
