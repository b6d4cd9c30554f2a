"""A task of a training that is run again gives the same outcome, or says why it cannot."""

import os
import time

import mlflow
import pytest

from esteira import bundle
from esteira.train import steps, workspace
from esteira.train.judge import RejectedError
from esteira.train.workspace import WorkspaceGoneError
from flats import flats

ONE = {"candidates": [{"kind": "decision_tree"}]}


def fitted(case, dataset, now, training):
    prepared = steps.split_rows(case, dataset, training, now)
    return prepared, [steps.fit_candidate(case, prepared, "decision_tree", now)]


def works(now):
    return list((now.ESTEIRA_HOME / "work" / "flats").iterdir())


def test_what_was_published_is_published_again_as_the_same_version(dataset, now):
    prepared, candidates = fitted(flats(train=ONE), dataset, now, "one")
    judgement = steps.pass_the_gate(flats(train=ONE), prepared, candidates, now)
    first = steps.publish_version(prepared, judgement, now)
    assert works(now) == []
    assert steps.publish_version(prepared, judgement, now) == first
    assert bundle.versions(now.ARTEFATOS_PATH, "flats") == [1]


def test_a_rejected_challenger_passes_a_gate_that_was_lowered_since(dataset, now):
    strict, loose = flats(train=ONE, gate={"r2": 0.99999}), flats(train=ONE, gate={"r2": 0.5})
    prepared, candidates = fitted(strict, dataset, now, "one")
    for _ in range(2):
        with pytest.raises(RejectedError, match=r"at least 0\.99999 is asked"):
            steps.pass_the_gate(strict, prepared, candidates, now)
    judgement = steps.pass_the_gate(loose, prepared, candidates, now)
    assert steps.publish_version(prepared, judgement, now).version == 1
    run = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI).get_run(prepared.mlflow_run_id)
    assert (run.info.status, run.data.tags["esteira.gate"]) == ("FINISHED", "passed")
    assert works(now) == []


def test_a_rejected_trainings_folder_is_removed_by_a_training_two_days_later(dataset, now):
    strict = flats(train=ONE, gate={"r2": 0.99999})
    prepared, candidates = fitted(strict, dataset, now, "old")
    with pytest.raises(RejectedError):
        steps.pass_the_gate(strict, prepared, candidates, now)
    days_ago = time.time() - 2 * 24 * 3600 - 60
    os.utime(prepared.folder, (days_ago, days_ago))
    assert works(now) == [prepared.folder]
    workspace.start(now, "flats", "new")
    assert works(now) == [workspace.folder(now, "flats", "new")]


def test_a_step_whose_folder_is_gone_says_to_run_the_dag_again(dataset, now):
    case = flats(train=ONE)
    prepared, candidates = fitted(case, dataset, now, "one")
    judgement = steps.pass_the_gate(case, prepared, candidates, now)
    workspace.end(now, "flats", "one")
    again = r"is gone.*Run the DAG treina_salva_modelo again"
    with pytest.raises(WorkspaceGoneError, match=again):
        steps.fit_candidate(case, prepared, "decision_tree", now)
    with pytest.raises(WorkspaceGoneError, match=again):
        steps.combine(case, prepared, candidates, now)
    with pytest.raises(WorkspaceGoneError, match=again):
        steps.pass_the_gate(case, prepared, candidates, now)
    with pytest.raises(WorkspaceGoneError, match=again):
        steps.publish_version(prepared, judgement, now)
    run = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI).get_run(prepared.mlflow_run_id)
    assert run.info.status == "FINISHED"
