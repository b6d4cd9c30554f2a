"""Real files, as they were found, become cases whose datasets lose next to nothing."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("ESTEIRA_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
RAIN, OBESITY = "weatherAUS.csv.gz", "ObesityDataSet_raw_and_data_sinthetic.csv"


@pytest.fixture
def made(bench, request):
    file, target = request.param
    if not (SHARED / file).is_file():
        pytest.skip(f"{SHARED} has no {file}; set ESTEIRA_SHARED_DATA to the folder that holds it")
    return bench.new(SHARED / file, target)


def commented_out(made):
    return [one.facts.name for one in made.written.sketch.findings if one.leak]


@pytest.mark.parametrize("made", [(RAIN, "RainTomorrow")], indirect=True)
def test_rain_tomorrow(made):
    assert commented_out(made) == ["RISK_MM"]
    assert (made.case.task, made.setting("time"), made.case.metric) == ("classification", "Date", "roc_auc")
    assert (made.dataset.rows_in, made.dataset.rejected) == (145_460, 3_267)
    assert made.case.source.missing == ("", "NA")
    assert made.case.target_column.levels == ("No", "Yes")


@pytest.mark.parametrize("made", [("aluguel.csv", "Valor")], indirect=True)
def test_rents_among_sale_prices(made):
    assert commented_out(made) == []
    assert (made.setting("log_target"), made.case.metric) == (True, "r2_log")
    assert (made.dataset.rows_in, made.dataset.rejected, made.dataset.duplicates) == (32_960, 17, 1_160)
    assert "the target Valor goes up to 120,000,000" in made.notes


@pytest.mark.parametrize("made", [("houses_to_rent_v2.csv", "valor_aluguel")], indirect=True)
def test_rents_with_two_leaks(made):
    assert commented_out(made) == ["seguro_incendio", "valor_total"]
    assert (made.dataset.rows_in, made.dataset.rejected) == (10_692, 0)
    assert "-" in made.case.source.missing
    assert made.case.columns["andar"].optional


@pytest.mark.parametrize("made", [(OBESITY, "NObeyesdad")], indirect=True)
def test_seven_classes(made):
    assert commented_out(made) == []
    assert (made.case.task, made.case.metric, len(made.case.target_column.levels)) == (
        "classification",
        "accuracy",
        7,
    )
    assert (made.dataset.rows_in, made.dataset.rejected, made.dataset.duplicates) == (2_111, 0, 24)
