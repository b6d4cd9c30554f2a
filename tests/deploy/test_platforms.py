"""The image, unchanged, started and asked as each platform starts and asks its containers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import docker
import httpx
import pytest
from releasing import publish

from esteira.deploy import port
from esteira.deploy.release import build
from esteira.settings import Settings
from tests.bundles import tiny_answer

pytestmark = pytest.mark.docker

RECORD = {"Living_Area": 120, "Rate": 1.5, "City": 2, "Kind": "b"}
ANSWER = tiny_answer({**RECORD, "Living Area": 120})


@pytest.fixture
def image(on_docker: Settings) -> str:
    publish(on_docker)
    built = build("tiny", None, on_docker)
    assert built.image is not None
    return built.image.id


@contextmanager
def running(
    engine: docker.DockerClient, image: str, inside: int, words: Sequence[str] = (), **environment: str
) -> Iterator[httpx.Client]:
    outside = port.spare()
    container = engine.containers.run(
        image,
        list(words) or None,
        environment=environment,
        ports={f"{inside}/tcp": ("127.0.0.1", outside)},
        read_only=True,
        tmpfs={"/tmp": ""},  # noqa: S108
        detach=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{outside}", trust_env=False) as client:
            yield client
    finally:
        said = container.logs().decode()
        container.remove(force=True)
        assert "Traceback" not in said


def until_ready(client: httpx.Client, path: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if client.get(path).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"{path} was never answered")


def test_sagemaker_starts_it_with_the_word_serve(engine: docker.DockerClient, image: str) -> None:
    with running(engine, image, 8080, ["serve"]) as client:
        until_ready(client, "/ping")
        row = ",".join(map(str, RECORD.values())) + "\n"
        answer = client.post("/invocations", content=row, headers={"content-type": "text/csv"})
        assert answer.json() == {"predictions": [ANSWER]}


def test_vertex_tells_it_port_and_routes(engine: docker.DockerClient, image: str) -> None:
    told = {"AIP_HTTP_PORT": "8085", "AIP_HEALTH_ROUTE": "/v1/health", "AIP_PREDICT_ROUTE": "/v1/a:predict"}
    with running(engine, image, 8085, **told) as client:
        until_ready(client, "/v1/health")
        answer = client.post("/v1/a:predict", json={"instances": [RECORD, RECORD]})
        assert answer.json() == {"predictions": [ANSWER] * 2}


def test_kserve_and_mlflow_ask_it_behind_their_own_doors(engine: docker.DockerClient, image: str) -> None:
    with running(engine, image, 8000, API_KEYS="off") as client:
        until_ready(client, "/v2/health/ready")
        tensors = [
            {"name": name, "shape": [1], "datatype": "BYTES" if name == "Kind" else "FP64", "data": [value]}
            for name, value in RECORD.items()
        ]
        inferred = client.post("/v2/models/tiny/versions/1/infer", json={"inputs": tensors}).json()
        assert inferred["outputs"][0]["data"] == [ANSWER]
        scored = client.post("/invocations", json={"dataframe_records": [RECORD]})
        assert scored.json() == {"predictions": [ANSWER]}


def test_where_others_reach_it_it_wants_keys_and_says_so(engine: docker.DockerClient, image: str) -> None:
    container = engine.containers.run(image, detach=True)
    try:
        assert container.wait(timeout=30)["StatusCode"] == 2
        assert "esteira keys add" in container.logs().decode()
    finally:
        container.remove(force=True)
