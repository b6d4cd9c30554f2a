"""Starts, stops and looks at Airflow and MLflow."""

from dataclasses import dataclass, field
from pathlib import Path

from esteira.settings import PROJECT, Settings
from esteira.stack import boot, programs
from esteira.stack.checks import check_ports, check_same_settings
from esteira.stack.health import airflow_is_healthy
from esteira.stack.home import USER, Home, Say, locked, write_private
from esteira.stack.processes import end, end_marked, find, marked
from esteira.stack.status import Status, status

__all__ = ["Services", "Status", "down", "status", "up"]

_PATIENCE = 10.0
"""How many seconds a service has for its own clean end."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """Where the running services are and how to log in; `started` is False when all was up already."""

    airflow_url: str
    user: str
    password: str = field(repr=False)
    mlflow_url: str
    started: bool


def _silent(_: str) -> None:
    pass


def up(settings: Settings, *, say: Say = _silent, dags: Path = PROJECT / "dags") -> Services:
    """Start what is not running yet and wait until all is healthy; `say` is told what happens.

    Raises PortError or RunningError before anything starts, and StartError or DatabaseError after
    which nothing is left running. An Airflow that AIRFLOW_URL names is only looked at.
    """
    home = Home.of(settings)
    if settings.AIRFLOW_URL:
        return _elsewhere(settings, home)
    with locked(home, say):
        missing = _missing(settings, home)
        check_ports(settings, missing)
        try:
            _start(settings, home, dags, missing, say)
        except BaseException:
            if missing:
                _end_all(home)
            raise
    return _services(settings, home.make_password(), started=bool(missing))


def down(settings: Settings, *, say: Say = _silent) -> bool:
    """Stop every process of the home, whoever started it; False when there was none.

    An Airflow that AIRFLOW_URL names goes on.
    """
    home = Home.of(settings)
    if settings.AIRFLOW_URL:
        return False
    with locked(home, say):
        running = bool(marked(home))
        _end_all(home)
    return running


def _elsewhere(settings: Settings, home: Home) -> Services:
    password = home.password() or ""
    if not airflow_is_healthy(settings.AIRFLOW_URL, USER, password, started=0):
        raise boot.StartError(
            f"Airflow at {settings.AIRFLOW_URL} is not healthy, and AIRFLOW_URL says that it is not started "
            "here; start the stack that it belongs to, and look at the logs of its containers"
        )
    return _services(settings, password, started=False)


def _services(settings: Settings, password: str, *, started: bool) -> Services:
    return Services(
        airflow_url=settings.airflow_url,
        user=USER,
        password=password,
        mlflow_url=settings.mlflow_page,
        started=started,
    )


def _start(settings: Settings, home: Home, dags: Path, missing: tuple[str, ...], say: Say) -> None:
    if missing:
        write_private(home.settings, settings.model_dump_json())
    else:
        say("Airflow and MLflow are up already")
    if not settings.mlflow_is_here:
        say(f"MLflow is not started here: MLFLOW_TRACKING_URI is {settings.MLFLOW_TRACKING_URI}")
    boot.run(boot.Boot(settings=settings, home=home, dags=dags, missing=missing, say=say))


def _missing(settings: Settings, home: Home) -> tuple[str, ...]:
    wanted = programs.names(settings)
    missing = tuple(name for name in wanted if find(home, name) is None)
    if len(missing) == len(wanted):
        end_marked(home)
    else:
        check_same_settings(home, settings)
    return missing


def _end_all(home: Home) -> None:
    own = [process for name in (*programs.AIRFLOW, programs.MLFLOW) if (process := find(home, name))]
    end(own, patience=_PATIENCE)
    end_marked(home)
    for file in home.pids.glob("*.pid"):
        file.unlink()
    home.settings.unlink(missing_ok=True)
