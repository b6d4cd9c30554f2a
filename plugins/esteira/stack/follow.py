"""Starts the first DAG of a case and follows the chain that its assets set off, to the end."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

from pydantic import JsonValue
from rich.console import Console

from esteira.chain import STEPS, Step, dag_id
from esteira.errors import EsteiraError
from esteira.settings import Settings
from esteira.stack.airflow import Airflow, connect
from esteira.stack.fault import fault_of
from esteira.stack.progress import Progress, RunView, TaskView, progress_on
from esteira.stack.readiness import wait_until_known
from esteira.stack.records import AssetEvent, Run, TaskRun
from esteira.stack.rest import AirflowSilentError

SUMMARY = "summary"
"""The key under which a task pushes the sentence that is shown beside it."""

_POLL_SECONDS = 0.4
_NEXT_RUN_SECONDS = 60.0
_STUCK_SECONDS = 120.0
_SILENCE_SECONDS = 20.0


class FollowError(EsteiraError):
    """A run cannot be followed: Airflow is not there, or does not go on."""


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """How one step ended; `announced` is what it told the next one (its asset event's `extra`)."""

    step: Step
    run: Run
    url: str
    summaries: tuple[str, ...] = ()
    announced: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the chain ended.

    `success`: all steps ran. `stopped`: a step succeeded without anything for the next one, such as
    a rejected model. `failed`: a task failed. `left`: the user stopped following; the run goes on.
    """

    state: Literal["success", "stopped", "failed", "left"]
    steps: tuple[StepRun, ...]
    message: str

    @property
    def exit_code(self) -> int:
        return {"success": 0, "stopped": 0, "failed": 1, "left": 130}[self.state]
