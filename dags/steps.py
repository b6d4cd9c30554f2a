"""What the three DAGs share: settings, cases, assets, and how a task reports its result."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Variable, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from esteira import casefile, settings
from esteira.errors import EsteiraError
from esteira.settings import Settings, SettingsError

log = logging.getLogger("esteira")

DEFAULTS = {
    "owner": "esteira",
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "show_return_value_in_logs": False,
}
"""A fault that may pass (MLflow or the engine being restarted) is tried twice again."""


def cases() -> list[str]:
    """The cases that get DAGs, read from the environment alone: parsing asks no Variable."""
    return casefile.names(settings.load().CASOS_PATH)


def about(case: str) -> tuple[str, list[str]]:
    """A case's title and candidates for the UI; a case file with faults shows them instead."""
    try:
        loaded = casefile.load(settings.load().CASOS_PATH, case)
    except EsteiraError as error:
        return f"**This case cannot run yet.**\n\n```\n{error}\n```", []
    return f"**{loaded.title}.** {loaded.description}", [one.kind for one in loaded.train.candidates]


def asset(case: str, what: str) -> Asset:
    """One of a case's four assets: raw, dataset, version or live."""
    return Asset(name=f"{case} {what}", uri=f"esteira://{case}/{what}", group="esteira")


@contextmanager
def step(case: str) -> Iterator[Step]:
    """What a task has at hand; a failure goes to the run's note, and one for good is not tried again."""
    context = get_current_context()
    try:
        yield Step(case, _settings(), context)
    except EsteiraError as error:
        _tell(context, error)
        if error.may_pass:
            raise
        raise AirflowFailException(str(error)) from error
    except Exception as error:
        _tell(context, error)
        raise


class Step:
    """A running task: its case and settings, what it was given, and how it tells its result."""

    def __init__(self, case: str, now: Settings, context: Any) -> None:
        self.settings = now
        self.case = casefile.load(now.CASOS_PATH, case).reading(context["params"].get("files"))
        self.params: dict[str, Any] = context["params"]
        self.training_id = f"{context['dag_run'].dag_id} {context['dag_run'].run_id}"
        self._context = context

    def say(self, summary: str) -> None:
        """One plain sentence, shown beside the task by `esteira run`."""
        _say(self._context, summary)

    def note(self, text: str) -> None:
        """The run's note in the Airflow UI."""
        _note(self._context, text)

    def produced(self, what: Asset, extra: dict[str, Any]) -> None:
        """What the asset's event says to the DAG that it starts."""
        self._context["outlet_events"][what].extra = extra

    def given(self, what: Asset) -> dict[str, Any]:
        """What the event that started this run says; started by hand: what the newest event says."""
        events = self._context["triggering_asset_events"].get(what) or self._context["inlet_events"][what]
        if not events:
            raise NothingYetError(f"There is no {what.name} yet: run the DAG that makes it first")
        return dict(events[-1].extra)

    def named(self, candidate: str) -> None:
        """The name of a mapped task in the grid."""
        self._context["candidate"] = candidate


class NothingYetError(EsteiraError):
    """A DAG was started by hand before the one that feeds it ever ended well."""


def _say(context: Any, summary: str) -> None:
    context["ti"].xcom_push(key="summary", value=summary)


def _tell(context: Any, error: Exception) -> None:
    """A failure, beside its task and in the run's note."""
    words = str(error) if isinstance(error, EsteiraError) else f"{type(error).__name__}: {error}"
    _say(context, words)
    _note(context, f"**Failed.** {words}")


def _note(context: Any, text: str) -> None:
    """Write a run's note, where Airflow's own API can be asked: there is none in `airflow dags test`.

    The environment alone says where that is, so that a wrong Variable has its note too. A note that cannot be
    written changes nothing of how the task ends.
    """
    from esteira.stack import airflow
    from esteira.stack.rest import AirflowError

    run = context["dag_run"]
    try:
        api = airflow.connect(settings.load())
        if api is not None:
            with api:
                api.set_note(api.run(run.dag_id, run.run_id), text)
    except (AirflowError, SettingsError) as error:
        log.warning("The run's note could not be written (%s); it was to say: %s", error, text)


def _settings() -> Settings:
    """The settings of a task: an Airflow Variable wins over the environment."""
    variables = {name: Variable.get(name, default=None) for name in settings.NAMES}
    return settings.load({**os.environ, **{name: value for name, value in variables.items() if value}})
