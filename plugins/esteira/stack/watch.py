"""Looks at one run again and again: its state, its tasks in the order of the work, their results."""

import time
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from typing import TypeVar

from esteira.errors import EsteiraError
from esteira.stack.airflow import Airflow
from esteira.stack.progress import RunView, TaskView
from esteira.stack.records import Node, Run, TaskRun
from esteira.stack.rest import AirflowSilentError

SUMMARY = "summary"
"""The XCom key under which a task pushes the sentence that is shown beside it."""
STUCK_SECONDS = 120.0
"""How long a run may stand still, with no task at work, before that is called an error."""
SILENCE_SECONDS = 30.0
"""How long Airflow may not answer while a run is followed."""

_AT_WORK = frozenset({"running", "up_for_retry", "up_for_reschedule", "deferred"})
_Answer = TypeVar("_Answer")


class FollowError(EsteiraError):
    """A run cannot be followed: Airflow is not there, or does not go on."""


class Watch:
    """What is known of a run so far; `look` brings it up to date."""

    def __init__(self, airflow: Airflow, run: Run) -> None:
        self._airflow = airflow
        self._run = run
        self._nodes: dict[str, Node] = {}
        self._summaries: dict[tuple[str, int], str | None] = {}
        self._states: Sequence[str | None] = ()
        self._moved = time.monotonic()

    def look(self) -> RunView:
        """The run as it is now; raises FollowError when it has stood still for too long."""
        run = patiently(lambda: self._airflow.run(self._run.dag_id, self._run.run_id))
        tasks = patiently(lambda: self._airflow.task_runs(run))
        if not self._nodes:
            self._nodes = _in_order(patiently(lambda: self._airflow.nodes(run.dag_id)))
        self._check_moving(run, tasks)
        order = list(self._nodes)
        known = [task for task in tasks if task.task_id in self._nodes]
        known.sort(key=lambda task: (order.index(task.task_id), task.map_index))
        return RunView(run=run, tasks=tuple(map(self._view, known)))

    def ahead(self) -> Run | None:
        """Another run of the same DAG that is running: a queued one may have to wait for it."""
        runs = patiently(lambda: self._airflow.runs(self._run.dag_id))
        others = (run for run in runs if run.run_id != self._run.run_id)
        return next((run for run in others if run.state == "running"), None)

    def _view(self, task: TaskRun) -> TaskView:
        name = self._nodes[task.task_id].task_display_name
        if task.map_index >= 0:
            name += f" [{task.rendered_map_index or task.map_index}]"
        return TaskView(task=task, name=name, summary=self._summary(task))

    def _summary(self, task: TaskRun) -> str | None:
        if not task.is_over or task.start_date is None:
            return None
        key = (task.task_id, task.map_index)
        if key not in self._summaries:
            value = patiently(lambda: self._airflow.xcom(self._run, task.task_id, SUMMARY, task.map_index))
            self._summaries[key] = value if isinstance(value, str) else None
        return self._summaries[key]

    def _check_moving(self, run: Run, tasks: Sequence[TaskRun]) -> None:
        states = [run.state, *(task.state for task in tasks)]
        if states != self._states or _AT_WORK.intersection(map(str, states[1:])):
            self._states, self._moved = states, time.monotonic()
        elif run.state == "queued" and self.ahead():
            self._moved = time.monotonic()
        elif time.monotonic() - self._moved > STUCK_SECONDS:
            health = ", ".join(f"{part} {state}" for part, state in self._airflow.health().items())
            raise FollowError(
                f"{run.dag_id} is {run.state} and has not moved for {STUCK_SECONDS:.0f} s ({health}); "
                f"look at {self._airflow.run_url(run)}, "
                f"or restart Airflow with `esteira down` and `esteira up`"
            )


def patiently(ask: Callable[[], _Answer]) -> _Answer:
    """Ask again while Airflow is silent, for SILENCE_SECONDS; then its AirflowSilentError."""
    deadline = time.monotonic() + SILENCE_SECONDS
    while True:
        try:
            return ask()
        except AirflowSilentError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def _in_order(nodes: Sequence[Node]) -> dict[str, Node]:
    by_id = {node.task_id: node for node in nodes}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in nodes:
        sorter.add(node.task_id)
        for later in node.downstream_task_ids:
            sorter.add(later, node.task_id)
    return {task_id: by_id[task_id] for task_id in sorter.static_order()}
