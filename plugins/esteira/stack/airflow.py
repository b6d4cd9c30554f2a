"""A small typed client for the part of Airflow's REST API that starting and following a run needs."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from pydantic import JsonValue

from esteira.settings import Settings
from esteira.stack.home import USER, Home
from esteira.stack.records import AssetEvent, Dag, ImportFault, Node, Run, TaskRun
from esteira.stack.rest import Rest

_PAGE = 100


def connect(settings: Settings) -> "Airflow | None":
    """A client for this project's Airflow; None when it was never started, so that no password exists."""
    password = Home.of(settings).password()
    url = settings.AIRFLOW_URL or settings.airflow_url
    return Airflow(url, USER, password, page=settings.airflow_url) if password else None


class Airflow:
    """Airflow at an address; logs in when first asked, and again when its token has expired.

    `page` is where people open it, if that is another address.
    """

    def __init__(self, url: str, user: str, password: str, *, page: str = "") -> None:
        self._rest = Rest(url, user, password)
        self.url = (page or self._rest.url).rstrip("/")

    def __repr__(self) -> str:
        return f"Airflow({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest.close()

    def dag(self, dag_id: str) -> Dag | None:
        """What Airflow knows of a DAG; None before it has read its file."""
        found = self._rest.find("GET", f"/dags/{quote(dag_id)}")
        return None if found is None else Dag.model_validate(found)

    def nodes(self, dag_id: str) -> list[Node]:
        """The tasks of a DAG, in no order."""
        return [Node.model_validate(task) for task in self._rest.get(f"/dags/{quote(dag_id)}/tasks")["tasks"]]

    def import_faults(self) -> list[ImportFault]:
        """The DAG files that could not be read."""
        return [
            ImportFault.model_validate(fault) for fault in self._rest.get("/importErrors")["import_errors"]
        ]

    def trigger(
        self, dag_id: str, conf: Mapping[str, JsonValue] | None = None, note: str | None = None
    ) -> Run:
        """Start a run; raises AirflowError with Airflow's reason when it may not start."""
        body = {"logical_date": None, "conf": dict(conf or {}), "note": note}
        return Run.model_validate(self._rest.ask("POST", f"/dags/{quote(dag_id)}/dagRuns", json=body))

    def runs(self, dag_id: str, *, limit: int = 20) -> list[Run]:
        """The latest runs of a DAG, newest first."""
        found = self._rest.get(f"/dags/{quote(dag_id)}/dagRuns", order_by="-run_after", limit=limit)
        return [Run.model_validate(run) for run in found["dag_runs"]]

    def run(self, dag_id: str, run_id: str) -> Run:
        return Run.model_validate(self._rest.get(_run_path(dag_id, run_id)))

    def task_runs(self, run: Run) -> list[TaskRun]:
        """Each task of a run, a mapped one once for each of its values."""
        found = self._rest.get(f"{_run_path(run.dag_id, run.run_id)}/taskInstances", limit=_PAGE)
        return [TaskRun.model_validate(task) for task in found["task_instances"]]

    def xcom(self, run: Run, task_id: str, key: str, map_index: int = -1) -> JsonValue:
        """A value that a task has pushed; None when it has not."""
        path = f"{_run_path(run.dag_id, run.run_id)}/taskInstances/{quote(task_id)}/xcomEntries/{quote(key)}"
        found = self._rest.find("GET", path, params={"map_index": map_index})
        return None if found is None else _parsed(found["value"])

    def log(self, run: Run, task: TaskRun) -> list[dict[str, Any]]:
        """The entries of a task's last try: `event`, and where known `level`, `timestamp`, `error_detail`."""
        path = f"{_run_path(run.dag_id, run.run_id)}/taskInstances/{quote(task.task_id)}/logs"
        found = self._rest.get(f"{path}/{task.try_number}", map_index=task.map_index, full_content=True)
        return [entry if isinstance(entry, dict) else {"event": entry} for entry in found["content"]]

    def asset_events(self, run: Run) -> list[AssetEvent]:
        """What a run has announced."""
        found = self._rest.get(
            "/assets/events", source_dag_id=run.dag_id, source_run_id=run.run_id, limit=_PAGE
        )
        return [AssetEvent.model_validate(event) for event in found["asset_events"]]

    def assets_that_start(self, dag_id: str) -> set[int]:
        """The ids of the assets whose announcement starts a DAG."""
        assets = self._rest.get("/assets", dag_ids=dag_id, limit=_PAGE)["assets"]
        return {a["id"] for a in assets if any(d["dag_id"] == dag_id for d in a["scheduled_dags"])}

    def set_note(self, run: Run, text: str) -> None:
        """Write a run's note, which the UI shows beside it."""
        self._rest.ask("PATCH", _run_path(run.dag_id, run.run_id), json={"note": text})

    def health(self) -> Mapping[str, str | None]:
        """The status of each of Airflow's parts."""
        return {
            part: (state or {}).get("status") for part, state in self._rest.get("/monitor/health").items()
        }

    def run_url(self, run: Run) -> str:
        """Where the UI shows a run."""
        return f"{self.url}/dags/{quote(run.dag_id)}/runs/{quote(run.run_id)}"

    def task_url(self, run: Run, task: TaskRun) -> str:
        """Where the UI shows a task of a run, with its log."""
        mapped = f"/mapped/{task.map_index}" if task.map_index >= 0 else ""
        return f"{self.run_url(run)}/tasks/{quote(task.task_id)}{mapped}"


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"


def _parsed(value: JsonValue) -> JsonValue:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
