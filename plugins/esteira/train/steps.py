"""The four steps of a training, as the DAG, the command line and a notebook call them."""

import logging
from collections.abc import Sequence

from esteira import bundle
from esteira.bundle import Bundle
from esteira.case import Case
from esteira.data.dataset import Dataset
from esteira.settings import Settings
from esteira.train import judge, registry, track, workspace
from esteira.train.fit import Fitted, fit, named
from esteira.train.judge import Judgement, RejectedError
from esteira.train.prepare import prepare
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")


def split_rows(case: Case, dataset: Dataset, training_id: str, settings: Settings) -> Prepared:
    """Split the dataset, fit the preprocessing and open the training's run in MLflow."""
    track.connect(settings)
    prepared = prepare(case, dataset, training_id, settings)
    run_id = track.start(case, prepared, settings)
    return prepared.model_copy(update={"mlflow_run_id": run_id})


def fit_candidate(case: Case, prepared: Prepared, name: str, settings: Settings) -> Fitted:
    """Fit the case's candidate of a name, score it, export it and log it as a run."""
    fitted = fit(case, prepared, named(case, name))
    run_id = track.log_candidate(case, prepared, fitted, settings)
    return fitted.model_copy(update={"mlflow_run_id": run_id})


def pass_the_gate(case: Case, prepared: Prepared, fitted: Sequence[Fitted], settings: Settings) -> Judgement:
    """Judge the winner on the holdout and log the verdict.

    Raises RejectedError, with every reason, when the gate does not let it through.
    """
    judgement = judge.judge(case, prepared, fitted, settings)
    track.log_judgement(prepared, judgement, settings)
    if not judgement.passed:
        workspace.end(settings, case.name, prepared.training_id)
        raise RejectedError(
            f"{judgement.winner.name} is rejected: {'; '.join(judgement.reasons)}. "
            f"It stays in MLflow (run {prepared.mlflow_run_id}) and what is live stays live."
        )
    return judgement


def publish_version(prepared: Prepared, judgement: Judgement, settings: Settings) -> Bundle:
    """Publish the winner as the next version and register it in MLflow as the challenger."""
    track.connect(settings)
    winner = judgement.winner
    published = bundle.publish(
        settings.ARTEFATOS_PATH,
        judgement.facts,
        {
            "modelo": winner.model.read_bytes(),
            "scaler": (prepared.folder / "scaler.joblib").read_bytes(),
            "onnx": winner.graph.read_bytes(),
        },
    )
    number = registry.register(published, settings)
    log.info("Published version %d (MLflow's version %s)", published.version, number)
    workspace.end(settings, published.metadata.case, prepared.training_id)
    return published
