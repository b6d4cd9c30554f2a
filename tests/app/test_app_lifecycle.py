"""Starting, failing to start, handing the port over and stopping, of a real process."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from esteira.bundle import Bundle, publish
from tests.apis import Api, free_port, launch, serving
from tests.bundles import NUMBERS, TEXTS, facts_of, files_with, tiny_bundle, tiny_graph

RECORD = {"Living_Area": 120, "City": 1, "Kind": "b"}
HEADERS = {"Content-Type": "application/json"}
EVERY_ROUTE = (
    ("POST", "/predict"),
    ("POST", "/predict/batch"),
    ("GET", "/model"),
    ("GET", "/health/ready"),
    ("GET", "/check"),
    ("GET", "/metrics"),
    ("GET", "/docs"),
    ("GET", "/nowhere"),
    ("DELETE", "/predict"),
)


@pytest.fixture
def artefatos(tmp_path: Path) -> Path:
    return tmp_path / "artefatos"


def predict(api: Api) -> httpx.Response:
    return httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False)


def says_unavailable(api: Api, reason: str) -> None:
    for method, path in EVERY_ROUTE:
        response = httpx.request(method, api.url + path, trust_env=False)
        assert response.status_code == 503, path
        assert response.headers["content-type"] == "application/problem+json"
        assert reason in response.json()["detail"]
    assert httpx.get(f"{api.url}/health/live", trust_env=False).status_code == 200
    assert reason in api.log.read_text()


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_newest_version_is_served_unless_another_is_asked_for(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    tiny_bundle(artefatos, offset=1000)
    with serving(artefatos) as newest, serving(artefatos, MODEL_VERSION="1") as first:
        assert (predict(newest).json()["version"], predict(newest).json()["prediction"]) == (2, 1251)
        assert (predict(first).json()["version"], predict(first).json()["prediction"]) == (1, 251)


def test_a_bundle_without_text_columns_is_served(artefatos: Path) -> None:
    tiny_bundle(artefatos, with_text=False)
    with serving(artefatos) as api:
        answer = httpx.post(f"{api.url}/predict", json={"Living_Area": 3, "City": 1}, trust_env=False)
        assert answer.json()["prediction"] == 7


def test_ready_says_which_version_and_which_process(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    with serving(artefatos, INSTANCE_ID="blue") as api:
        ready = httpx.get(f"{api.url}/health/ready", trust_env=False).json()
        assert ready == {"status": "ready", "case": "tiny", "version": 1, "instance": "blue"}
        assert httpx.get(f"{api.url}/check", trust_env=False).json() == {"status": "ok", "version": 1}


def test_without_a_bundle_it_is_alive_and_answers_503(artefatos: Path) -> None:
    artefatos.mkdir()
    with serving(artefatos) as api:
        says_unavailable(api, "holds no version yet")
        assert api.stop() == 0


def test_a_version_that_does_not_exist_is_named(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    with serving(artefatos, MODEL_VERSION="7") as api:
        says_unavailable(api, "Version 7 of 'tiny' does not exist")


def test_an_onnx_file_altered_by_one_byte_is_refused_by_name(artefatos: Path) -> None:
    bundle = tiny_bundle(artefatos)
    altered(bundle.path("onnx"))
    with serving(artefatos) as api:
        says_unavailable(api, "modelo_v1.onnx")


def test_pickles_are_not_needed_to_serve(artefatos: Path) -> None:
    bundle = tiny_bundle(artefatos)
    altered(bundle.path("modelo"))
    bundle.path("scaler").unlink()
    with serving(artefatos) as api:
        assert predict(api).status_code == 200


def test_broken_metadata_is_refused_by_name(artefatos: Path) -> None:
    bundle = tiny_bundle(artefatos)
    bundle.metadata_path.write_text("{")
    with serving(artefatos) as api:
        says_unavailable(api, "metadados_v1.json")


def published(artefatos: Path, onnx: bytes, *, answers_off_by: float = 0) -> Bundle:
    """A bundle whose files are what was published, but whose ONNX file is not what its metadata says."""
    columns = NUMBERS | TEXTS
    records = [{"Living Area": 10, "Rate": None, "City": 1, "Kind": "a"}] * 2
    facts = facts_of("tiny", columns, {}, records, tiny_graph(columns, answers_off_by))
    return publish(artefatos, facts, files_with(onnx))


def test_a_golden_example_that_answers_differently_is_refused(artefatos: Path) -> None:
    published(artefatos, tiny_graph(NUMBERS | TEXTS, 0), answers_off_by=1)
    with serving(artefatos) as api:
        says_unavailable(api, "golden example 1: the answer is 21.0, in training it was 22.0")


def test_a_graph_over_other_columns_is_refused(artefatos: Path) -> None:
    published(artefatos, tiny_graph(NUMBERS, 0))
    with serving(artefatos) as api:
        says_unavailable(api, "tensor(string)")


def test_a_file_that_is_no_onnx_graph_is_refused(artefatos: Path) -> None:
    published(artefatos, b"not a graph")
    with serving(artefatos) as api:
        says_unavailable(api, "cannot be run")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"CASE": ""}, "CASE is not set"),
        ({"CASE": "../etc"}, "CASE='../etc' cannot be used"),
        ({"API_PORT": "many"}, "API_PORT='many' cannot be used"),
        ({"API_PORT": "70000"}, "API_PORT='70000' cannot be used"),
        ({"MODEL_VERSION": "newest"}, "MODEL_VERSION='newest' cannot be used"),
        ({"API_HOST": "203.0.113.1"}, "203.0.113.1"),
        ({"API_KEYS": "off", "API_KEYS_FILE": "keys.json"}, "unset one of them"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_it_with_one_message(
    artefatos: Path, environment: dict[str, str], said: str
) -> None:
    tiny_bundle(artefatos)
    told = {"CASE": "tiny", **environment}
    api = launch(artefatos, artefatos.parent / "log", free_port(), told.pop("CASE"), **told)
    assert api.process.wait(30) == 2
    assert said in api.log.read_text()
    assert "Traceback" not in api.log.read_text()


def test_a_port_taken_by_another_program_ends_it_with_one_message(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    with socket.socket() as alone, socket.socket() as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        apis = []
        for other in (alone, shared):
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            apis.append(launch(artefatos, artefatos.parent / f"log-{port}", port))
        assert [api.process.wait(30) for api in apis] == [2, 2]
    for api in apis:
        assert f"Port {api.port} of 127.0.0.1 is taken by another program" in api.log.read_text()
        assert "Traceback" not in api.log.read_text()


def test_a_port_on_which_another_case_is_served_is_taken(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    tiny_bundle(artefatos, case="other")
    with serving(artefatos, case="other") as other:
        api = launch(artefatos, artefatos.parent / "log", other.port)
        assert api.process.wait(30) == 2
        assert "taken by the API of the case 'other'" in api.log.read_text()


def test_sigterm_finishes_what_was_begun(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    body = json.dumps([RECORD] * 50_000).encode()
    with serving(artefatos) as api, ExitStack() as end:
        answers: list[httpx.Response] = []
        batch = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{api.url}/predict/batch", content=_slowly(body), headers=HEADERS, timeout=60)
            )
        )
        batch.start()
        end.callback(batch.join)
        time.sleep(0.3)
        assert api.stop() == 0
        batch.join()
    assert answers[0].status_code == 200
    assert len(answers[0].json()["predictions"]) == 50_000


def test_an_open_connection_gets_a_last_answer_after_sigterm(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    with serving(artefatos) as api, httpx.Client(base_url=api.url, trust_env=False) as client:
        assert client.post("/predict", json=RECORD).status_code == 200
        api.process.terminate()
        time.sleep(0.4)
        last = client.post("/predict", json=RECORD)
        assert (last.status_code, last.headers["connection"]) == (200, "close")
        assert api.process.wait(10) == 0


def _slowly(body: bytes) -> Iterator[bytes]:
    """A body of which half comes at once and half after a second."""
    half = len(body) // 2
    yield body[:half]
    time.sleep(1)
    yield body[half:]


class Caller(threading.Thread):
    """Predicts again and again until told to stop, and keeps the versions that answered and what failed."""

    def __init__(self, url: str, *, keep_alive: bool) -> None:
        super().__init__(daemon=True)
        self.versions: list[int] = []
        self.failures: list[str] = []
        self._url, self._keep_alive, self._done = url, keep_alive, threading.Event()

    def run(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=None if self._keep_alive else 0)
        with httpx.Client(base_url=self._url, limits=limits, timeout=10, trust_env=False) as client:
            while not self._done.is_set():
                try:
                    self.versions.append(
                        client.post("/predict", json=RECORD).raise_for_status().json()["version"]
                    )
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))

    def finish(self) -> None:
        self._done.set()
        self.join(20)


def test_a_successor_takes_the_port_over_without_one_failed_request(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    with ExitStack() as running:
        old = running.enter_context(serving(artefatos, INSTANCE_ID="v1"))
        callers = [Caller(old.url, keep_alive=number % 2 == 0) for number in range(6)]
        for caller in callers:
            caller.start()
            running.callback(caller.finish)
        for version in (2, 3):
            tiny_bundle(artefatos)
            new = running.enter_context(serving(artefatos, port=old.port, INSTANCE_ID=f"v{version}"))
            _wait_until_seen(callers, version)
            assert old.stop() == 0
            for caller in callers:
                caller.versions.clear()
            time.sleep(0.5)
            assert {seen for caller in callers for seen in caller.versions} == {version}
            old = new
        for caller in callers:
            caller.finish()
    assert [failure for caller in callers for failure in caller.failures] == []


def _wait_until_seen(callers: list[Caller], version: int) -> None:
    deadline = time.monotonic() + 20
    while not any(version in caller.versions for caller in callers):
        assert time.monotonic() < deadline, f"version {version} got no request"
        time.sleep(0.05)


def test_a_client_that_leaves_midway_does_no_harm(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    with serving(artefatos) as api:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", api.port)) as client:
                client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
        assert predict(api).status_code == 200
        time.sleep(0.2)
        assert "Traceback" not in api.log.read_text()
