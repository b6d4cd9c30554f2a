"""Airflow's configuration file."""

import configparser
import io
from pathlib import Path

from esteira.settings import PROJECT, Settings
from esteira.stack import preload
from esteira.stack.home import USER, Home, write_private
from esteira.stack.place import Place

_SIMPLE_AUTH = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"


def write_airflow_configuration(settings: Settings, place: Place, dags: Path) -> None:
    """Write airflow.cfg; what it does not say has Airflow's default."""
    home = Home.of(settings)
    parser = configparser.ConfigParser(interpolation=None)
    for section, options in _configuration(settings, home, place, dags).items():
        parser[section] = {name: str(value).replace("%", "%%") for name, value in options.items()}
    text = io.StringIO()
    parser.write(text)
    write_private(home.airflow / "airflow.cfg", text.getvalue())
    preload.write(home.airflow)


def _configuration(settings: Settings, home: Home, place: Place, dags: Path) -> dict[str, dict[str, object]]:
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
            "execution_api_server_url": f"{place.airflow_url}/execution/",
            "hostname_callable": "builtins.str",  # no host name: logs are read from disk, never fetched
            "min_serialized_dag_update_interval": 5,
        },
        "database": {
            "sql_alchemy_conn": place.airflow_store,
            "sql_alchemy_conn_async": place.airflow_store_async,
            "check_migrations": False,
        },
        "api": {
            "host": place.host,
            "port": place.airflow_port,
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
        "workers": {
            "min_heartbeat_interval": 1,  # how long an ended task may go unnoticed, in seconds
            "execution_api_timeout": 30,  # the first answer on a busy machine takes longer than the 5 s
        },
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
