"""Finds the run that another run has set off by what it announced."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from esteira.stack.airflow import Airflow
from esteira.stack.records import AssetEvent, Run
from esteira.stack.watch import FollowError, patiently

NEXT_RUN_SECONDS = 60.0
"""How long the scheduler may take to start the next DAG once its asset was announced."""

_POLL_SECONDS = 0.4


@dataclass(frozen=True, kw_only=True)
class Onward:
    """What was announced, and the run that it set off."""

    event: AssetEvent
    run: Run


def find_onward(airflow: Airflow, run: Run, following: str) -> Onward | None:
    """The run of the following DAG that `run` set off; None when it announced nothing that starts it.

    Raises FollowError when it announced something and no run has started in time.
    """
    deadline = time.monotonic() + NEXT_RUN_SECONDS
    while time.monotonic() < deadline:
        latest = patiently(partial(airflow.runs, following, limit=5))
        if any(other.state == "running" for other in latest):
            deadline = time.monotonic() + NEXT_RUN_SECONDS  # a queued run waits for it, and may
        if all(other.start_date for other in latest):  # else Airflow fails to answer the next question
            events = patiently(partial(_events, airflow, run, following))
            if not events:
                return None
            if onward := _first(events, following):
                return onward
        time.sleep(_POLL_SECONDS)
    raise FollowError(
        f"{run.dag_id} succeeded, but {following} has not started within {NEXT_RUN_SECONDS:.0f} s; "
        f"look at {airflow.url}/dags/{following}: it may be paused or wait for another asset"
    )


def _events(airflow: Airflow, run: Run, following: str) -> list[AssetEvent]:
    starting = airflow.assets_that_start(following)
    return [event for event in airflow.asset_events(run) if event.asset_id in starting]


def _first(events: Sequence[AssetEvent], following: str) -> Onward | None:
    made = ((event, run) for event in events for run in event.created_dagruns)
    return next((Onward(event=event, run=run) for event, run in made if run.dag_id == following), None)
