"""The steps of a training, as the DAG, the command line and a notebook call them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from esteira import bundle, signing
from esteira.bundle import Bundle
from esteira.candidates import Ensemble
from esteira.case import Case
from esteira.data.dataset import Dataset
from esteira.errors import EsteiraError
from esteira.metadata import Role
from esteira.settings import Settings
from esteira.train import ensemble, judge, registry, search, track, workspace
from esteira.train.candidate_run import candidate_run
from esteira.train.fit import fit, named
from esteira.train.fitted import Fitted
from esteira.train.judge import Judgement, RejectedError
from esteira.train.learn import CandidateError
from esteira.train.prepare import prepare
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")


def split_rows(case: Case, dataset: Dataset, training_id: str, settings: Settings) -> Prepared:
    """Split the dataset, fit the preprocessing and open the training's run in MLflow."""
    track.connect(settings)
    prepared = prepare(case, dataset, training_id, settings)
    run_id = track.start(case, prepared, settings)
    return prepared.model_copy(update={"mlflow_run_id": run_id})


def alone(case: Case) -> list[str]:
    """The candidates that are fitted each for itself: all but the ensemble; CandidateError without any."""
    names: list[str] = [one.kind for one in case.train.candidates if not isinstance(one, Ensemble)]
    if not names:
        raise CandidateError("An ensemble needs candidates to be made of; choose two or more of them")
    return names


def competing(case: Case, names: Sequence[str]) -> Case:
    """The case with only the candidates named, in its own order; with all of them when none is.

    Raises CandidateError for a name that is not among them.
    """
    chosen = {named(case, name).kind for name in names}
    kept = tuple(one for one in case.train.candidates if one.kind in chosen or not chosen)
    return case.model_copy(update={"train": case.train.model_copy(update={"candidates": kept})})


def fit_candidate(case: Case, prepared: Prepared, name: str, settings: Settings) -> Fitted:
    """Search, fit, score and export the case's candidate of a name, and log it as a run with its trials."""
    workspace.check(prepared.folder)
    candidate = named(case, name)
    seconds = None if isinstance(candidate, Ensemble) else search.seconds_for(case, candidate)
    with candidate_run(case, prepared, candidate, settings) as run:
        fitted = fit(case, prepared, candidate, seconds, run.trial)
        run.result(case, prepared, fitted)
    return fitted.model_copy(update={"mlflow_run_id": run.run_id})


def combine(case: Case, prepared: Prepared, fitted: Sequence[Fitted], settings: Settings) -> list[Fitted]:
    """The fitted candidates, with their ensemble if the case names one and there are two or more of them."""
    workspace.check(prepared.folder)
    wanted = next((one for one in case.train.candidates if isinstance(one, Ensemble)), None)
    if wanted is None or len(fitted) < 2:
        return list(fitted)
    with candidate_run(case, prepared, wanted, settings) as run:
        together = ensemble.combine(case, prepared, wanted, fitted)
        run.result(case, prepared, together)
    return [*fitted, together.model_copy(update={"mlflow_run_id": run.run_id})]


def fit_all(case: Case, prepared: Prepared, settings: Settings) -> list[Fitted]:
    """Every candidate of the case and the ensemble, one after the other.

    One that fails is reported and left out. Raises TrackingError when MLflow does not answer.
    """
    fitted: list[Fitted] = []
    for name in alone(case):
        with _left_out(name):
            fitted.append(fit_candidate(case, prepared, name, settings))
    with _left_out("ensemble"):
        return combine(case, prepared, fitted, settings)
    return fitted


def pass_the_gate(case: Case, prepared: Prepared, fitted: Sequence[Fitted], settings: Settings) -> Judgement:
    """Finish the winner, judge it on the holdout and log the verdict.

    Raises RejectedError, with every reason, when the gate does not let it through (a lower one may let
    through what was fitted), and NoCandidateError when there is nothing to judge.
    """
    workspace.check(prepared.folder)
    track.connect(settings)
    try:
        judgement = judge.judge(case, prepared, fitted, settings)
    except Exception as error:
        track.abandon(prepared, error)
        raise
    track.log_judgement(prepared, judgement, settings)
    if not judgement.passed:
        raise RejectedError(
            f"{judgement.winner.name} is rejected: {'; '.join(judgement.reasons)}. "
            f"It stays in MLflow (run {prepared.mlflow_run_id}) and what is live stays live."
        )
    return judgement


def publish_version(prepared: Prepared, judgement: Judgement, settings: Settings) -> Bundle:
    """Publish the final model, signed, as the next version and register it in MLflow as the challenger.

    Of a training that was published already, the version that it is.
    Raises KeyPairError when the key of this home is lost; then nothing is published.
    """
    track.connect(settings)
    known = bundle.of_training(settings.ARTEFATOS_PATH, judgement.facts.case, prepared.training_id)
    published = known or _published(prepared, judgement, settings)
    number = registry.register(published, settings)
    log.info("Published version %d (MLflow's version %s)", published.version, number)
    workspace.end(settings, published.metadata.case, prepared.training_id)
    return published


def _published(prepared: Prepared, judgement: Judgement, settings: Settings) -> Bundle:
    workspace.check(prepared.folder)
    files: dict[Role, bytes] = {
        "modelo": judgement.finished.model.read_bytes(),
        "scaler": (prepared.folder / "scaler.joblib").read_bytes(),
        "onnx": judgement.finished.graph.read_bytes(),
        "cartao": judgement.card.read_bytes(),
    }
    sign = signing.signer(settings.ESTEIRA_HOME)
    return bundle.publish(settings.ARTEFATOS_PATH, judgement.facts, files, sign)


@contextmanager
def _left_out(name: str) -> Iterator[None]:
    """What a candidate cannot do is the end of it, not of the training; any other error is."""
    try:
        yield
    except EsteiraError as error:
        if error.may_pass:
            raise
        log.error("%s failed and is left out; the others go on: %s", name, error)  # noqa: TRY400
