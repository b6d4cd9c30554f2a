"""Brings each service from stopped to healthy, step by step, so that one loop can boot them side by side."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from esteira.errors import EsteiraError
from esteira.settings import Settings
from esteira.stack import place, programs
from esteira.stack.configuration import write_airflow_configuration
from esteira.stack.databases import Database, prepare
from esteira.stack.health import airflow_is_healthy, mlflow_is_healthy
from esteira.stack.home import USER, Home, Say
from esteira.stack.logs import tail
from esteira.stack.processes import end_marked, find, pid_file, start

BOOT_SECONDS = 180.0
"""How long a service may take to become healthy."""

*_FIRST, _TRIGGERER = programs.AIRFLOW
_BEATING = ("airflow-scheduler", "airflow-dag-processor")


class StartError(EsteiraError):
    """A service ended, or did not become healthy, while it was started."""


@dataclass(frozen=True, kw_only=True)
class Boot:
    """What is to be started, where, and who is told of it."""

    settings: Settings
    home: Home
    dags: Path
    missing: tuple[str, ...]
    say: Say


def run(boot: Boot) -> None:
    """Start what is missing of both services side by side, until all is healthy."""
    steps = [_airflow(boot)]
    if boot.settings.mlflow_is_here:
        steps.append(_mlflow(boot))
    while steps:
        steps = [step for step in steps if next(step, "done") != "done"]
        time.sleep(0.1 if steps else 0)


def airflow_health(settings: Settings, home: Home) -> bool:
    """Whether Airflow answers, and its parts have sent a heartbeat since they were started."""
    files = [pid_file(home, name) for name in _BEATING]
    if not all(file.exists() for file in files):
        return False
    started = max(file.stat().st_mtime for file in files)
    return airflow_is_healthy(settings.airflow_url, USER, home.password() or "", started)


def _airflow(boot: Boot) -> Iterator[None]:
    missing = [name for name in programs.AIRFLOW if name in boot.missing]
    if missing:
        end_marked(boot.home, *missing, "airflow-migration")
        boot.home.make_password()
        write_airflow_configuration(boot.settings, place.here(boot.settings), boot.dags)
        boot.say("Airflow is starting")
    if missing == list(programs.AIRFLOW):
        yield from prepare(boot.home, _airflow_database(boot), boot.say)
    for name in [name for name in _FIRST if name in missing]:
        start(boot.home, programs.airflow(boot.settings, name))
    yield from _until(partial(airflow_health, boot.settings, boot.home), boot, "Airflow", _FIRST)
    if _TRIGGERER in missing:  # nothing here waits for it, so it comes last
        start(boot.home, programs.airflow(boot.settings, _TRIGGERER))
    boot.say("Airflow is up")


def _mlflow(boot: Boot) -> Iterator[None]:
    if programs.MLFLOW in boot.missing:
        end_marked(boot.home, programs.MLFLOW, "mlflow-migration")
        boot.say("MLflow is starting")
        yield from prepare(boot.home, _mlflow_database(boot), boot.say)
        start(boot.home, programs.mlflow(boot.settings, place.here(boot.settings)))
    healthy = partial(mlflow_is_healthy, boot.settings.MLFLOW_TRACKING_URI)
    yield from _until(healthy, boot, "MLflow", [programs.MLFLOW])
    boot.say("MLflow is up")


def _until(healthy: Callable[[], bool], boot: Boot, service: str, names: list[str]) -> Iterator[None]:
    deadline = time.monotonic() + BOOT_SECONDS
    while not healthy():
        for name in names:
            if find(boot.home, name) is None:
                raise StartError(f"{service} did not start: {name} ended. {_log(boot.home, name)}")
        if time.monotonic() > deadline:
            raise StartError(
                f"{service} was not healthy within {BOOT_SECONDS:.0f} s. {_log(boot.home, names[0])}"
            )
        yield


def _log(home: Home, name: str) -> str:
    log = home.log(name)
    return f"The whole log is {log}; it ends with\n{tail(log)}"


def _airflow_database(boot: Boot) -> Database:
    return Database(
        path=boot.home.airflow / "airflow.db",
        package="apache-airflow",
        migration=partial(programs.airflow_migration, boot.settings),
    )


def _mlflow_database(boot: Boot) -> Database:
    return Database(
        path=boot.home.mlflow / "mlflow.db",
        package="mlflow",
        migration=partial(programs.mlflow_migration, boot.settings),
    )
