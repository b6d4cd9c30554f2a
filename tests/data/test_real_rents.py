"""A real file, as it was found, is cleaned by a case of a dozen lines."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from esteira import casefile
from esteira.data.clean import clean
from esteira.data.raw import find
from esteira.data.report import Report
from esteira.settings import Settings

SHARED = Path(os.environ.get("ESTEIRA_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.fixture(scope="module")
def rents():
    if not (SHARED / "aluguel.csv").is_file():
        pytest.skip(f"{SHARED} has no aluguel.csv; set ESTEIRA_SHARED_DATA to the folder that holds it")
    return pd.read_csv(SHARED / "aluguel.csv", sep=";")


@pytest.fixture(scope="module")
def dataset(rents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rents")
    settings = Settings(RAW_DATA_PATH=SHARED, PROCESSED_DATA_PATH=folder)
    case = casefile.load(Path(__file__).parent, "aluguel")
    return clean(case, find(case, settings), settings)


def test_sale_prices_and_missing_rents_are_kept_aside(rents, dataset):
    report = Report.model_validate_json(dataset.report_path.read_bytes())
    assert {drop.reason: drop.rows for drop in report.steps[0].drops} == {
        "Valor: above 50,000": (rents["Valor"] > 50_000).sum(),
        "Valor: below 100": (rents["Valor"] < 100).sum(),
        "Valor: missing": 17,
    }
    aside = pd.read_parquet(dataset.rejected_path)
    assert aside["_line"].tolist() == (rents.index[~rents["Valor"].between(100, 50_000)] + 2).tolist()


def test_every_duplicate_is_counted(rents, dataset):
    assert rents.duplicated().sum() == 1_160
    among_rejected = rents[~rents["Valor"].between(100, 50_000)].duplicated().sum()
    assert dataset.duplicates == 1_160 - among_rejected


def test_what_is_left_is_what_pandas_leaves(rents, dataset):
    expected = rents[rents["Valor"].between(100, 50_000)].drop_duplicates().reset_index(drop=True)
    cleaned = pd.read_parquet(dataset.path)[list(rents.columns)]
    assert (dataset.rows_in, dataset.rows_out) == (32_960, len(expected))
    for name in rents.columns:
        assert cleaned[name].isna().equals(expected[name].isna())
        assert (cleaned[name].dropna().to_numpy() == expected[name].dropna().to_numpy()).all()
