"""Tells MLflow: a parent run for each training, a child run for each candidate."""

import logging
import os
import warnings
from pathlib import Path

import httpx
import mlflow
import onnx
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Run, RunStatus
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
from numpy import dtype
from sklearn.inspection import permutation_importance
from sklearn.pipeline import Pipeline

from esteira.candidates import parameters
from esteira.case import Case
from esteira.data.dataset import Dataset
from esteira.errors import EsteiraError
from esteira.settings import Settings
from esteira.train import features, plots
from esteira.train.features import Layout
from esteira.train.fit import Fitted
from esteira.train.judge import Judgement
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")

_IMPORTANCE_ROWS = 1_000
_TRAINING = "esteira.training"


class TrackingError(EsteiraError):
    """MLflow does not answer."""

    may_pass = True


def connect(settings: Settings) -> mlflow.MlflowClient:
    """A client of the tracking server, once it answers; raises TrackingError at once when it does not."""
    uri = settings.MLFLOW_TRACKING_URI
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    if uri.startswith("http"):
        try:
            httpx.get(f"{uri}/health", timeout=5).raise_for_status()
        except httpx.HTTPError as error:
            raise TrackingError(
                f"MLflow does not answer at {uri} ({error}); start it with `esteira up`, "
                f"or set MLFLOW_TRACKING_URI to where it is"
            ) from None
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient()


def experiment(case: str, settings: Settings) -> str:
    """The id of the case's experiment; without a server its files lie beside the database."""
    uri = settings.MLFLOW_TRACKING_URI
    if uri.startswith("sqlite:///") and mlflow.get_experiment_by_name(case) is None:
        files = Path(uri.removeprefix("sqlite:///")).resolve().parent / "artifacts"
        mlflow.create_experiment(case, artifact_location=files.as_uri())
    return str(mlflow.set_experiment(case).experiment_id)


def start(case: Case, prepared: Prepared, settings: Settings) -> str:
    """The id of the training's parent run; the same training asked again gives the same run."""
    client = connect(settings)
    known = client.search_runs(
        [experiment(case.name, settings)],
        f"tags.`{_TRAINING}` = '{prepared.training_id}' and tags.`esteira.role` = 'training'",
    )
    if known:
        client.update_run(known[0].info.run_id, status="RUNNING")
        return str(known[0].info.run_id)
    fact = prepared.dataset
    tags = {_TRAINING: prepared.training_id, "esteira.role": "training", "mlflow.note.content": case.title}
    with mlflow.start_run(run_name=f"{case.name} {fact.sha256}", tags=tags) as run:
        mlflow.log_input(_mlflow_dataset(prepared.cleaned), context="training")
        mlflow.log_params(
            {"metric": case.train.metric, "log_target": case.train.log_target}
            | fact.model_dump(include={"rows", "train_rows", "validation_rows", "holdout_rows", "synthetic"})
        )
        mlflow.log_artifact(str(prepared.cleaned.page_path), "dataset")
    client.update_run(run.info.run_id, status="RUNNING")
    return str(run.info.run_id)


def log_candidate(case: Case, prepared: Prepared, fitted: Fitted, settings: Settings) -> str:
    """One child run: parameters, scores, dataset, ONNX model with signature, three pictures."""
    client = connect(settings)
    experiment(case.name, settings)
    tags = {
        "mlflow.parentRunId": prepared.mlflow_run_id,
        _TRAINING: prepared.training_id,
        "esteira.role": "candidate",
        "esteira.bound": fitted.bound,
    }
    with mlflow.start_run(run_name=fitted.name, tags=tags) as run:
        mlflow.log_params({"candidate": fitted.name} | parameters(fitted.candidate))
        mlflow.log_metrics(fitted.scores | {"fit_seconds": fitted.seconds})
        mlflow.log_input(_mlflow_dataset(prepared.cleaned), context="training")
        _log_pictures(case, prepared, fitted)
        mlflow.onnx.log_model(
            onnx.load(fitted.graph),
            name="model",
            signature=_signature(features.layout(case.features)),
            pip_requirements=["onnxruntime", "numpy"],
            save_as_external_data=False,
        )
    _drop_earlier_tries(client, run, fitted.name)
    return str(run.info.run_id)


def log_judgement(prepared: Prepared, judgement: Judgement, settings: Settings) -> None:
    """Write the outcome to the parent run and end it: finished when it passed, failed when rejected."""
    client = connect(settings)
    run_id = prepared.mlflow_run_id
    for name, value in judgement.facts.scores.items():
        client.log_metric(run_id, f"holdout_{name}", value)
    client.log_metric(run_id, "onnx_parity", judgement.facts.parity)
    verdict = judgement.winner.name if judgement.passed else f"rejected {judgement.winner.name}"
    client.set_tag(run_id, "mlflow.runName", f"{judgement.facts.case} {verdict}")
    client.set_tag(run_id, "mlflow.note.content", judgement.sentence())
    client.set_tag(run_id, "esteira.winner", judgement.winner.name)
    client.set_tag(run_id, "esteira.gate", "passed" if judgement.passed else "; ".join(judgement.reasons))
    if judgement.winner.mlflow_run_id:
        client.set_tag(judgement.winner.mlflow_run_id, "esteira.winner", "true")
    status = RunStatus.FINISHED if judgement.passed else RunStatus.FAILED
    client.set_terminated(run_id, status=RunStatus.to_string(status))


def _drop_earlier_tries(client: mlflow.MlflowClient, run: Run, name: str) -> None:
    training = run.data.tags[_TRAINING]
    for twin in client.search_runs([run.info.experiment_id], f"tags.`{_TRAINING}` = '{training}'"):
        if twin.info.run_name == name and twin.info.run_id != run.info.run_id:
            client.delete_run(twin.info.run_id)


def _log_pictures(case: Case, prepared: Prepared, fitted: Fitted) -> None:
    actual, model = prepared.target("validation"), fitted.estimator()
    predicted = model.predict(prepared.columns("validation"))
    unit = f"({case.target_column.unit})" if case.target_column.unit else ""
    mlflow.log_figure(plots.predicted_against_actual(actual, predicted, unit), "predicted_against_actual.png")
    mlflow.log_figure(plots.residuals(actual, predicted, unit), "residuals.png")
    sample = prepared.raw("validation").head(_IMPORTANCE_ROWS)
    shape = features.layout(case.features)
    pipeline = Pipeline([*prepared.scaler().steps, ("model", model)])
    shuffled = permutation_importance(
        pipeline,
        features.frame(sample, shape),
        sample[case.target],
        n_repeats=2,
        random_state=0,
        scoring="r2",
    )
    mlflow.log_figure(plots.importances(shape.names, shuffled.importances_mean), "importances.png")


def _signature(shape: Layout) -> ModelSignature:
    inputs: list[ColSpec | TensorSpec] = []
    if shape.numbers:
        inputs.append(TensorSpec(dtype("float64"), (-1, len(shape.numbers)), "numbers"))
    if shape.texts:
        inputs.append(TensorSpec(dtype("str"), (-1, len(shape.texts)), "texts"))
    return ModelSignature(Schema(inputs), Schema([TensorSpec(dtype("float32"), (-1, 1), "prediction")]))


def _mlflow_dataset(dataset: Dataset) -> MetaDataset:
    with warnings.catch_warnings():
        # MLflow registers its source for local files twice and warns that it has to choose.
        warnings.filterwarnings("ignore", message="The specified dataset source can be interpreted")
        source = resolve_dataset_source(str(dataset.path))
    return MetaDataset(source, name=dataset.case, digest=dataset.sha)  # type: ignore[abstract]
