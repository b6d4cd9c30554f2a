import json
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from contextlib import closing

import httpx
import psutil
import pytest
from stackhome import Running

from esteira.stack import services
from esteira.stack.checks import RunningError
from esteira.stack.processes import find, marked

pytestmark = pytest.mark.airflow


def test_every_process_listens_on_this_machine_only(running: Running) -> None:
    ours = {process.pid for process in marked(running.home)}
    listening = {
        connection.laddr
        for connection in psutil.net_connections("inet")
        if connection.pid in ours and connection.status == psutil.CONN_LISTEN
    }
    mlflow = running.settings.mlflow_port
    assert {(one.ip, one.port) for one in listening} == {
        ("127.0.0.1", running.settings.AIRFLOW_PORT),
        ("127.0.0.1", mlflow),
    }


def test_the_api_answers_nobody_without_the_password(running: Running) -> None:
    url = running.services.airflow_url
    assert httpx.get(f"{url}/api/v2/dags").status_code == 401
    assert httpx.get(f"{url}/auth/token").status_code == 403
    wrong = {"username": "admin", "password": "admin"}
    assert httpx.post(f"{url}/auth/token", json=wrong).status_code == 401
    right = {"username": running.services.user, "password": running.services.password}
    assert httpx.post(f"{url}/auth/token", json=right).status_code == 201


def test_files_with_secrets_are_readable_by_their_owner_only(running: Running) -> None:
    home = running.home
    for path in (home.passwords, home.root / "secrets.json", home.airflow / "airflow.cfg"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert json.loads(home.passwords.read_text()) == {"admin": running.services.password}
    for log in home.logs.glob("*.log"):
        assert running.services.password not in log.read_text(), log


def test_up_again_changes_nothing_and_says_so(running: Running) -> None:
    before = sorted(process.pid for process in marked(running.home))
    said: list[str] = []
    again = services.up(running.settings, say=said.append, dags=running.dags)
    assert again.started is False
    assert again.password == running.services.password
    assert said[0] == "Airflow and MLflow are up already"
    assert sorted(process.pid for process in marked(running.home)) == before


def test_status_shows_both_running(running: Running) -> None:
    airflow, mlflow = services.status(running.settings)
    assert (airflow.state, mlflow.state) == ("running", "running")
    assert airflow.processes >= 4
    assert airflow.memory_mb > 100


def test_another_port_while_they_run_is_refused_with_the_way_out(running: Running) -> None:
    moved = running.settings.model_copy(update={"AIRFLOW_PORT": running.settings.AIRFLOW_PORT + 1})
    with pytest.raises(RunningError, match=r"run with AIRFLOW_PORT=\d+, but now it is \d+; stop them first"):
        services.up(moved)
    assert services.status(running.settings)[0].state == "running"


def test_what_is_logged_to_mlflow_is_kept_in_the_home(running: Running) -> None:
    code = """
        import mlflow, pathlib, sys
        mlflow.set_tracking_uri(sys.argv[1])
        with mlflow.start_run(run_name="kept"):
            mlflow.log_metric("r2", 0.98)
            mlflow.log_text("hello", "greeting.txt")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), running.settings.MLFLOW_TRACKING_URI]
    told = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    logged = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=running.home.mlflow, env=told
    )
    assert logged.returncode == 0, logged.stderr + (running.home.logs / "mlflow.log").read_text()[-4000:]
    with closing(sqlite3.connect(running.home.mlflow / "mlflow.db")) as connection:
        assert ("kept",) in connection.execute("select name from runs").fetchall()
    assert [path.read_text() for path in running.home.mlflow.rglob("greeting.txt")] == ["hello"]


def test_nothing_that_runs_belongs_to_the_terminal_that_started_it(running: Running) -> None:
    for name in ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "mlflow"):
        process = find(running.home, name)
        assert process is not None
        assert process.terminal() is None
