"""Starts the first DAG of a case and follows the chain that its assets set off, to the end."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from pydantic import JsonValue
from rich.console import Console

from esteira.chain import STEPS, Step, dag_id
from esteira.settings import Settings
from esteira.stack.airflow import Airflow, connect
from esteira.stack.fault import fault_of
from esteira.stack.onward import Onward, find_onward
from esteira.stack.progress import Progress, RunView, progress_on
from esteira.stack.readiness import wait_until_known
from esteira.stack.records import Run
from esteira.stack.watch import FollowError, Watch

_POLL_SECONDS = 0.4
State = Literal["success", "stopped", "failed", "left"]


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

    state: State
    steps: tuple[StepRun, ...]
    message: str

    @property
    def exit_code(self) -> int:
        return {"success": 0, "stopped": 0, "failed": 1, "left": 130}[self.state]


def follow(
    settings: Settings,
    case: str,
    *,
    conf: Mapping[str, JsonValue] | None = None,
    console: Console | None = None,
) -> Outcome:
    """Run a case through its three DAGs and show on the console how it goes, what it gives or why it fails.

    Raises FollowError or AirflowError when Airflow is not there, cannot read the DAGs or stops moving.
    """
    airflow = connect(settings)
    if airflow is None:
        raise FollowError(f"Airflow was never started in {settings.ESTEIRA_HOME}; start it with `esteira up`")
    progress = progress_on(console or Console())
    with airflow:
        try:
            outcome = _Chain(airflow, case, progress).run(conf)
        finally:
            progress.close()
    if outcome.message:
        progress.say(outcome.message)
    return outcome


class _Chain:
    """One passage through the three DAGs of a case."""

    def __init__(self, airflow: Airflow, case: str, progress: Progress) -> None:
        self._airflow = airflow
        self._case = case
        self._progress = progress
        self._current = airflow.url
        self._steps: list[StepRun] = []

    def run(self, conf: Mapping[str, JsonValue] | None) -> Outcome:
        wait_until_known(self._airflow, [dag_id(step, self._case) for step in STEPS], self._progress.say)
        run = self._airflow.trigger(dag_id(STEPS[0], self._case), conf)
        if ahead := Watch(self._airflow, run).ahead():
            self._progress.say(f"Another run may have to end first: {self._airflow.run_url(ahead)}")
        try:
            return self._follow(run)
        except KeyboardInterrupt:
            return self._outcome("left", f"Airflow goes on with it: {self._current}")

    def _follow(self, run: Run) -> Outcome:
        for step, following in zip_longest(STEPS, STEPS[1:]):
            view = self._watch(run)
            if view.run.state != "success":
                return self._outcome("failed", fault_of(self._airflow, view))
            if following is None:
                self._keep(step, view, None)
                break
            onward = find_onward(self._airflow, view.run, dag_id(following, self._case))
            self._keep(step, view, onward)
            if onward is None:
                return self._outcome("stopped", f"{run.dag_id} ended with nothing for {following}")
            run = onward.run
        return self._outcome("success", "")

    def _watch(self, run: Run) -> RunView:
        self._current = self._airflow.run_url(run)
        watch = Watch(self._airflow, run)
        while True:
            view = watch.look()
            self._progress.show(view)
            if view.run.is_over:
                return view
            time.sleep(_POLL_SECONDS)

    def _keep(self, step: Step, view: RunView, onward: Onward | None) -> None:
        self._steps.append(
            StepRun(
                step=step,
                run=view.run,
                url=self._airflow.run_url(view.run),
                summaries=tuple(item.summary for item in view.tasks if item.summary),
                announced=onward.event.extra if onward else None,
            )
        )

    def _outcome(self, state: State, message: str) -> Outcome:
        return Outcome(state=state, steps=tuple(self._steps), message=message)
