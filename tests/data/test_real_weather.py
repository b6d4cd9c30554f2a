"""Ten years of real weather are cleaned by the case in the box as pandas reads them."""

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

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ESTEIRA_SHARED_DATA", PROJECT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def expected():
    if not (SHARED / "weatherAUS.csv.gz").is_file():
        pytest.skip(f"{SHARED} has no weatherAUS.csv.gz; set ESTEIRA_SHARED_DATA to the folder that holds it")
    weather = pd.read_csv(SHARED / "weatherAUS.csv.gz", parse_dates=["Date"])
    return weather.dropna(subset="RainTomorrow").reset_index(drop=True)


@pytest.fixture(scope="module")
def dataset(expected, tmp_path_factory):
    settings = Settings(RAW_DATA_PATH=SHARED, PROCESSED_DATA_PATH=tmp_path_factory.mktemp("weather"))
    case = casefile.load(PROJECT / "casos", "clima")
    return clean(case, find(case, settings), settings)


def test_only_days_without_a_target_go(dataset):
    report = Report.model_validate_json(dataset.report_path.read_bytes())
    assert {drop.reason: drop.rows for drop in report.steps[0].drops} == {"RainTomorrow: missing": 3_267}
    assert dataset.duplicates == 0
    assert report.sources[0].ignored_columns == ("RISK_MM",)


def test_every_cell_is_what_pandas_reads(dataset, expected):
    cleaned = pd.read_parquet(dataset.path)
    assert (dataset.rows_in, dataset.rows_out) == (145_460, len(expected))
    for name in cleaned.columns:
        assert cleaned[name].isna().equals(expected[name].isna())
        assert (cleaned[name].dropna().to_numpy() == expected[name].dropna().to_numpy()).all()


def test_the_report_knows_the_years_and_the_classes(dataset, expected):
    report = Report.model_validate_json(dataset.report_path.read_bytes())
    assert report.columns[0].figures()[::2] == ("2007-11-01", "2017-06-25")
    assert {bar.label: bar.rows for bar in report.classes} == expected[
        "RainTomorrow"
    ].value_counts().to_dict()
