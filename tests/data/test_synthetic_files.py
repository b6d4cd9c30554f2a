"""Each generator writes the file that its case reads, and obeys the law that it states."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from esteira import casefile
from esteira.data.clean import clean
from esteira.data.raw import find
from esteira.data.synthesize import GENERATORS
from esteira.data.synthetic.obesity import CLASSES, OBESITY_COLUMNS, obesity
from esteira.data.synthetic.rents import NOISE, RENT_PER_METRE, law, rents
from esteira.data.synthetic.weather import CLIMATE, WEATHER_COLUMNS, weather
from esteira.settings import PROJECT, Settings

CASES = {name: casefile.load(PROJECT / "casos", name) for name in casefile.names(PROJECT / "casos")}
GENERATED = {name: case for name, case in CASES.items() if case.source.synthetic}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of the generators, as a user without data gets them."""
    folder = tmp_path_factory.mktemp("raw")
    obesity(folder / "people.csv")
    rents(folder / "flats.csv")
    weather(folder / "days.csv")
    return folder


@pytest.fixture(scope="module")
def people(folder):
    return pd.read_csv(folder / "people.csv")


@pytest.fixture(scope="module")
def flats(folder):
    return pd.read_csv(folder / "flats.csv")


@pytest.fixture(scope="module")
def days(folder):
    return pd.read_csv(folder / "days.csv")


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_gives_the_same_file_and_another_seed_another(name, tmp_path):
    for file, seed in [("one.csv", 1), ("again.csv", 1), ("other.csv", 2)]:
        GENERATORS[name](tmp_path / file, rows=500, seed=seed)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() != (tmp_path / "other.csv").read_bytes()
    GENERATORS[name](tmp_path / "one.csv.gz", rows=500, seed=1)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "one.csv"), pd.read_csv(tmp_path / "one.csv.gz"))
    assert len(pd.read_csv(tmp_path / "one.csv")) == 500


@pytest.mark.parametrize("name", [name for name in GENERATED if name != "imoveis"])
def test_a_case_keeps_nearly_every_row_of_the_file_that_its_generator_writes(name, tmp_path):
    case = CASES[name]
    settings = Settings(RAW_DATA_PATH=tmp_path / "raw", PROCESSED_DATA_PATH=tmp_path / "processed")
    files = find(case, settings)
    dataset = clean(case, files, settings)
    assert files.synthetic
    assert dataset.synthetic
    assert dataset.rejected / dataset.rows_in < 0.025
    if case.task == "classification":
        found = pd.read_parquet(dataset.path, columns=[case.target])[case.target]
        assert set(found) == set(case.target_column.levels)


def test_an_observed_file_is_preferred_to_a_generated_one_and_may_be_compressed(tmp_path):
    case = CASES["clima"]
    settings = Settings(RAW_DATA_PATH=tmp_path, PROCESSED_DATA_PATH=tmp_path)
    small = case.reading("days.csv").model_copy(update={"name": "days"})
    weather(tmp_path / "days.csv.gz", rows=500)
    assert find(small, settings).paths == (tmp_path / "days.csv.gz",)
    assert not find(small, settings).synthetic
    people_case = CASES["obesidade"]
    assert find(people_case, settings).synthetic
    observed = tmp_path / f"{people_case.source.files}.gz"
    obesity(observed, rows=100, seed=1)
    assert find(people_case, settings).paths == (observed,)
    assert not find(people_case, settings).synthetic


def test_people_have_the_columns_the_rows_and_the_repeated_rows_of_the_original(people):
    assert tuple(people.columns) == OBESITY_COLUMNS
    assert len(people) == 2_111
    assert people.duplicated().sum() == 24
    assert set(people["NObeyesdad"]) == set(CLASSES)
    assert people["NObeyesdad"].value_counts().between(230, 400).all()
    assert set(people["FAVC"]) == {"yes", "no"}


def test_a_weight_class_is_nearly_a_function_of_the_body_mass_index(people):
    index = people["Weight"] / people["Height"] ** 2
    begins = (0.0, 18.5, 25.0, 27.5, 30.0, 35.0, 40.0)
    cut = np.array(CLASSES)[np.searchsorted(begins, index, side="right") - 1]
    assert (cut == people["NObeyesdad"]).mean() == pytest.approx(0.90, abs=0.02)
    means = index.groupby(people["NObeyesdad"]).mean()
    assert all(means[light] < means[heavy] for light, heavy in pairwise(CLASSES))


