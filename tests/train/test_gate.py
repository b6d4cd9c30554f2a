"""A challenger goes on only if it keeps the thresholds and is no worse than the champion."""

import shutil

import mlflow
import pytest

from esteira import bundle
from esteira.train import registry, steps
from esteira.train.judge import RejectedError
from flats import flats


def train(case, dataset, now, training_id):
    prepared = steps.split_rows(case, dataset, training_id, now)
    fitted = [steps.fit_candidate(case, prepared, one.kind, now) for one in case.train.candidates]
    judgement = steps.pass_the_gate(case, prepared, fitted, now)
    return steps.publish_version(prepared, judgement, now)


def only(*kinds: str, **changes: object):
    return flats(train={"candidates": [{"kind": kind} for kind in kinds]}, **changes)


def runs(now, role):
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    experiment = client.get_experiment_by_name("flats")
    return client.search_runs([experiment.experiment_id], f"tags.`esteira.role` = '{role}'")


def test_the_story_of_a_training_stands_in_mlflow(dataset, now):
    published = train(flats(), dataset, now, "first")
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    (parent,) = runs(now, "training")
    candidates = runs(now, "candidate")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["esteira.gate"] == "passed"
    assert parent.data.metrics["holdout_r2"] == published.metadata.scores["r2"]
    assert {run.info.run_name for run in candidates} == {one.kind for one in flats().train.candidates}
    for run in candidates:
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert set(run.data.metrics) == {"r2", "rmse", "mae", "mape", "medae", "fit_seconds"}
        assert run.data.params["candidate"] == run.info.run_name
        assert run.inputs.dataset_inputs[0].dataset.digest == dataset.sha
        pictures = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert {"predicted_against_actual.png", "residuals.png", "importances.png"} <= pictures
    model = mlflow.pyfunc.load_model(f"models:/{run.outputs.model_outputs[0].model_id}")
    assert [one.name for one in model.metadata.signature.inputs] == ["numbers", "texts"]


def test_a_published_version_and_its_registered_version_name_each_other(dataset, now):
    published = train(only("linear_regression"), dataset, now, "first")
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    registered = client.get_model_version_by_alias("flats", "challenger")
    assert registered.tags["esteira.version"] == "1"
    assert registered.tags["esteira.dataset"] == dataset.sha
    (chosen,) = published.metadata.candidates
    assert registered.run_id == chosen.mlflow_run_id
    assert client.get_run(chosen.mlflow_run_id).data.tags["esteira.version"] == "1"
    registry.promote("flats", 1, now)
    assert client.get_registered_model("flats").aliases == {"champion": registered.version}


def test_below_a_threshold_nothing_is_published_and_the_reason_stays_in_mlflow(dataset, now):
    case = only("decision_tree", gate={"r2": 0.999999})
    with pytest.raises(
        RejectedError, match=r"decision_tree is rejected: r2 is 0\.\d+, at least 0\.999999 is asked"
    ):
        train(case, dataset, now, "poor")
    assert bundle.versions(now.ARTEFATOS_PATH, "flats") == []
    (parent,) = runs(now, "training")
    assert parent.info.status == "FAILED"
    assert "at least 0.999999" in parent.data.tags["esteira.gate"]
    assert list((now.ESTEIRA_HOME / "work" / "flats").iterdir()) == []


def test_a_challenger_worse_than_the_champion_is_rejected(dataset, now):
    train(only("linear_regression"), dataset, now, "good")
    with pytest.raises(RejectedError, match=r"rmse is .*, worse than .* of version 1"):
        train(only("decision_tree"), dataset, now, "worse")
    assert bundle.versions(now.ARTEFATOS_PATH, "flats") == [1]


def test_the_same_again_is_no_worse_and_becomes_version_two(dataset, now):
    train(only("linear_regression"), dataset, now, "one")
    assert train(only("linear_regression"), dataset, now, "two").version == 2


def test_an_altered_champion_stops_the_gate_and_is_named(dataset, now):
    champion = train(only("linear_regression"), dataset, now, "one")
    path = champion.path("onnx")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(bundle.BundleError, match=path.name):
        train(only("linear_regression"), dataset, now, "two")


def test_a_champion_with_other_columns_is_not_compared(dataset, now):
    train(only("linear_regression"), dataset, now, "one")
    columns = {k: v for k, v in flats().model_dump(mode="json")["columns"].items() if k != "age"}
    case = only("decision_tree", columns=columns, gate={})
    assert train(case, dataset, now, "narrow").version == 2


def test_a_killed_step_is_simply_run_again(dataset, now):
    case = only("linear_regression")
    prepared = steps.split_rows(case, dataset, "again", now)
    steps.fit_candidate(case, prepared, "linear_regression", now)
    fitted = steps.fit_candidate(case, prepared, "linear_regression", now)
    assert len(runs(now, "candidate")) == 1
    judgement = steps.pass_the_gate(case, prepared, [fitted], now)
    first = steps.publish_version(prepared, judgement, now)
    shutil.rmtree(now.ARTEFATOS_PATH / "flats" / ".lock", ignore_errors=True)
    assert first.version == 1
    prepared = steps.split_rows(case, dataset, "again", now)
    assert len(runs(now, "training")) == 1
