"""Synthetic houses obey the law of the original data set."""

from __future__ import annotations

import pandas as pd
import pytest

from esteira.data.synthetic.houses import HOUSE_COLUMNS, house_prices

MARBLES = ["White Marble", "Black Marble", "Indian Marble"]
RANGES = {"Area": (1, 249), "Garage": (1, 3), "FirePlace": (0, 4), "Baths": (1, 5), "City": (1, 3)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("houses") / "houses.csv"
    house_prices(path)
    return path


@pytest.fixture(scope="module")
def houses(path):
    return pd.read_csv(path)


def test_there_are_half_a_million_whole_rows_in_the_order_of_columns(houses):
    assert tuple(houses.columns) == HOUSE_COLUMNS
    assert len(houses) == 500_000
    assert (houses.dtypes == "int64").all()


def test_every_price_follows_the_law(houses):
    law = (
        1000 + 25 * houses["Area"] + 1500 * houses["Garage"] + 750 * houses["FirePlace"]
        + 1250 * houses["Baths"]
        + 14000 * houses["White Marble"] + 5000 * houses["Black Marble"] + 15000 * houses["Floors"]
        + 3500 * houses["City"] + 250 * houses["Solar"] + 1250 * houses["Electric"] + 11750 * houses["Fiber"]
        + 4450 * houses["Glass Doors"]
    )  # fmt: skip
    assert (houses["Prices"] == law).all()


def test_every_column_is_uniform_over_its_range(houses):
    for name in HOUSE_COLUMNS[:-1]:
        low, high = RANGES.get(name, (0, 1))
        assert (houses[name].min(), houses[name].max()) == (low, high)
        mean = 1 / 3 if name in MARBLES else (low + high) / 2
        assert houses[name].mean() == pytest.approx(mean, rel=0.005)
    assert (houses[MARBLES].sum(axis=1) == 1).all()


def test_the_prices_are_spread_as_in_the_original(houses):
    assert houses["Prices"].mean() == pytest.approx(42_050, abs=60)
    assert houses["Prices"].std() == pytest.approx(12_110, abs=40)
    assert houses["Prices"].between(7_275, 78_175).all()


def test_the_duplicates_are_as_many_as_in_the_original(houses):
    assert houses.duplicated().sum() == pytest.approx(5_693, rel=0.05)


def test_the_columns_are_independent(houses):
    free = houses.drop(columns=["Prices", *MARBLES[1:]])
    correlation = free.corr().to_numpy()
    off_diagonal = [abs(correlation[i, j]) for i in range(len(correlation)) for j in range(i)]
    assert max(off_diagonal) < 0.01


def test_the_same_seed_gives_the_same_file_also_compressed(path, houses, tmp_path):
    house_prices(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()
    house_prices(tmp_path / "few.csv.gz", rows=1000)
    assert pd.read_csv(tmp_path / "few.csv.gz").shape == (1000, 16)
    house_prices(tmp_path / "other.csv", seed=7)
    assert (tmp_path / "other.csv").read_bytes() != path.read_bytes()
