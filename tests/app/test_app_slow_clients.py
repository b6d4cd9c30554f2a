"""Slow clients, and more than there is room for: the others go on being answered."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.apis import ROOT, Api, serving
from tests.bundles import tiny_bundle

PATIENCE = 1.5
RECORD = {"Living_Area": 120, "City": 1, "Kind": "b"}
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SLOW_AT_ONCE = 40
HEALTH = ("/health/live", "/health/ready", "/check", "/ping", "/v2/health/live", "/v2/health/ready", "/hz")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("slow") / "artefatos"
    tiny_bundle(artefatos)
    told = {"API_PATIENCE": str(PATIENCE), "API_MOST_REQUESTS": "4", "AIP_HEALTH_ROUTE": "/hz"}
    with serving(artefatos, **told) as running:
        yield running


def others_are_answered(api: Api) -> None:
    """A good client's requests, each on time."""
    with httpx.Client(base_url=api.url, timeout=5, trust_env=False) as client:
        begun = time.monotonic()
        for _ in range(50):
            assert client.post("/predict", json=RECORD).status_code == 200
        assert time.monotonic() - begun < 5


def ended(client: socket.socket, drip: bytes, seconds: float) -> bytes:
    """What the API said before it ended the connection, while bytes go on dripping to it."""
    client.settimeout(0.2)
    said, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            client.sendall(drip)
        except OSError:
            return said
        try:
            part = client.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return said
        if not part:
            return said
        said += part
    raise AssertionError("the connection was not ended")


def slowly(api: Api, begin: bytes, drip: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", api.port)) as client:
        client.sendall(begin)
        return ended(client, drip, PATIENCE + 5)


@pytest.mark.parametrize(
    ("begin", "drip", "what"),
    [
        (POST, b"X-Slow: 1\r\n", "head"),
        (b"P", b"", "head"),
        (POST + b"Content-Length: 500000\r\n\r\n{", b" ", "body"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", "body"),
    ],
)
def test_a_slow_request_gets_408_while_others_are_answered(
    api: Api, begin: bytes, drip: bytes, what: str
) -> None:
    with ThreadPoolExecutor(SLOW_AT_ONCE) as pool:
        most = SLOW_AT_ONCE if what == "head" else 3
        slow = [pool.submit(slowly, api, begin, drip) for _ in range(most)]
        time.sleep(0.3)
        others_are_answered(api)
        said = [one.result() for one in slow]
    for one in said:
        assert one.startswith(b"HTTP/1.1 408 ")
        assert json.loads(one.split(b"\r\n\r\n", 1)[1])["type"] == "/problems/request-too-slow"
        assert what.encode() in one
    others_are_answered(api)


def test_who_does_not_read_the_answer_is_cut(api: Api) -> None:
    rows = json.dumps([RECORD] * 90_000).encode()
    head = POST.replace(b"/predict", b"/predict/batch") + b"Content-Length: %d\r\n\r\n" % len(rows)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", api.port))
        client.sendall(head + rows)
        _until(lambda: "somebody who reads the answer" in api.log.read_text(), PATIENCE + 10)
    others_are_answered(api)


def test_a_steady_client_may_take_longer_than_a_slow_one(api: Api) -> None:
    body = b"[" + b",".join([json.dumps(RECORD).encode()] * 4000) + b"]"

    def steadily() -> Iterator[bytes]:
        for at in range(0, len(body), 50_000):
            yield body[at : at + 50_000]
            time.sleep(2.5 * PATIENCE * 50_000 / len(body))

    headers = {"Content-Type": "application/json"}
    response = httpx.post(
        f"{api.url}/predict/batch", content=steadily(), headers=headers, timeout=30, trust_env=False
    )
    assert len(response.json()["predictions"]) == 4000


def test_more_requests_than_may_be_underway_get_503_at_once(api: Api) -> None:
    head = POST + b"Content-Length: 100\r\n\r\n"
    waiting = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(4)]
    for client in waiting:
        client.sendall(head)
    time.sleep(0.2)
    begun = time.monotonic()
    response = httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False)
    assert time.monotonic() - begun < 0.5
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["type"] == "/problems/overloaded"
    for path in HEALTH:
        assert httpx.get(f"{api.url}{path}", trust_env=False).status_code == 200
    for client in waiting:
        client.close()
    _until(lambda: httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False).status_code == 200, 5)


@pytest.mark.parametrize(
    "path", ["/predict/batch", "/invocations", "/v2/models/tiny/infer", "/deployed:predict"]
)
def test_more_batches_than_there_is_room_for_get_503_at_once(tmp_path: Path, path: str) -> None:
    tiny_bundle(tmp_path / "artefatos")
    head = POST.replace(b"/predict", path.encode()) + b"Content-Length: 100\r\n\r\n"
    with serving(tmp_path / "artefatos", AIP_PREDICT_ROUTE="/deployed:predict") as api:
        waiting = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(8)]
        for client in waiting:
            client.sendall(head)
        time.sleep(0.2)
        response = httpx.post(f"{api.url}{path}", json=[RECORD], trust_env=False)
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")
        assert "8 batches are underway" in response.text
        if not path.startswith("/v2"):  # whose errors have a form of their own
            assert response.json()["type"] == "/problems/overloaded"
        others_are_answered(api)
        for client in waiting:
            client.close()


def test_idle_connections_are_closed_after_a_while_without_a_word(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    (tmp_path / "sitecustomize.py").write_text("import app.patience\napp.patience.IDLE = 1.0\n")
    sooner = os.pathsep.join(map(str, [tmp_path, ROOT, ROOT / "plugins"]))
    with serving(tmp_path / "artefatos", PYTHONPATH=sooner) as api, ExitStack() as clients:
        unused, used = (
            clients.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=10))
            for _ in range(2)
        )
        used.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in used.recv(65536)
        assert used.recv(1) == unused.recv(1) == b""
        others_are_answered(api)
        assert "WARNING" not in api.log.read_text()


def test_connections_beyond_what_a_process_can_hold_are_refused(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos") as api:
        held = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(900)]
        with socket.create_connection(("127.0.0.1", api.port), timeout=5) as late:
            said = b"".join(iter(lambda: late.recv(65536), b""))
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in said
        for client in held:
            client.close()
        _until(lambda: httpx.get(f"{api.url}/check", trust_env=False).status_code == 200, 5)


@pytest.mark.parametrize("more", ["", "Connection: upgrade\r\nUpgrade: h2c\r\n"])
def test_thousands_of_requests_sent_ahead_are_cut(api: Api, more: str) -> None:
    request = f"GET /check HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
        try:
            client.sendall(request * 5000)
            said = b"".join(iter(lambda: client.recv(65536), b""))
        except OSError:
            said = b""
    assert said.count(b"HTTP/1.1 200") < 5000
    assert "Traceback" not in api.log.read_text()
    others_are_answered(api)


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
