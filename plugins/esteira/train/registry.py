"""MLflow's model registry: a registered version for each published one, and who is champion."""

import logging

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from esteira.bundle import Bundle
from esteira.metadata import Metadata
from esteira.settings import Settings
from esteira.train import track

log = logging.getLogger("esteira")

VERSION_TAG = "esteira.version"


def register(bundle: Bundle, settings: Settings) -> str:
    """Register a published version as the challenger, linked both ways; registered already: that one.

    Returns MLflow's own number. The version and its tags come into being in one request, so a
    half-registered one cannot exist.
    """
    client = track.connect(settings)
    facts = bundle.metadata
    number = find(bundle.metadata.case, bundle.version, settings)
    if number is None:
        run_id = facts.mlflow_run_id
        assert run_id is not None
        _create_model(client, facts.case)
        outputs = client.get_run(run_id).outputs
        assert outputs is not None
        model = outputs.model_outputs[-1].model_id
        tags = {
            VERSION_TAG: str(bundle.version),
            "esteira.bundle": f"{facts.case}/metadados/{bundle.metadata_path.name}",
            "esteira.dataset": facts.dataset.sha256,
            "esteira.git_commit": facts.git_commit or "unknown",
        }
        created = client.create_model_version(
            facts.case, f"models:/{model}", run_id, tags=tags, model_id=model, description=_description(facts)
        )
        number = str(created.version)
        candidate = next(one.mlflow_run_id for one in facts.candidates if one.name == facts.chosen)
        for run in {run_id, candidate or run_id}:
            client.set_tag(run, VERSION_TAG, str(bundle.version))
        client.set_tag(run_id, "mlflow.runName", f"v{bundle.version} {facts.chosen}")
    client.set_registered_model_alias(facts.case, "challenger", number)
    return number


def find(case: str, version: int, settings: Settings) -> str | None:
    """MLflow's own number of a published version, or None when it was never registered."""
    client = track.connect(settings)
    for known in client.search_model_versions(f"name = '{case}'"):
        if known.tags.get(VERSION_TAG) == str(version):
            return str(known.version)
    return None


def promote(case: str, version: int, settings: Settings) -> None:
    """Mark the version that went live as the champion; it is no longer a challenger."""
    client = track.connect(settings)
    number = find(case, version, settings)
    if number is None:
        log.warning("Version %d of %s is not registered in MLflow: nothing to mark", version, case)
        return
    client.set_registered_model_alias(case, "champion", number)
    if str(client.get_registered_model(case).aliases.get("challenger")) == number:
        client.delete_registered_model_alias(case, "challenger")


def _description(facts: Metadata) -> str:
    return f"{facts.title}: {facts.chosen}, {facts.told()} on the holdout"


def _create_model(client: MlflowClient, case: str) -> None:
    try:
        client.create_registered_model(case)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
