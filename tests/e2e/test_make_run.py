"""What a new user does: `make run` twice, then `make stop`, through a real Airflow."""

import os
import re
import subprocess

import httpx
import psutil
import pytest

from apis import free_port
from esteira.settings import PROJECT

pytestmark = pytest.mark.airflow
KNOWN = {
    "Area": 120, "Garage": 1, "FirePlace": 1, "Baths": 2, "White Marble": 0, "Black Marble": 0,
    "Indian Marble": 1, "Floors": 1, "City": 1, "Solar": 0, "Electric": 1, "Fiber": 0,
    "Glass Doors": 1, "Swiming Pool": 0, "Garden": 1,
}  # fmt: skip


@pytest.fixture
def environment(tmp_path):
    told = {
        **os.environ,
        "RAW_DATA_PATH": str(tmp_path / "raw"),
        "PROCESSED_DATA_PATH": str(tmp_path / "processed"),
        "ARTEFATOS_PATH": str(tmp_path / "artefatos"),
        "ESTEIRA_HOME": str(tmp_path / "home"),
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}",
        "AIRFLOW_PORT": str(free_port()),
        "API_PORT": str(free_port()),
        "COLUMNS": "160",
    }
    yield told
    make(told, "stop")


def make(told: dict[str, str], target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--silent", target], cwd=PROJECT, env=told, capture_output=True, text=True, check=False
    )


def left_running(home: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ESTEIRA_HOME") == home:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_two_runs_and_a_stop(environment):
    first = make(environment, "run")
    assert first.returncode == 0, first.stdout + first.stderr
    for said in (
        "500,000 rows in",
        "random_forest",
        "32,950.00",
        "imoveis version 1",
        "synthetic",
        "password",
    ):
        assert said in first.stdout
    api = f"http://127.0.0.1:{environment['API_PORT']}"
    assert httpx.post(f"{api}/predict", json=KNOWN).json()["prediction"] == pytest.approx(32_950, abs=0.05)

    second = make(environment, "run")
    assert second.returncode == 0, second.stdout + second.stderr
    assert httpx.get(f"{api}/check").json()["version"] == 2
    password = re.search(r"password ([\w-]+)", second.stdout)[1]
    assert re.search(r"password ([\w-]+)", first.stdout)[1] == password

    airflow = f"http://127.0.0.1:{environment['AIRFLOW_PORT']}"
    token = httpx.post(f"{airflow}/auth/token", json={"username": "admin", "password": password})
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    runs = httpx.get(f"{airflow}/api/v2/dags/build_deploy_infra/dagRuns", headers=bearer).json()["dag_runs"]
    assert [run["state"] for run in runs] == ["success", "success"]
    assert "version 2 is live" in max(runs, key=lambda run: run["run_after"])["note"]

    stopped = make(environment, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert left_running(environment["ESTEIRA_HOME"]) == []
    for address in (api, airflow, environment["MLFLOW_TRACKING_URI"]):
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)
