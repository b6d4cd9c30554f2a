"""What an answer depends on is found out by asking, at a bounded cost."""

import json

import numpy as np
import pandas as pd
import pytest

from esteira.case import Case
from esteira.data import clean, raw
from esteira.train import importance, steps, track
from esteira.train.answers import Answers
from flats import flats


def case(task="regression", **train):
    target = {"type": "number"} if task == "regression" else {"type": "category", "levels": ["no", "yes"]}
    columns = {
        "area": {"type": "integer"},
        "kind": {"type": "category", "optional": True},
        "sold": {"type": "date", "optional": True},
        "noise": {"type": "number"},
        "constant": {"type": "number"},
        "y": target,
    }
    written = {"name": "c", "title": "C", "source": {"files": "c.csv"}, "target": "y", "task": task}
    train = {"candidates": [{"kind": "decision_tree"}], **train}
    return Case.model_validate_json(json.dumps({**written, "columns": columns, "train": train}))


def law(rows):
    days = (rows["sold"] - pd.Timestamp("2020-01-01")).dt.days.fillna(0).to_numpy(float)
    return 10.0 * rows["area"].to_numpy(float) + 500.0 * (rows["kind"] == "casa") + 0.1 * days


def ask_number(rows):
    return Answers(prediction=np.asarray(law(rows), float))


def ask_class(rows):
    second = 1 / (1 + np.exp(-(np.asarray(law(rows), float) - 1500) / 300))
    return Answers(prediction=(second > 0.5).astype(int), probabilities=np.column_stack([1 - second, second]))


@pytest.fixture
def sample():
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "area": random.integers(20, 300, 600),
            "kind": random.choice(["casa", "flat", None], 600),
            "sold": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 700, 600), unit="D"),
            "noise": random.normal(size=600),
            "constant": 1.0,
        }
    )
    rows.loc[::10, "sold"] = pd.NaT
    return rows.assign(y=law(rows))


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_the_strongest_comes_first_and_what_is_not_looked_at_is_zero(sample, metric):
    drops = importance.importances(case(metric=metric), None, sample, ask_number)
    assert list(drops)[:3] == ["area", "kind", "sold"]
    assert drops["area"] > drops["kind"] > drops["sold"] > 0
    assert drops["noise"] == drops["constant"] == 0


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc", "f1"])
def test_of_a_classification_likewise_whether_low_or_high_is_good(sample, metric):
    rows = sample.assign(y=np.where(law(sample) > 1500, "yes", "no"))
    classes = ("no", "yes")
    drops = importance.importances(case("classification", metric=metric), classes, rows, ask_class)
    assert next(iter(drops)) == "area"
    assert drops["area"] > 0.1


def test_partial_dependence_follows_the_law(sample):
    found = {one.name: one for one in importance.dependences(case(), list(sample)[:4], sample, ask_number)}
    area = found["area"]
    slope = np.diff(area.means[:, 0]) / np.diff(area.values.to_numpy(float))
    assert slope == pytest.approx(10)
    assert len(area.values) <= 20
    by_kind = dict(zip(found["kind"].values, found["kind"].means[:, 0], strict=True))
    assert by_kind["casa"] - by_kind["flat"] == pytest.approx(500)
    assert found["sold"].values.dtype.kind == "M"
    assert np.ptp(found["noise"].means) == pytest.approx(0, abs=1e-9)


def test_a_classifications_dependence_is_the_second_classs_probability_or_each_ones(sample):
    (two,) = importance.dependences(case("classification"), ["area"], sample, ask_class)
    assert two.means.shape == (len(two.values), 1)
    assert (np.diff(two.means[:, 0]) > 0).all()

    def ask_three(rows):
        given = np.full((len(rows), 3), 1 / 3)
        return Answers(prediction=given.argmax(axis=1), probabilities=given)

    (three,) = importance.dependences(case("classification"), ["kind"], sample, ask_three)
    assert three.means.shape == (2, 3)


@pytest.mark.parametrize("folds", [0, 5])
def test_noise_that_a_model_learned_by_heart_does_not_look_important(now, folds):
    random, forest = np.random.default_rng(0), {"kind": "random_forest", "trees": 20, "min_samples_leaf": 1}
    names = ["x", "noise", "more_noise"]
    rows = pd.DataFrame({name: random.normal(size=2_000).round(4) for name in names})
    rows["y"] = (rows["x"] + random.normal(size=2_000)).round(4)
    rows.to_csv(now.RAW_DATA_PATH / "flats.csv", index=False)
    columns, train = {name: {"type": "number"} for name in rows}, {"candidates": [forest], "folds": folds}
    learnt = flats(target="y", columns=columns, train=train, gate={})
    prepared = steps.split_rows(learnt, clean.clean(learnt, raw.find(learnt, now), now), "noise", now)
    fitted = steps.fit_candidate(learnt, prepared, "random_forest", now)
    drops = steps.pass_the_gate(learnt, prepared, [fitted], now).facts.importances
    assert drops["x"] > 0.2
    assert max(abs(drops["noise"]), abs(drops["more_noise"])) < 0.1
    drawn = {file.path for file in track.connect(now).list_artifacts(fitted.mlflow_run_id)}
    assert ("importances.png" in drawn) == (folds == 0)


def test_a_slow_model_is_asked_fewer_rows(sample, monkeypatch):
    monkeypatch.setattr(importance, "_SECONDS", 0.3)
    monkeypatch.setattr(importance, "_seconds", lambda work, rows: len(rows) * 1e-4)
    asked = []

    def slow(rows):
        asked.append(len(rows))
        return ask_number(rows)

    importance.importances(case(), None, sample, slow)
    assert max(asked) < len(sample)


def test_a_column_that_is_all_missing_is_no_trouble(sample):
    rows = sample.assign(sold=pd.Series(pd.NaT, index=sample.index), kind=None)
    drops = importance.importances(case(), None, rows, ask_number)
    assert drops["sold"] == drops["kind"] == 0
    assert len(importance.dependences(case(), ["sold", "kind"], rows, ask_number)) == 2


def test_on_a_machine_too_busy_to_measure_the_fewest_rows_are_asked(monkeypatch):
    monkeypatch.setattr(importance, "_seconds", lambda work, rows: 60.0)
    rows = pd.DataFrame({"x": range(10_000)})
    assert len(importance._affordable(rows, len, 100)) == importance._FEWEST_ROWS