def test_habits_lean_with_the_weight_class(people):
    relatives = (people["family_history_with_overweight"] == "yes").groupby(people["NObeyesdad"]).mean()
    assert relatives["Insufficient_Weight"] < 0.6
    assert relatives["Obesity_Type_III"] > 0.95


def test_rents_are_positive_and_spread_around_their_law(flats):
    assert list(flats) == ["area", "quartos", "banheiros", "idade", "garagem", "bairro", "preco"]
    assert (flats["preco"] > 0).all()
    known = flats.dropna()
    assert 1 - len(known) / len(flats) == pytest.approx(0.04, abs=0.01)
    off = np.log(known["preco"] / law({name: known[name].to_numpy() for name in known}))
    assert off.mean() == pytest.approx(0, abs=0.005)
    assert off.std() == pytest.approx(NOISE, rel=0.03)


def test_each_neighbourhood_has_its_own_level_of_rents(flats):
    metre = (flats["preco"] / flats["area"]).groupby(flats["bairro"]).median()
    assert metre.sort_values(ascending=False).index.tolist() == list(RENT_PER_METRE)


def test_the_weather_has_the_columns_places_and_missing_cells_of_the_original(days):
    assert tuple(days.columns) == WEATHER_COLUMNS
    assert len(days) == 145_460
    assert list(dict.fromkeys(days["Location"])) == list(CLIMATE)
    assert days.isna().mean()["Pressure9am"] == pytest.approx(0.10, abs=0.01)
    assert days["RainTomorrow"].isna().mean() == pytest.approx(0.0225, abs=0.002)
    for name in ("Evaporation", "Sunshine", "Cloud9am", "Cloud3pm"):
        absent = days[name].isna().groupby(days["Location"]).mean()
        assert set(absent) == {0, 1}
        assert absent.mean() == pytest.approx(0.45, abs=0.15)


def test_missing_cells_are_written_as_in_the_original(folder):
    lines = (folder / "days.csv").read_text().splitlines()
    assert any(",NA," in line for line in lines[:10])
    assert not any(",," in line or ".0," in line for line in lines)


def test_it_rains_tomorrow_where_tomorrows_line_says_that_it_rained(days):
    sydney = days[days["Location"] == "Sydney"]
    assert sydney["Date"].is_monotonic_increasing
    assert sydney["RISK_MM"].iloc[:-1].tolist() == pytest.approx(
        sydney["Rainfall"].iloc[1:].tolist(), nan_ok=True
    )
    known = days.dropna(subset="RISK_MM")
    assert ((known["RISK_MM"] > 1) == (known["RainTomorrow"] == "Yes")).all()
    assert (known["RainTomorrow"] == "Yes").mean() == pytest.approx(0.22, abs=0.01)


def test_places_and_seasons_differ(days):
    month = pd.to_datetime(days["Date"]).dt.month
    warm = days["MaxTemp"].groupby([days["Location"], month]).mean()
    assert warm["Darwin"].mean() > warm["Hobart"].mean() + 10
    assert warm["Hobart"][1] > warm["Hobart"][7] + 8
    rainy = (days["RainToday"] == "Yes").groupby([days["Location"], month]).mean()
    assert rainy["Darwin"][1] > 2 * rainy["Darwin"][7]
    assert rainy["Perth"][7] > rainy["Perth"][1]


def test_rain_can_be_foreseen_about_as_well_as_in_the_original(days):
    known = days.dropna(subset="RainTomorrow").sort_values("Date", kind="stable")
    features, rains = known.drop(columns=["Date", "RISK_MM", "RainTomorrow"]), known["RainTomorrow"] == "Yes"
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    model = make_pipeline(
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
        ),
        LogisticRegression(max_iter=300),
    )
    newest = int(0.8 * len(known))
    chances = model.fit(features[:newest:4], rains[:newest:4]).predict_proba(features[newest:])[:, 1]
    assert roc_auc_score(rains[newest:], chances) == pytest.approx(0.86, abs=0.015)
