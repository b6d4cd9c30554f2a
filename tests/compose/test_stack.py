"""The whole stack in containers: a case from its raw file to a live API, restarts, a stop and a new start."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import httpx
import pytest
import yaml

from apis import free_port
from esteira.settings import PROJECT

pytestmark = [pytest.mark.docker, pytest.mark.airflow, pytest.mark.timeout(1800)]
CASE = yaml.safe_load((PROJECT / "casos" / "obesidade.yaml").read_text())


@dataclass(frozen=True)
class Stack:
    """A stack of its own: names, ports, volumes and passwords that no other one has."""

    told: dict[str, str]
    project: str
    engine: docker.DockerClient

    def sh(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "compose.sh", *words],
            cwd=PROJECT,
            env=self.told,
            capture_output=True,
            text=True,
            check=False,
        )

    def container(self, service: str) -> docker.models.containers.Container:
        (found,) = [one for one in self.containers() if one.labels["com.docker.compose.service"] == service]
        return found

    def containers(self) -> list[docker.models.containers.Container]:
        return self.engine.containers.list(
            filters={
                "label": [f"com.docker.compose.project={self.project}", "com.docker.compose.oneoff=False"]
            }
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.told['API_PORT']}"

    def predict(self) -> str:
        answer = httpx.post(f"{self.url}/obesidade/predict", json=CASE["example"], trust_env=False)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["prediction"])

    def predicts_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return bool(self.predict())
            except (AssertionError, httpx.HTTPError):
                time.sleep(0.2)
        return False


@pytest.fixture(scope="module")
def stack(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    for name in ("casos", "raw"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    write_case(folder / "casos" / "obesidade.yaml")
    told = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "PIP_INDEX_URL") if name in os.environ},
        "ENV_FILE": str(folder / "env"),
        "CASOS_FOLDER": str(folder / "casos"),
        "RAW_FOLDER": str(folder / "raw"),
        "AIRFLOW_PORT": str(free_port()),
        "MLFLOW_PORT": str(free_port()),
        "API_PORT": str(free_port()),
        "COLUMNS": "200",
    }
    subprocess.run(["sh", "compose.sh", "env"], cwd=PROJECT, env=told, check=True)
    project = re.search(r"COMPOSE_PROJECT_NAME=(.*)", (folder / "env").read_text())[1]
    yield Stack(told=told, project=project, engine=docker_client)
    remove(docker_client, project)


def write_case(path: Path) -> None:
    quick = {**CASE, "train": {**CASE["train"], "folds": 2, "candidates": ["decision_tree"]}}
    path.write_text(yaml.safe_dump(quick))
    path.chmod(0o644)


def remove(engine: docker.DockerClient, project: str) -> None:
    for label in (f"com.docker.compose.project={project}", f"esteira.home={project}"):
        for container in engine.containers.list(all=True, filters={"label": label}):
            container.remove(force=True, v=True)
    for network in engine.networks.list(names=[project]):
        network.remove()
    for volume in engine.volumes.list(filters={"name": project}):
        volume.remove(force=True)
    for image in engine.images.list(filters={"label": f"esteira.home={project}"}):
        engine.images.remove(image.id, force=True)
    for image in engine.images.list():
        for tag in image.tags:
            if tag.startswith(f"{project}/"):
                engine.images.remove(tag)


@pytest.fixture(scope="module")
def ran(stack: Stack) -> str:
    done = stack.sh("run", "obesidade")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_command_takes_a_case_to_a_live_api(stack: Stack, ran: str) -> None:
    assert "obesidade version 1" in ran
    assert "synthetic data" in ran
    assert f"{stack.url}/obesidade/docs" in ran
    assert stack.predict() in CASE["columns"]["NObeyesdad"]["levels"]
    assert httpx.get(stack.url, trust_env=False).status_code == 200


def test_the_airflow_that_is_shown_lets_in_with_the_password_that_is_shown(stack: Stack, ran: str) -> None:
    airflow = f"http://127.0.0.1:{stack.told['AIRFLOW_PORT']}"
    login = {"username": "admin", "password": re.search(r"password ([\w-]+)", ran)[1]}
    assert airflow in ran
    token = httpx.post(f"{airflow}/auth/token", json=login, trust_env=False).json()["access_token"]
    path = "api/v2/dags/build_deploy_infra_obesidade/dagRuns"
    bearer = {"Authorization": f"Bearer {token}"}
    (run,) = httpx.get(f"{airflow}/{path}", headers=bearer, trust_env=False).json()["dag_runs"]
    assert run["state"] == "success"
    assert "obesidade version 1 is live" in run["note"]
    mlflow = f"http://127.0.0.1:{stack.told['MLFLOW_PORT']}"
    assert mlflow in ran
    assert httpx.get(f"{mlflow}/health", trust_env=False).status_code == 200


def test_nothing_runs_as_root(stack: Stack, ran: str) -> None:
    for container in stack.containers():
        users = {row[0] for row in container.top(ps_args="-eo user,pid")["Processes"]}
        assert not users & {"root", "0"}, container.name


def test_airflow_gets_no_further_than_a_release(stack: Stack, ran: str) -> None:
    scheduler = stack.container("scheduler")
    code = (
        "import docker; c = docker.from_env(); print([one.name for one in c.containers.list()]);"
        f"c.containers.get('{stack.container('postgres').id}')"
    )
    done = scheduler.exec_run(["python", "-c", code])
    said = done.output.decode()
    assert done.exit_code != 0
    assert "is not this project's" in said
    assert len(json.loads(said.splitlines()[0].replace("'", '"'))) == 1
    outside = scheduler.exec_run(
        ["python", "-c", "import socket; socket.create_connection(('1.1.1.1', 53), timeout=2)"]
    )
    assert outside.exit_code != 0


def test_what_is_live_outlives_restarts(stack: Stack, ran: str) -> None:
    for service in ("gateway", "door", "postgres", "engine-proxy"):
        stack.container(service).restart(timeout=10)
        assert stack.predicts_within(20), service
    versions = stack.sh("esteira", "versions", "obesidade")
    assert versions.returncode == 0, versions.stderr
    assert "live" in versions.stdout


def test_stop_ends_everything_and_up_brings_back_what_was_live(stack: Stack, ran: str) -> None:
    stopped = stack.sh("stop")
    assert stopped.returncode == 0, stopped.stderr
    ours = {"label": f"esteira.home={stack.project}"}
    assert stack.containers() == []
    assert stack.engine.containers.list(filters=ours) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(stack.url, trust_env=False)
    started = stack.sh("up")
    assert started.returncode == 0, started.stdout + started.stderr
    assert stack.predicts_within(20)
    assert re.search(r"password ([\w-]+)", started.stdout)[1] in ran
