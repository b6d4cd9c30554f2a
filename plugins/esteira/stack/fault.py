"""Why a run failed, in words that a person can act on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from esteira.stack.airflow import Airflow
from esteira.stack.progress import RunView, TaskView

LINES = 20
"""How many of the last log lines are shown."""

_BOOKKEEPING = frozenset({"Log message source details", "Pre Execute", "Post Execute"})
_PRINTED = frozenset({"task.stdout", "task.stderr"})  # may arrive when a group has begun already


def fault_of(airflow: Airflow, view: RunView) -> str:
    """The task that ended the run, the end of its log and where the UI shows it.

    That is the last one that failed: a candidate that fails earlier ends nothing.
    """
    run = view.run
    failed = [item for item in view.tasks if item.task.state == "failed"]
    if not failed:
        return f"{run.dag_id} is {run.state} without a failed task; look at {airflow.run_url(run)}"
    last = max(failed, key=_end)
    lines = meaningful(airflow.log(run, last.task))
    shown = "\n".join(f"  {line}" for line in lines[-LINES:]) or "  (its log is empty)"
    tries = "1 try" if last.task.try_number == 1 else f"{last.task.try_number} tries"
    return (
        f"{run.dag_id} / {last.name} failed after {tries}. Its log ends with\n{shown}\n"
        f"The whole log: {airflow.task_url(run, last.task)}"
    )


def meaningful(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines of a task's log in the order of time, without those that Airflow writes for itself."""
    lines: list[str] = []
    inside = False
    for entry in sorted(entries, key=_moment):
        event = str(entry.get("event", ""))
        if event.startswith("::group::"):
            inside = event.removeprefix("::group::") in _BOOKKEEPING
        elif event.startswith("::endgroup::"):
            inside = False
        elif not inside or str(entry.get("logger")) in _PRINTED:
            lines += _lines(entry)
    return lines


def _lines(entry: Mapping[str, Any]) -> list[str]:
    event, level = str(entry.get("event", "")), str(entry.get("level") or "info")
    details = entry.get("error_detail") or []
    errors = [f"{error.get('exc_type')}: {error.get('exc_value')}" for error in details]
    causes = [f"from {cause}" for cause in errors[1:]]
    text = "\n".join([event if level == "info" else f"{level}: {event}", *errors[:1], *causes])
    return text.splitlines()


def _moment(entry: Mapping[str, Any]) -> tuple[bool, str]:
    last_word = entry.get("event") == "Task failed with exception"  # what was printed before may come later
    return last_word, str(entry.get("timestamp") or "")


def _end(item: TaskView) -> datetime:
    return item.task.end_date or datetime.now(UTC)
