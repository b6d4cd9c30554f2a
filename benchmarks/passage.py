"""One passage of a case from the trigger to a live version, and what each of its tasks took."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from rich.console import Console

from benchmarks.errors import BenchmarkError
from esteira.deploy.facts import Build
from esteira.deploy.live import live
from esteira.settings import Settings
from esteira.stack.airflow import connect
from esteira.stack.follow import Outcome, follow
from esteira.stack.records import TaskRun


@dataclass(frozen=True, kw_only=True)
class Task:
    """How long one task of a run took; `dag` is the step's name."""

    dag: str
    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Passage:
    """`seconds` go from just before the trigger to the end of the task `switch`, by Airflow's record."""

    seconds: float
    build: Build
    tasks: tuple[Task, ...]


def take(now: Settings, case: str, rows: int) -> Passage:
    """Trigger a case's first DAG and follow it to the live version.

    Raises BenchmarkError when it ends otherwise, did not clean `rows` rows, or the version does not answer.
    """
    triggered = datetime.now(UTC)
    outcome = follow(now, case, console=Console(file=io.StringIO()))
    if outcome.state == "left":
        raise KeyboardInterrupt
    if outcome.state != "success":
        raise BenchmarkError(f"The run of {case} ended as {outcome.state!r}: {outcome.message}")
    _check_rows(outcome, rows)
    passage = _passage(now, outcome, triggered)
    _check_live(now, case, passage.build.version)
    return passage


def _passage(now: Settings, outcome: Outcome, triggered: datetime) -> Passage:
    released = outcome.steps[-1]
    airflow = connect(now)
    assert airflow is not None
    with airflow:
        done = {step.step: airflow.task_runs(step.run) for step in outcome.steps}
        build = Build.model_validate(airflow.xcom(released.run, "build_image", "return_value"))
    (switch,) = (task for task in done[released.step] if task.task_id == "switch")
    assert switch.end_date is not None
    return Passage(
        seconds=(switch.end_date - triggered).total_seconds(),
        build=build,
        tasks=tuple(_task(dag, task) for dag, tasks in done.items() for task in _by_start(tasks)),
    )


def _by_start(tasks: list[TaskRun]) -> list[TaskRun]:
    return sorted(tasks, key=lambda task: (task.start_date is None, task.start_date))


def _task(dag: str, task: TaskRun) -> Task:
    mapped = f" [{task.rendered_map_index or task.map_index}]" if task.map_index >= 0 else ""
    return Task(dag=dag, name=task.task_id + mapped, seconds=task.seconds)


def _check_rows(outcome: Outcome, rows: int) -> None:
    read = (outcome.steps[0].announced or {}).get("rows_in")
    if read != rows:
        raise BenchmarkError(f"The run cleaned {read} rows; {rows} were to be cleaned anew")


def _check_live(now: Settings, case: str, version: int) -> None:
    serving = live(case, now)
    answer = serving and httpx.get(f"{serving.url}/check", trust_env=False).json()
    if answer != {"status": "ok", "version": version}:
        raise BenchmarkError(f"{case} answers {answer}; version {version} was to be live")
