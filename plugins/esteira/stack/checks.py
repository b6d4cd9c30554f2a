"""What must hold before a service is started."""

from collections.abc import Sequence

from pydantic import ValidationError

from esteira.errors import EsteiraError
from esteira.settings import NAMES, Settings
from esteira.stack import programs
from esteira.stack.home import Home
from esteira.stack.ports import PortError, check_free

_API_SERVER = programs.AIRFLOW[0]


class RunningError(EsteiraError):
    """The services already run, with other settings than those asked for."""


def check_same_settings(home: Home, settings: Settings) -> None:
    """Raise RunningError when the home's services were started with other settings."""
    try:
        running = Settings.model_validate_json(home.settings.read_bytes())
    except (FileNotFoundError, ValidationError):
        return
    for name in NAMES:
        was, now = getattr(running, name), getattr(settings, name)
        if was != now:
            raise RunningError(
                f"The services run with {name}={was}, but now it is {now}; "
                f"stop them first (`esteira down`), or unset {name}"
            )


def check_ports(settings: Settings, missing: Sequence[str]) -> None:
    """Raise PortError unless each missing service can have a port of its own."""
    wanted = {"AIRFLOW_PORT": settings.AIRFLOW_PORT, "API_PORT": settings.API_PORT}
    if settings.mlflow_is_here:
        wanted["MLFLOW_TRACKING_URI"] = settings.mlflow_port
    for port in wanted.values():
        names = [name for name, other in wanted.items() if other == port]
        if len(names) > 1:
            raise PortError(f"{' and '.join(names)} both say port {port}; change one of them")
    if _API_SERVER in missing:
        check_free(settings.AIRFLOW_PORT, service="Airflow", setting="AIRFLOW_PORT")
    if programs.MLFLOW in missing:
        example = "MLFLOW_TRACKING_URI (for example to http://127.0.0.1:5001)"
        check_free(settings.mlflow_port, service="MLflow", setting=example)
