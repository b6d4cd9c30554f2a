"""Airflow and MLflow as they are now."""

from dataclasses import dataclass
from typing import Literal

import psutil

from esteira.settings import Settings
from esteira.stack import programs
from esteira.stack.boot import airflow_health
from esteira.stack.health import airflow_is_healthy, mlflow_is_healthy
from esteira.stack.home import USER, Home
from esteira.stack.processes import find, marked

State = Literal["running", "unhealthy", "stopped", "elsewhere"]


@dataclass(frozen=True, kw_only=True)
class Status:
    """One service as it is now; `elsewhere` is an MLflow that is not ours to start."""

    service: Literal["Airflow", "MLflow"]
    state: State
    url: str
    processes: int = 0
    memory_mb: int = 0


def status(settings: Settings) -> tuple[Status, Status]:
    """Airflow and MLflow as they are now."""
    home = Home.of(settings)
    return _airflow(settings, home), _mlflow(settings, home)


def _airflow(settings: Settings, home: Home) -> Status:
    if settings.AIRFLOW_URL:
        healthy = airflow_is_healthy(settings.AIRFLOW_URL, USER, home.password() or "", started=0)
        state: State = "running" if healthy else "unhealthy"
        return Status(service="Airflow", state=state, url=settings.airflow_url)
    healthy = airflow_health(settings, home)
    return _status("Airflow", settings.airflow_url, home, programs.AIRFLOW, healthy=healthy)


def _mlflow(settings: Settings, home: Home) -> Status:
    url = settings.MLFLOW_TRACKING_URI
    if not settings.mlflow_is_here:
        return Status(service="MLflow", state="elsewhere", url=settings.mlflow_page)
    return _status("MLflow", url, home, (programs.MLFLOW,), healthy=mlflow_is_healthy(url))


def _status(
    service: Literal["Airflow", "MLflow"], url: str, home: Home, names: tuple[str, ...], *, healthy: bool
) -> Status:
    processes = marked(home, *names)
    alive = all(find(home, name) for name in names)
    state: State = "stopped" if not processes else "running" if alive and healthy else "unhealthy"
    return Status(
        service=service, state=state, url=url, processes=len(processes), memory_mb=_memory_mb(processes)
    )


def _memory_mb(processes: list[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            memory = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(memory, "pss", memory.uss)
    return total // 2**20
