"""The client with classes, intervals and models side by side."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cliente
from cliente import Cliente, Interval, RefusedError
from rain import COMPARED as RAIN_MODELS
from rain import SCORES, rain_bundle, rain_odds
from rents import COMPARED as RENT_MODELS
from rents import rent, rents_bundle
from tests.apis import ROOT, Api, serving

WET = {"Day": "2012-06-01", "Wind Dir": "South", "Humidity": 98, "Place": "Belém"}
FLAT = {"Area": 100, "Bairro": "Centro", "Seen at": "2020-01-11T12:00"}


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("rain") / "artefatos"
    rain_bundle(artefatos, compared=RAIN_MODELS, title="Will it [bold]rain?")
    with serving(artefatos, case="rain") as api:
        yield api


@pytest.fixture(scope="module")
def rents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("rents") / "artefatos"
    rents_bundle(artefatos, compared=RENT_MODELS)
    with serving(artefatos, case="rents") as api:
        yield api


def command(api: Api, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "cliente.py"), "--url", api.url, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "COLUMNS": "120"},
    )


def lines_with(output: str, *words: str) -> list[str]:
    return [line for line in output.splitlines() if all(word in line for word in words)]


def test_a_class_comes_with_the_probability_of_each_and_what_each_model_says(rain: Api) -> None:
    with Cliente(rain.url) as api:
        answer = api.predict(WET)
        assert api.predict_batch([WET, WET]) == [answer, answer]
        assert (api.model().task, api.model().classes) == ("classification", ["dry", "a drizzle", "80% rain"])
    assert (answer.prediction, answer.unit, answer.interval) == ("80% rain", None, None)
    assert answer.probabilities is not None
    assert list(answer.probabilities.values()) == pytest.approx(rain_odds(WET), abs=1e-7)
    assert answer.models == {"DecisionTree": "80% rain", "LogisticRegression": "dry"}
    assert answer.technical_details["DecisionTree"] == SCORES


def test_a_number_comes_with_its_interval(rents: Api) -> None:
    with Cliente(rents.url) as api:
        answer = api.predict(FLAT)
        assert api.predict_batch([FLAT]) == [answer]
        assert (api.model().task, api.model().classes) == ("regression", None)
    assert (answer.prediction, answer.unit, answer.probabilities) == (rent(FLAT), "R$", None)
    assert answer.interval == Interval(low=rent(FLAT) - 50, high=rent(FLAT) + 70, coverage=0.9)
    assert answer.models == {"DecisionTree": rent(FLAT), "Ridge": rent(FLAT) / 2}


def test_a_date_that_is_none_is_refused_with_its_form(rain: Api) -> None:
    with Cliente(rain.url) as api, pytest.raises(RefusedError, match=r"Day cannot be \"soon\"; send a date"):
        api.predict({**WET, "Day": "soon"})


def test_without_arguments_the_example_is_shown_with_a_bar_for_each_class(rain: Api) -> None:
    ran = command(rain)
    assert ran.returncode == 0, ran.stderr
    assert "Will it [bold]rain?" in ran.stdout
    assert lines_with(ran.stdout, "Rain", " dry ")
    (dry,), (drizzle,), (rainy,) = (
        lines_with(ran.stdout, *words) for words in (("dry", "81.9%"), ("drizzle", "15.1%"), ("rain", "3.0%"))
    )
    assert dry.count("█") > drizzle.count("█") > rainy.count("█")
    assert lines_with(ran.stdout, "LogisticRegression", "80% rain", "0.600", "0.750")


def test_of_many_classes_the_least_probable_share_a_line(rain: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cliente, "MOST_BARS", 1)
    shown = CliRunner().invoke(cliente.app, ["--url", rain.url]).output
    assert lines_with(shown, "dry", "81.9%")
    assert lines_with(shown, "2 more", "18.1%")
    assert not lines_with(shown, "drizzle")


def test_the_interval_and_a_warning_are_shown(rents: Api) -> None:
    ran = command(rents, "--json", '{"Area": 100, "Bairro": "Leme"}')
    assert ran.returncode == 0, ran.stderr
    assert lines_with(ran.stdout, "Rent", "1,000.00 R$")
    assert lines_with(ran.stdout, "90%", "between 950.00 R$ and 1,070.00 R$")
    assert lines_with(ran.stdout, "Ridge", "500.00 R$", "0.800")
    assert "Warning: Bairro is Leme, but training saw only 5,000 values" in ran.stdout


def written(api: Api, folder: Path, content: str) -> list[dict[str, str]]:
    source, target = folder / "in.csv", folder / "out.csv"
    source.write_text(content, encoding="utf-8")
    ran = command(api, "--arquivo", str(source), "--saida", str(target))
    assert ran.returncode == 0, ran.stderr
    with target.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_a_csv_of_classes_gains_probabilities_and_the_answer_of_each_model(rain: Api, tmp_path: Path) -> None:
    rows = written(
        rain,
        tmp_path,
        "note;Day;Wind Dir;Humidity;Place\nx;2012-06-01;south;98.0;Belém\ny;2012-06-01;North;;\n",
    )
    added = ["prediction", "probability_dry", "probability_a drizzle", "probability_80% rain"]
    assert list(rows[0])[5:] == [*added, "DecisionTree", "LogisticRegression", "warnings", "error"]
    assert [rows[0][name] for name in ("note", "Day", "prediction")] == ["x", "2012-06-01", "80% rain"]
    bare = {"Day": "2012-06-01", "Wind Dir": "North"}
    for row, record in zip(rows, (WET, bare), strict=True):
        odds = [float(value) for name, value in row.items() if name.startswith("probability_")]
        assert odds == pytest.approx(rain_odds(record), abs=1e-7)


def test_a_csv_of_numbers_gains_the_ends_of_the_interval(rents: Api, tmp_path: Path) -> None:
    (row,) = written(rents, tmp_path, "Area;Bairro;Seen at\n100;Centro;2020-01-11T12:00\n")
    assert (row["Seen at"], float(row["prediction"])) == ("2020-01-11T12:00", rent(FLAT))
    assert (float(row["interval_low"]), float(row["interval_high"])) == (rent(FLAT) - 50, rent(FLAT) + 70)
    assert float(row["Ridge"]) == rent(FLAT) / 2


@pytest.mark.parametrize("name", ["interval_low", "Ridge"])
def test_a_column_that_the_answers_would_add_again_is_named(rents: Api, tmp_path: Path, name: str) -> None:
    source = tmp_path / "in.csv"
    source.write_text(f"Area,Bairro,{name}\n100,Centro,3\n")
    ran = command(rents, "--arquivo", str(source), "--saida", str(tmp_path / "out.csv"))
    assert ran.returncode == 1
    assert f"already has a column '{name}'" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_csv_with_a_bad_date_names_its_row(rain: Api, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("Day,Wind Dir\n2012-06-01,North\n01/06/2012,North\n")
    ran = command(rain, "--arquivo", str(source), "--saida", str(tmp_path / "out.csv"))
    assert 'row 3: Day cannot be "01/06/2012"; send a date (YYYY-MM-DD)' in ran.stderr
