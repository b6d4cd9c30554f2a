"""What the three DAGs share: settings, cases, assets, and how a task reports its result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Context, Variable, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from esteira import casefile, settings
from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.settings import Settings

DEFAULTS = {"owner": "esteira", "retries": 2, "retry_delay": timedelta(seconds=5)}
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


def current() -> Settings:
    """The settings of this task: an Airflow Variable wins over the environment."""
    variables = {name: Variable.get(name, default=None) for name in settings.NAMES}
    return settings.load({**os.environ, **{name: value for name, value in variables.items() if value}})


def load(case: str, now: Settings) -> Case:
    return casefile.load(now.CASOS_PATH, case)


@contextmanager
def reporting(now: Settings) -> Iterator[Report]:
    """Runs a step; what it says goes to XCom and to the note of the run, also when it fails for good."""
    report = Report(get_current_context(), now)
    try:
        yield report
    except EsteiraError as error:
        report.note(f"**Failed.** {error}")
        if error.may_pass:
            raise
        raise AirflowFailException(str(error)) from error


def last_extra(events: Any, what: str) -> dict[str, Any]:
    """What the newest of some asset events says: those that started this run, else all there are."""
    if not events:
        raise NothingYetError(f"There is no {what} yet: run the DAG before this one first")
    return dict(events[-1].extra)


class NothingYetError(EsteiraError):
    """A DAG was started by hand before the one that feeds it ever ended well."""


class Report:
    """What a task tells the person who follows the run."""

    def __init__(self, context: Context, now: Settings) -> None:
        self._context: Any = context
        self._now = now

    def say(self, summary: str) -> None:
        """One plain sentence, shown beside the task by `esteira run`."""
        self._context["ti"].xcom_push(key="summary", value=summary)

    def note(self, text: str) -> None:
        """The run's note in the Airflow UI, where Airflow's own API can be asked."""
        from esteira.stack import airflow

        api = airflow.connect(self._now)
        if api is not None:
            run = self._context["dag_run"]
            api.set_note(run.dag_id, run.run_id, text)
