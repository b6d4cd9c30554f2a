"""The one door: who is asked by which path, what is counted, and what a restart leaves as it was."""

from __future__ import annotations

import time
from pathlib import Path

import docker
import httpx
import pytest
import yaml
from docker.models.containers import Container
from releasing import ANSWER, RECORD, ask, publish, release, running, serving, traffic, url

from bundles import tiny_bundle
from esteira.deploy import live
from esteira.deploy.facts import Standing, home_id
from esteira.deploy.gateway.routes import backends, servers
from esteira.settings import DEFAULT_CASE, Settings

PATIENCE = 30


def gateway(settings: Settings, engine: docker.DockerClient, role: str = "gateway") -> Container:
    home = f"esteira.home={home_id(settings)}"
    (found,) = engine.containers.list(all=True, filters={"label": [home, f"esteira.role={role}"]})
    return found


def kill_inside(engine: docker.DockerClient, instance: str) -> None:
    """Kill -9 what an instance's container runs: `docker kill` would be taken for somebody's wish."""
    (found,) = [one for one in engine.containers.list() if instance in one.name]
    found.exec_run(["python", "-c", "import os; os.kill(-1, 9)"])


def until_it_answers(settings: Settings) -> float:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask(settings)
        except (httpx.HTTPError, AssertionError):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def replicated(on_docker: Settings, tmp_path: Path) -> Settings:
    """A home whose case asks for two replicas."""
    columns = {"Living Area": {"type": "number"}, "City": {"type": "integer"}}
    case = {
        "title": "Tiny",
        "source": {"files": "tiny.csv"},
        "target": "Price",
        "task": "regression",
        "columns": columns,
        "train": {"candidates": ["linear_regression"]},
        "release": {"replicas": 2},
    }
    (tmp_path / "casos").mkdir()
    (tmp_path / "casos" / "tiny.yaml").write_text(yaml.safe_dump(case))
    return on_docker.model_copy(update={"CASOS_PATH": tmp_path / "casos"})


@pytest.mark.docker
def test_a_path_names_its_case_and_any_other_path_is_the_default_cases(on_docker: Settings):
    for case, offset in ((DEFAULT_CASE, 0.0), ("other", 7.0)):
        tiny_bundle(on_docker.ARTEFATOS_PATH, case=case, offset=offset)
        release(on_docker, case=case)
    with httpx.Client(base_url=on_docker.api_url, trust_env=False) as http:
        for path, case, answer in (
            ("/predict", DEFAULT_CASE, ANSWER),
            (f"/{DEFAULT_CASE}/predict", DEFAULT_CASE, ANSWER),
            ("/other/predict", "other", ANSWER + 7),
        ):
            said = http.post(path, json=RECORD).json()
            assert (said["case"], said["prediction"]) == (case, answer)
        assert http.get("/other").headers["location"] == "/other/"
        page = http.get("/").text
        assert 'href="/other/"' in page
        assert 'href="/other/docs"' in page
        assert f'href="/{DEFAULT_CASE}/docs"' in page
        assert "openapi.json" in http.get("/other/docs").text
        assert 'id="prediction"' in http.get("/other/").text
        assert http.get("/other/openapi.json").json()["servers"] == [{"url": "."}]
        figures = http.get("/-/metrics").text
    (server,) = live.live("other", on_docker).instances
    counted = f'haproxy_server_http_responses_total{{proxy="other",server="{server}",code="2xx"}}'
    assert server.startswith("v1-")
    assert counted in figures


@pytest.mark.docker
def test_a_case_that_is_not_live_is_said_to_be_so(on_docker: Settings):
    publish(on_docker)
    release(on_docker)
    said = httpx.post(f"{on_docker.api_url}/predict", json=RECORD, trust_env=False)
    assert said.status_code == 404
    assert said.headers["content-type"] == "application/problem+json"
    assert f"{DEFAULT_CASE} is not live" in said.json()["detail"]


@pytest.mark.docker
@pytest.mark.parametrize("role", ["gateway", "door"])
@pytest.mark.parametrize("ended", ["restart", "kill"])
def test_the_gateway_comes_back_with_the_same_routing(
    on_docker: Settings, engine: docker.DockerClient, ended: str, role: str
):
    publish(on_docker)
    publish(on_docker, offset=1000)
    release(on_docker, version=1)
    release(on_docker, version=2)
    container = gateway(on_docker, engine, role)
    if ended == "restart":
        container.restart(timeout=5)
    else:
        container.kill()
        assert live.resume(on_docker)[0].version == 2
    assert until_it_answers(on_docker) == ANSWER + 1000


@pytest.mark.docker
@pytest.mark.parametrize("role", ["gateway", "door"])
def test_a_gateway_that_was_removed_is_there_again_after_resume(
    on_docker: Settings, engine: docker.DockerClient, role: str
):
    publish(on_docker)
    entry = release(on_docker)
    gateway(on_docker, engine, role).remove(force=True)
    live.resume(on_docker)
    assert until_it_answers(on_docker) == ANSWER
    assert serving(on_docker) == list(entry.instances)


@pytest.mark.docker
def test_with_two_replicas_no_request_fails_when_one_is_killed(
    replicated: Settings, engine: docker.DockerClient
):
    publish(replicated)
    entry = release(replicated)
    assert len(entry.instances) == 2
    with traffic(replicated) as answers:
        time.sleep(0.3)
        kill_inside(engine, entry.instances[0])
        time.sleep(2)
    assert set(answers) == {str(ANSWER)}


@pytest.mark.docker
def test_a_killed_container_is_back_by_itself(on_docker: Settings, engine: docker.DockerClient):
    publish(on_docker)
    entry = release(on_docker)
    kill_inside(engine, entry.instances[0])
    assert until_it_answers(on_docker) == ANSWER
    assert running(on_docker) == list(entry.instances)


@pytest.mark.docker
def test_nothing_is_left_when_the_last_case_stops(on_docker: Settings, engine: docker.DockerClient):
    publish(on_docker)
    release(on_docker)
    where = url(on_docker)
    live.stop(None, on_docker)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{where}/check", trust_env=False)
    sockets = on_docker.ESTEIRA_HOME / "gateway" / "api"
    assert list(sockets.iterdir()) == []


def standing(instances: int, trial: int = 0, percent: int = 0) -> Standing:
    return Standing(
        case="tiny",
        title="Tiny",
        version=1,
        target="docker",
        instances=tuple(f"v1-{n}" for n in range(instances)),
        port=8000,
        trial=tuple(f"v2-{n}" for n in range(trial)),
        percent=percent,
    )


@pytest.mark.parametrize("percent", [1, 2, 5, 10, 33, 50])
@pytest.mark.parametrize(("old", "new"), [(1, 1), (2, 2), (1, 2), (1, 3), (1, 8), (8, 1), (8, 8)])
def test_a_trial_gets_its_share_however_many_replicas_there_are(old: int, new: int, percent: int):
    found = servers(standing(old, new, percent))
    assert all(0 <= one.weight <= 256 for one in found)
    share = sum(one.weight for one in found if one.name.startswith("v2")) / sum(one.weight for one in found)
    assert share == pytest.approx(percent / 100, rel=0.2)


def test_what_serves_alone_gets_everything():
    assert backends({"tiny": servers(standing(2))}).splitlines()[2:] == [
        "backend tiny",
        "    server v1-0 unix@/run/esteira/api/v1-0.sock weight 256",
        "    server v1-1 unix@/run/esteira/api/v1-1.sock weight 256",
    ]
