"""A candidate's run in MLflow, open while it is fitted, with a nested run for each trial of its search."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import joblib
import mlflow
from mlflow.entities import Metric, Param

from esteira.candidates import Candidate, parameters
from esteira.case import Case
from esteira.settings import Settings
from esteira.train import folds, graph, importance, pictures
from esteira.train.answers import Answers
from esteira.train.fitted import Fitted
from esteira.train.prepared import Prepared
from esteira.train.track import ROLE, TRAINING, connect, experiment, log_graph, mlflow_dataset

if TYPE_CHECKING:
    from esteira.train.search import TrialFact

_STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
_PARENT = "mlflow.parentRunId"


class CandidateRun:
    """The open run of a candidate."""

    def __init__(self, client: mlflow.MlflowClient, run: mlflow.entities.Run, metric: str) -> None:
        self._client = client
        self._run = run
        self._metric = metric

    @property
    def run_id(self) -> str:
        return str(self._run.info.run_id)

    def trial(self, fact: TrialFact) -> None:
        """A nested run of one trial: finished, killed when it was pruned, or failed; a tag says which."""
        now = int(time.time() * 1000)
        run = self._client.create_run(
            self._run.info.experiment_id,
            start_time=now - int(fact.seconds * 1000),
            run_name=f"{self._run.info.run_name} {fact.number}",
            tags={
                _PARENT: self.run_id,
                TRAINING: self._run.data.tags[TRAINING],
                ROLE: "trial",
                "esteira.state": fact.state,
            },
        )
        values = {"fit_seconds": fact.seconds} | ({} if fact.value is None else {self._metric: fact.value})
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, now, 0) for name, value in values.items()],
            params=[Param(name, str(value)) for name, value in fact.parameters.items()],
        )
        self._client.set_terminated(run.info.run_id, _STATUS[fact.state], now)

    def result(self, case: Case, prepared: Prepared, fitted: Fitted) -> None:
        """Parameters, scores, pictures, and the model as an ONNX graph from raw features."""
        whole = graph.whole(prepared, fitted)
        actual = folds.judged_target(case, prepared)
        drawn = dict(pictures.of_answers(case, prepared.classes, actual, _answers(fitted, prepared)))
        if prepared.dataset.validation_rows:  # with folds, it was fitted on every row but the holdout's
            ask, unseen = importance.asking(case, whole), prepared.sample("validation")
            drawn |= pictures.of_features(case, prepared, unseen, ask)[1]
        if fitted.study is not None:
            drawn |= pictures.of_study(joblib.load(fitted.study))
        mlflow.log_params({"candidate": fitted.name} | parameters(fitted.candidate))
        mlflow.log_metrics(fitted.scores | {"fit_seconds": fitted.seconds})
        mlflow.set_tag("esteira.bound", fitted.bound)
        mlflow.log_artifacts(str(pictures.write(prepared.folder / f"{fitted.name}_pictures", drawn)))
        log_graph(whole)


@contextmanager
def candidate_run(
    case: Case, prepared: Prepared, candidate: Candidate, settings: Settings
) -> Iterator[CandidateRun]:
    """Open a candidate's run, in the place of those of earlier tries; an error ends it as failed.

    Raises TrackingError when MLflow does not answer.
    """
    client = connect(settings)
    found = experiment(case.name, settings)
    _drop_earlier_tries(client, found, prepared.training_id, candidate.kind)
    tags = {_PARENT: prepared.mlflow_run_id, TRAINING: prepared.training_id, ROLE: "candidate"}
    with mlflow.start_run(run_name=candidate.kind, tags=tags) as run:
        mlflow.log_input(mlflow_dataset(prepared.cleaned), context="training")
        try:
            yield CandidateRun(client, run, case.metric)
        except Exception as error:
            client.set_tag(run.info.run_id, "mlflow.note.content", f"{type(error).__name__}: {error}")
            raise


def _answers(fitted: Fitted, prepared: Prepared) -> Answers:
    """What a candidate answers to the rows it was compared on."""
    given: Any = fitted.answered()
    if prepared.classes is None:
        return Answers(prediction=given)
    return Answers(prediction=given.argmax(axis=1), probabilities=given)


def _drop_earlier_tries(client: mlflow.MlflowClient, found: str, training: str, name: str) -> None:
    mine = f"tags.`{TRAINING}` = '{training}' and tags.`{ROLE}`"
    for twin in client.search_runs([found], f"{mine} = 'candidate' and attributes.run_name = '{name}'"):
        trials = f"{mine} = 'trial' and tags.`{_PARENT}` = '{twin.info.run_id}'"
        for run in [twin, *client.search_runs([found], trials)]:
            client.delete_run(run.info.run_id)
