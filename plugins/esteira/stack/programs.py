"""What runs: Airflow's processes and MLflow's server, with their configuration and environment."""

import configparser
import io
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from esteira.settings import NAMES, PROJECT, Settings
from esteira.stack.home import USER, Home, write_private
from esteira.stack.processes import Program

AIRFLOW = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
MLFLOW = "mlflow"
_SIMPLE_AUTH = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
_EXECUTABLES = Path(sys.executable).parent

_OWN = {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "SCARF_ANALYTICS": "false",
    "SPT_NOENV": "1",  # else Airflow's process titles overwrite the environment that processes are found by
}
_UNLESS_SET = {
    "PYTHONWARNINGS": "ignore::DeprecationWarning",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def local_mlflow(settings: Settings) -> bool:
    """Whether MLFLOW_TRACKING_URI is an http address of this machine, so that the server is ours to start."""
    address = urlsplit(settings.MLFLOW_TRACKING_URI)
    return address.scheme == "http" and address.hostname in {"127.0.0.1", "localhost"}


def names(settings: Settings) -> tuple[str, ...]:
    """The programs that are up when the services are."""
    return (*AIRFLOW, MLFLOW) if local_mlflow(settings) else AIRFLOW


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


def airflow_migration(settings: Settings, database: Path) -> Program:
    """Brings a database file to the installed Airflow's schema."""
    address = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}"}
    return Program(
        name="airflow-migration",
        command=[str(_EXECUTABLES / "airflow"), "db", "migrate"],
        folder=PROJECT,
        environment={**environment(settings), **address},
    )


def mlflow(settings: Settings) -> Program:
    """MLflow's server in one process, without the job runner that esteira does not use.

    `mlflow server` starts just this, but stays beside it and doubles the time and the memory.
    """
    home = Home.of(settings)
    command = [sys.executable, "-m", "uvicorn", "mlflow.server.fastapi_app:app", "--log-level", "warning"]
    own = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{home.mlflow / 'mlflow.db'}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(home.mlflow / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
    }
    return Program(
        name=MLFLOW,
        command=[*command, "--host", "127.0.0.1", "--port", str(settings.mlflow_port)],
        folder=home.mlflow,
        environment={**environment(settings), **own},
    )


def mlflow_migration(settings: Settings, database: Path) -> Program:
    """Brings a database file to the installed MLflow's schema."""
    return Program(
        name="mlflow-migration",
        command=[str(_EXECUTABLES / "mlflow"), "db", "upgrade", f"sqlite:///{database}"],
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
    return str(value.absolute() if isinstance(value, Path) else value)


def _of_another_airflow(name: str) -> bool:
    return name.startswith("AIRFLOW__") or name in {"AIRFLOW_HOME", "AIRFLOW_CONFIG"}


def write_airflow_configuration(settings: Settings, dags: Path) -> None:
    """Write airflow.cfg; what it does not say has Airflow's default."""
    home = Home.of(settings)
    parser = configparser.ConfigParser(interpolation=None)
    for section, options in _configuration(settings, home, dags).items():
        parser[section] = {name: str(value).replace("%", "%%") for name, value in options.items()}
    text = io.StringIO()
    parser.write(text)
    write_private(home.airflow / "airflow.cfg", text.getvalue())


def _configuration(settings: Settings, home: Home, dags: Path) -> dict[str, dict[str, object]]:
    secrets = home.secrets()
    return {
        "core": {
            "dags_folder": dags,
            "plugins_folder": PROJECT / "plugins",
            "load_examples": False,
            "dags_are_paused_at_creation": False,
            "executor": "LocalExecutor",
            "parallelism": 6,  # a worker lingers for up to a heartbeat after its task: two to spare
            "max_active_tasks_per_dag": 4,
            "auth_manager": _SIMPLE_AUTH,
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": home.passwords,
            "fernet_key": secrets.fernet_key,
            "execution_api_server_url": f"{settings.airflow_url}/execution/",
            "hostname_callable": "builtins.str",  # no host name: logs are read from disk, never fetched
            "min_serialized_dag_update_interval": 5,
        },
        "database": {
            "sql_alchemy_conn": f"sqlite:///{home.airflow / 'airflow.db'}",
            "check_migrations": False,
        },
        "api": {
            "host": "127.0.0.1",
            "port": settings.AIRFLOW_PORT,
            "base_url": settings.airflow_url,
            "workers": 1,
            "secret_key": secrets.api_secret,
            "instance_name": "Esteira",
        },
        "api_auth": {"jwt_secret": secrets.jwt_secret},
        "scheduler": {
            "scheduler_idle_sleep_time": 0.2,
            "task_instance_heartbeat_timeout": 60,  # when a task that `down` or a crash ended is tried again
        },
        "workers": {"min_heartbeat_interval": 1},  # how long an ended task may go unnoticed, in seconds
        "dag_processor": {"refresh_interval": 10, "min_file_process_interval": 15, "print_stats_interval": 0},
        "logging": {
            "base_log_folder": home.airflow / "logs",
            "dag_processor_child_process_log_directory": home.airflow / "logs" / "dag_processor",
            "colored_console_log": False,
            "uvicorn_logging_level": "WARNING",
            "namespace_levels": "http.access=WARNING",
        },
        "usage_data_collection": {"enabled": False},
    }
