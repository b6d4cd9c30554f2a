"""All three steps of a case in this process, without Airflow: for quick loops and notebooks."""

import logging
from datetime import UTC, datetime

from esteira import casefile
from esteira.data import clean, raw
from esteira.deploy import whole
from esteira.deploy.facts import Release
from esteira.deploy.live import public_port
from esteira.settings import Settings
from esteira.stack.health import mlflow_is_healthy

log = logging.getLogger("esteira")


def run(name: str, settings: Settings) -> Release:
    """From the raw file to the live API; returns the release.

    Runs are logged to the MLflow server if it answers, else to a database of their own in ESTEIRA_HOME.
    """
    from esteira.train import steps as train

    public_port(name, settings)
    case, now = casefile.load(settings.CASOS_PATH, name), tracked(settings)
    dataset = clean.clean(case, raw.find(case, now), now)
    prepared = train.split_rows(case, dataset, f"local {datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}", now)
    fitted = train.fit_all(case, prepared, now)
    judgement = train.pass_the_gate(case, prepared, fitted, now)
    published = train.publish_version(prepared, judgement, now)
    return whole.go_live(name, published.version, now)


def tracked(settings: Settings) -> Settings:
    """The settings, with a tracking store that answers."""
    if not settings.MLFLOW_TRACKING_URI.startswith("http") or mlflow_is_healthy(settings.MLFLOW_TRACKING_URI):
        return settings
    folder = settings.ESTEIRA_HOME / "local"
    folder.mkdir(parents=True, exist_ok=True)
    store = f"sqlite:///{folder / 'mlflow.db'}"
    log.warning("MLflow does not answer at %s; the runs are kept in %s", settings.MLFLOW_TRACKING_URI, store)
    return settings.model_copy(update={"MLFLOW_TRACKING_URI": store})
