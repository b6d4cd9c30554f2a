"""Tells MLflow of a training: a parent run, opened when the rows are split and ended by the gate."""

from __future__ import annotations

import logging
import os
import time
import warnings
from pathlib import Path

import httpx
import mlflow
import numpy as np
import onnx
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from esteira.case import Case
from esteira.data.dataset import Dataset
from esteira.errors import EsteiraError
from esteira.settings import Settings
from esteira.train.judge import Judgement
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")

TRAINING = "esteira.training"
ROLE = "esteira.role"
_STALE_SECONDS = 2 * 24 * 3600
_PARTS = {"rows", "train_rows", "validation_rows", "holdout_rows", "synthetic"}


class TrackingError(EsteiraError):
    """MLflow does not answer."""

    may_pass = True


def connect(settings: Settings) -> mlflow.MlflowClient:
    """A client of the tracking server, once it answers; raises TrackingError at once when it does not."""
    uri = settings.MLFLOW_TRACKING_URI
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    if settings.mlflow_is_here:
        _reach_this_machine_directly()
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


def _reach_this_machine_directly() -> None:
    """Whatever proxy leads to the rest of the world; MLflow's own client asks by these variables too."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    missing = [host for host in ("127.0.0.1", "localhost") if host not in known.split(",")]
    os.environ["no_proxy"] = ",".join(filter(None, [known, *missing]))


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
    found = experiment(case.name, settings)
    _end_stale(client, found)
    known = client.search_runs(
        [found], f"tags.`{TRAINING}` = '{prepared.training_id}' and tags.`{ROLE}` = 'training'"
    )
    if known:
        client.update_run(known[0].info.run_id, status="RUNNING")
        return str(known[0].info.run_id)
    fact, train = prepared.dataset, case.train
    tags = {TRAINING: prepared.training_id, ROLE: "training", "mlflow.note.content": case.title}
    with mlflow.start_run(run_name=f"{case.name} {fact.sha256}", tags=tags) as run:
        mlflow.log_input(mlflow_dataset(prepared.cleaned), context="training")
        mlflow.log_params(
            {"metric": case.metric, "search_seconds": train.search.seconds if train.search else 0}
            | train.model_dump(include={"log_target", "holdout", "time", "folds", "imbalance"})
            | fact.model_dump(include=_PARTS)
        )
        mlflow.log_artifact(str(prepared.cleaned.page_path), "dataset")
    client.update_run(run.info.run_id, status="RUNNING")
    return str(run.info.run_id)


def log_judgement(prepared: Prepared, judgement: Judgement, settings: Settings) -> None:
    """Write the outcome to the parent run and end it: finished when it passed, failed when rejected.

    The run gets the holdout's scores, its pictures, the model card and the graph that production runs.
    """
    client = connect(settings)
    experiment(judgement.facts.case, settings)
    run_id, facts, winner = prepared.mlflow_run_id, judgement.facts, judgement.winner
    figures = {f"holdout_{name}": value for name, value in facts.scores.items()} | {
        "onnx_parity": facts.parity
    }
    if facts.interval is not None:
        figures |= {"holdout_coverage": facts.interval.coverage, "holdout_width": facts.interval.width}
    verdict = winner.name if judgement.passed else f"rejected {winner.name}"
    tags = {
        "mlflow.runName": f"{facts.case} {verdict}",
        "mlflow.note.content": judgement.sentence(),
        "esteira.winner": winner.name,
        "esteira.gate": "passed" if judgement.passed else "; ".join(judgement.reasons),
    }
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0) for name, value in figures.items()],
        tags=[RunTag(name, text) for name, text in tags.items()],
    )
    with mlflow.start_run(run_id=run_id):
        mlflow.log_artifacts(str(judgement.pictures))
        mlflow.log_artifact(str(judgement.card))
        log_graph(judgement.finished.graph.read_bytes())
    if winner.mlflow_run_id:
        client.set_tag(winner.mlflow_run_id, "esteira.winner", "true")
    status = RunStatus.FINISHED if judgement.passed else RunStatus.FAILED
    client.set_terminated(run_id, status=RunStatus.to_string(status))


def abandon(prepared: Prepared, why: BaseException) -> None:
    """End the parent run as failed, with the reason, as far as MLflow answers."""
    client = mlflow.MlflowClient()
    try:
        client.set_tag(prepared.mlflow_run_id, "mlflow.note.content", f"{type(why).__name__}: {why}")
        client.set_terminated(prepared.mlflow_run_id, status="FAILED")
    except MlflowException as error:
        log.warning("The run %s stays open in MLflow: %s", prepared.mlflow_run_id, error)


def log_graph(graph: bytes) -> None:
    """The graph as the active run's model, with the signature that it says of itself."""
    model = onnx.load_from_string(graph)
    mlflow.onnx.log_model(
        model,
        name="model",
        signature=ModelSignature(_schema(model.graph.input), _schema(model.graph.output)),
        pip_requirements=["onnxruntime", "numpy"],
        save_as_external_data=False,
    )


def mlflow_dataset(dataset: Dataset) -> MetaDataset:
    """The dataset as MLflow names it in a run."""
    with warnings.catch_warnings():
        # MLflow registers its source for local files twice and warns that it has to choose.
        warnings.filterwarnings("ignore", message="The specified dataset source can be interpreted")
        source = resolve_dataset_source(str(dataset.path))
    return MetaDataset(source, name=dataset.case, digest=dataset.sha)  # type: ignore[abstract]


def _schema(values: list[onnx.ValueInfoProto]) -> Schema:
    return Schema([_tensor(value) for value in values])


def _tensor(value: onnx.ValueInfoProto) -> TensorSpec:
    of = value.type.tensor_type
    # ONNX's own way gives object for strings, which MLflow's schema does not know.
    is_text = of.elem_type == onnx.TensorProto.STRING
    dtype = "str" if is_text else onnx.helper.tensor_dtype_to_np_dtype(of.elem_type)
    return TensorSpec(np.dtype(dtype), [one.dim_value or -1 for one in of.shape.dim], value.name)


def _end_stale(client: mlflow.MlflowClient, found: str) -> None:
    """A training that was killed for good left its run open."""
    before = int((time.time() - _STALE_SECONDS) * 1000)
    asked = f"attributes.status = 'RUNNING' and attributes.start_time < {before}"
    for run in client.search_runs([found], asked):
        client.set_terminated(run.info.run_id, status="KILLED")
