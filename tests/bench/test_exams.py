"""The exam that Esteira and its rivals sit: the same rows on every side, and a score of the answers alone."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import exams, quality, suite
from benchmarks.errors import BenchmarkError
from benchmarks.exams import BASELINE, RIVALS, Exam
from benchmarks.rivals import exam as paper

ROWS = pd.DataFrame(
    {
        "day": pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-04"]),
        "code": ["007", "NA", None, "x,y"],
        "size": [1.5, np.nan, 3.0, 1e-9],
        "rent": [1000.0, 2000.0, 4000.0, 8000.0],
        "rain": ["No", "Yes", "No", "Yes"],
    }
)


@pytest.fixture
def exam(tmp_path) -> Exam:
    made = Exam(
        train=str(tmp_path / "train.csv"),
        holdout=str(tmp_path / "holdout.csv"),
        answers=str(tmp_path / "answers.csv"),
        target="rent",
        task="regression",
        metric="r2_log",
        positive=None,
        texts=("code", "rain"),
        dates=("day",),
        seconds=1,
    )
    for path in (made.train, made.holdout):
        ROWS.to_csv(path, index=False)
    return made


def test_a_rival_reads_the_rows_that_we_have(exam):
    read = paper._read(exam.holdout, {"texts": list(exam.texts), "dates": list(exam.dates)})
    assert read["code"].tolist()[:2] == ["007", "NA"]
    assert read["code"].isna().tolist() == [False, False, True, False]
    assert read["day"].tolist() == ROWS["day"].tolist()
    pd.testing.assert_series_equal(read["size"], ROWS["size"])


def test_the_score_is_that_of_the_metric_on_the_held_out_rows(exam):
    assert exam.score(ROWS["rent"].to_numpy()) == 1
    assert exam.score(ROWS["rent"].to_numpy() * 2) < 1
    rain = replace(exam, target="rain", task="classification")
    assert replace(rain, metric="accuracy").score(np.array(["No", "Yes", "Yes", "Yes"])) == 0.75
    chances = np.array([0.1, 0.8, 0.9, 0.7])
    assert replace(rain, metric="roc_auc", positive="Yes").score(chances) == 0.5
    assert replace(rain, metric="roc_auc", positive="No").score(1 - chances) == 0.5


def test_a_rival_that_fails_is_named_with_what_it_said(exam):
    with pytest.raises(
        BenchmarkError, match=r"(?s)flaml .*answers\.json ended with 1: .*No module named 'flaml'"
    ) as said:
        exams.sit("flaml", Path(sys.executable), exam)
    assert json.loads(Path(exam.answers).with_suffix(".json").read_text())["target"] == "rent"
    assert "Traceback" in str(said.value)


@pytest.mark.parametrize("rival", RIVALS)
def test_every_package_of_a_rival_is_pinned(rival):
    lines = (Path(exams.__file__).parent / "rivals" / f"{rival}.txt").read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+", line) for line in packages)
    assert any(rival in line for line in packages)
    assert rival in paper.RIVALS


def test_plain_boosting_gets_texts_as_places_and_dates_as_days_and_knows_only_its_own_rows(exam):
    told = {"texts": list(exam.texts), "dates": list(exam.dates)}
    asked = ROWS.assign(code=["x,y", "new", None, "007"])
    known, asked = paper._as_numbers(ROWS, asked, told)
    assert known["code"].tolist()[:2] == [0, 1]
    assert asked["code"].fillna(-1).tolist() == [2, -1, -1, 0]
    assert known["day"].fillna(-1).tolist() == [18262, 18263, -1, 18265]
    assert known["size"].equals(ROWS["size"])


@pytest.mark.parametrize(
    ("target", "positive", "metric"), [("rent", None, "r2_log"), ("rain", "Yes", "roc_auc")]
)
def test_plain_boosting_sits_the_exam_in_our_own_environment(exam, target, positive, metric, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rows = pd.concat([ROWS] * 40, ignore_index=True)
    task = {"rent": "regression", "rain": "classification"}[target]
    told = replace(exam, target=target, positive=positive, metric=metric, task=task)
    for path in (told.train, told.holdout):
        rows.to_csv(path, index=False)
    assert exams.sit(BASELINE, Path(sys.executable), told) == pytest.approx(1, abs=1e-3)


def test_a_reference_of_folds_is_also_held_against_our_own_folds():
    table = next(one for one in quality.TABLES if one.by_folds)
    found = quality.Quality(
        table=table, train_rows=1_668, holdout_rows=419, chosen="ensemble", score=0.96, out_of_fold=0.98,
        baseline=0.97, rivals={"flaml": 0.96}, parity=0.0,
    )  # fmt: skip
    rows = {(row.what, row.rival): row.met for row in suite._quality_rows(found)}
    held, folds = (
        f"obesity: accuracy {on} (ensemble)" for on in ("on 419 held-out rows", "out of fold on 1,668 rows")
    )
    assert len(rows) == 5
    assert {what for what, _ in rows} >= {held, folds}


def test_files_that_are_missing_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "SHARED", tmp_path)
    with pytest.raises(BenchmarkError, match=r"has no ObesityDataSet.*aluguel\.csv.*set ESTEIRA_SHARED_DATA"):
        quality.measure(seconds=1)
