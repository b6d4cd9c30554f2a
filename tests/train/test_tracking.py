"""MLflow shows how a training went: its run, its candidates' runs in it, and in those each trial's."""

import mlflow
import numpy as np
import pytest

from esteira.train import steps, track
from esteira.train.candidate_run import candidate_run
from esteira.train.fit import named
from esteira.train.judge import NoCandidateError
from esteira.train.search import TrialFact
from flats import flats

ONE = {"train": {"candidates": [{"kind": "decision_tree"}]}}


def test_each_trial_of_a_search_is_a_run_in_its_candidates(flat_story):
    candidates = {run.info.run_name: run for run in flat_story.runs("candidate")}
    trials = flat_story.runs("trial")
    tree = candidates["decision_tree"]
    mine = [run for run in trials if run.data.tags["mlflow.parentRunId"] == tree.info.run_id]
    assert len(mine) > 1
    for run in mine:
        assert run.info.run_name.startswith("decision_tree ")
        assert set(run.data.params) == set(mine[0].data.params) >= {"min_samples_leaf"}
        finished = run.data.tags["esteira.state"] == "complete"
        assert (run.info.status == "FINISHED") == finished
        assert "fit_seconds" in run.data.metrics
        assert ("rmse" in run.data.metrics) or not finished
    best = min(run.data.metrics["rmse"] for run in mine if run.info.status == "FINISHED")
    assert tree.data.metrics["rmse"] == pytest.approx(best, rel=0.2)
    pictures = {file.path for file in flat_story.client.list_artifacts(tree.info.run_id)}
    assert "search_history.png" in pictures


def test_a_pruned_and_a_failed_trial_look_like_it(dataset, now):
    case = flats(**ONE)
    prepared = steps.split_rows(case, dataset, "trials", now)
    with candidate_run(case, prepared, named(case, "decision_tree"), now) as run:
        for number, (state, value) in enumerate([("complete", 1.5), ("pruned", 2.5), ("failed", None)]):
            fact = TrialFact(number=number, parameters={"depth": 3.0}, value=value, state=state, seconds=0.5)
            run.trial(fact)
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    found = client.search_runs(
        [client.get_experiment_by_name("flats").experiment_id], "tags.`esteira.role` = 'trial'"
    )
    assert {one.data.tags["esteira.state"]: one.info.status for one in found} == {
        "complete": "FINISHED",
        "pruned": "KILLED",
        "failed": "FAILED",
    }
    assert {one.data.metrics.get("rmse") for one in found} == {1.5, 2.5, None}
    assert all(one.info.end_time - one.info.start_time == 500 for one in found)


def test_a_candidate_that_fails_is_shown_and_left_out_and_the_rest_go_on(flat_story):
    failed = next(run for run in flat_story.runs("candidate") if run.info.status == "FAILED")
    assert failed.info.run_name == "hist_gradient_boosting"
    assert "no finite number" in failed.data.tags["mlflow.note.content"]
    names = [one.name for one in flat_story.published.metadata.candidates]
    assert names == ["linear_regression", "decision_tree", "ensemble"]
    assert flat_story.runs("training")[0].info.status == "FINISHED"


def test_when_all_candidates_fail_the_training_fails_with_the_reason(dataset, now):
    case = flats(train={"candidates": [{"kind": "hist_gradient_boosting", "learning_rate": 1e308}]})
    prepared = steps.split_rows(case, dataset, "none", now)
    fitted = steps.fit_all(case, prepared, now)
    assert fitted == []
    with pytest.raises(NoCandidateError, match="No candidate of the case 'flats' could be fitted"):
        steps.pass_the_gate(case, prepared, fitted, now)
    run = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI).get_run(prepared.mlflow_run_id)
    assert run.info.status == "FAILED"
    assert "No candidate" in run.data.tags["mlflow.note.content"]


def test_the_training_shows_what_the_holdout_showed(flat_story, storm_story):
    for story, picture in ((flat_story, "residuals.png"), (storm_story, "confusion_matrix.png")):
        (run,) = story.runs("training")
        facts = story.published.metadata
        assert {f"holdout_{name}": value for name, value in facts.scores.items()}.items() <= (
            run.data.metrics.items()
        )
        files = {file.path for file in story.client.list_artifacts(run.info.run_id)}
        assert {picture, "importances.png", "partial_dependence.png", "cartao.html"} <= files
    assert flat_story.runs("training")[0].data.metrics["holdout_coverage"] > 0.8


@pytest.mark.parametrize("picture", ["roc", "precision_recall", "calibration", "lift", "confusion_matrix"])
def test_a_classification_candidate_has_its_curves(storm_story, picture):
    for run in storm_story.runs("candidate"):
        assert f"{picture}.png" in {file.path for file in storm_story.client.list_artifacts(run.info.run_id)}
        assert {"accuracy", "f1", "roc_auc", "log_loss"} <= set(run.data.metrics)


def test_what_is_registered_is_the_graph_that_production_runs(storm_story):
    registered = storm_story.client.get_model_version_by_alias("storms", "challenger")
    facts = storm_story.published.metadata
    assert registered.run_id == facts.mlflow_run_id
    mlflow.set_tracking_uri(storm_story.now.MLFLOW_TRACKING_URI)
    model = mlflow.onnx.load_model(f"models:/storms/{registered.version}")
    assert bytes(model.SerializeToString()) == storm_story.published.read("onnx")
    signature = mlflow.models.get_model_info(f"models:/storms/{registered.version}").signature
    assert [one.name for one in signature.inputs] == ["numbers", "texts"]
    assert {one.name: np.dtype(one.type) for one in signature.outputs} == {
        "prediction": np.int64,
        "probabilities": np.float32,
    }


def test_a_run_that_a_killed_training_left_open_is_closed_by_the_next(dataset, now):
    client = track.connect(now)
    old = client.create_run(track.experiment("flats", now), start_time=1_000_000_000_000)
    steps.split_rows(flats(**ONE), dataset, "next", now)
    assert client.get_run(old.info.run_id).info.status == "KILLED"
