"""What runs: Airflow's processes and MLflow's server, with their commands and their environment."""

import os
import sys
from pathlib import Path

from esteira.settings import NAMES, PROJECT, Settings
from esteira.stack.home import Home
from esteira.stack.place import Place
from esteira.stack.processes import Program

AIRFLOW = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
MLFLOW = "mlflow"
_EXECUTABLES = Path(sys.executable).parent

_OWN = {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "DO_NOT_TRACK": "true",
    "SCARF_ANALYTICS": "false",
    "SPT_NOENV": "1",  # else Airflow's process titles overwrite the environment that processes are found by
}
_UNLESS_SET = {
    "OMP_WAIT_POLICY": "passive",  # candidates are fitted side by side: none may spin on another's core
    "ORT_DISABLE_TELEMETRY": "1",
    "PYTHONWARNINGS": "ignore::DeprecationWarning",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def names(settings: Settings) -> tuple[str, ...]:
    """The programs that are up when the services are."""
    return (*AIRFLOW, MLFLOW) if settings.mlflow_is_here else AIRFLOW


def airflow(settings: Settings, name: str) -> Program:
    """One of Airflow's processes, by its name in AIRFLOW."""
    command = name.removeprefix("airflow-")
    # Their log servers would listen on every address; the API server reads the same files by itself.
    quiet = ["--skip-serve-logs"] if command in {"scheduler", "triggerer"} else []
    return Program(
        name=name,
        command=[str(_EXECUTABLES / "airflow"), command, *quiet],
        folder=PROJECT,
        environment=environment(settings),
    )


def airflow_migration(settings: Settings, store: str) -> Program:
    """Brings a database to the installed Airflow's schema."""
    address = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": store}
    return Program(
        name="airflow-migration",
        command=[str(_EXECUTABLES / "airflow"), "db", "migrate"],
        folder=PROJECT,
        environment={**environment(settings), **address},
    )


def mlflow(settings: Settings, place: Place) -> Program:
    """MLflow's server in one process, without the job runner that esteira does not use.

    `mlflow server` starts just this, but stays beside it and doubles the time and the memory.
    """
    command = [sys.executable, "-m", "uvicorn", "mlflow.server.fastapi_app:app", "--log-level", "warning"]
    own = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "_MLFLOW_SERVER_FILE_STORE": place.mlflow_store,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": place.artifacts,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
    }
    return Program(
        name=MLFLOW,
        command=[*command, "--host", place.host, "--port", str(settings.mlflow_port)],
        folder=Home.of(settings).mlflow,
        environment={**environment(settings), **own},
    )


def mlflow_migration(settings: Settings, store: str) -> Program:
    """Brings a database to the installed MLflow's schema."""
    return Program(
        name="mlflow-migration",
        command=[str(_EXECUTABLES / "mlflow"), "db", "upgrade", store],
        folder=Home.of(settings).mlflow,
        environment=environment(settings),
    )


def environment(settings: Settings) -> dict[str, str]:
    """What services and tasks see: this process's environment (no other Airflow's), and the settings."""
    inherited = {name: value for name, value in os.environ.items() if not _of_another_airflow(name)}
    plugins = [str(PROJECT / "plugins"), *filter(None, [inherited.get("PYTHONPATH")])]
    proxied = inherited.get("no_proxy", inherited.get("NO_PROXY"))
    direct = ",".join(filter(None, [proxied, "127.0.0.1,localhost"]))
    return {
        **_UNLESS_SET,
        **inherited,
        **_OWN,
        **{name: _text(getattr(settings, name)) for name in NAMES},
        "AIRFLOW_HOME": str(Home.of(settings).airflow),
        "PYTHONPATH": os.pathsep.join(plugins),
        "PATH": os.pathsep.join([str(_EXECUTABLES), inherited.get("PATH", os.defpath)]),
        "no_proxy": direct,
        "NO_PROXY": direct,
    }


def _text(value: object) -> str:
    return str(value.absolute()) if isinstance(value, Path) else str(value or "")


def _of_another_airflow(name: str) -> bool:
    return name.startswith("AIRFLOW__") or name in {"AIRFLOW_HOME", "AIRFLOW_CONFIG"}
