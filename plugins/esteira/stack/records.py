"""What Airflow's REST API answers, as far as a follower needs it."""

from datetime import UTC, datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue

FINAL = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Dag(_Answer):
    """A DAG as Airflow last read it."""

    dag_id: str
    is_paused: bool
    is_stale: bool
    has_import_errors: bool


class Node(_Answer):
    """A task of a DAG and what comes after it."""

    task_id: str
    task_display_name: str
    downstream_task_ids: tuple[str, ...] = ()


class _Running(_Answer):
    """What has a state, a start and an end."""

    state: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.state in FINAL

    @property
    def seconds(self) -> float:
        return _seconds(self.start_date, self.end_date)


class Run(_Running):
    """One run of a DAG."""

    dag_id: str
    run_id: str = Field(validation_alias=AliasChoices("dag_run_id", "run_id"))
    state: str
    note: str | None = None


class TaskRun(_Running):
    """One task of a run; a mapped task has one of them for each value."""

    task_id: str
    map_index: int
    try_number: int
    rendered_map_index: str | None = None


class AssetEvent(_Answer):
    """One announcement of an asset by a run, and the runs that it has set off so far."""

    asset_id: int
    name: str | None = None
    extra: dict[str, JsonValue] | None = None
    created_dagruns: tuple[Run, ...] = ()


class ImportFault(_Answer):
    """A DAG file that Airflow could not read."""

    filename: str
    stack_trace: str


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return ((end or datetime.now(UTC)) - start).total_seconds() if start else 0.0
