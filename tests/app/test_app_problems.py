"""Every refusal is a problem of a kind that is listed, explained and never changes its name."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import httpx
import pytest
from opening import opened

from app.answers import Answers
from app.kinds import KINDS, PREFIX
from tests.apis import ROOT, Api, serving
from tests.bundles import tiny_bundle

TYPES = {kind.type: kind for kind in KINDS}
JSON = {"Content-Type": "application/json"}
REFUSED = (
    ("GET", "/nowhere", {}, b"", "not-found"),
    ("DELETE", "/predict", {}, b"", "method-not-allowed"),
    ("POST", "/predict", JSON, b"{", "malformed-request"),
    ("POST", "/predict", {"Content-Type": "text/csv"}, b"a,b", "wrong-media-type"),
    ("POST", "/predict", JSON, b"{}", "invalid-record"),
    ("POST", "/predict", JSON, b" " * 1_000_001, "too-large"),
    ("POST", "/predict/batch", JSON, b"[]", "invalid-record"),
    ("GET", "/model", {"X-Long": "x" * 400_000}, b"", "head-too-large"),
)


@pytest.mark.parametrize(("method", "path", "headers", "body", "kind"), REFUSED)
def test_a_refusal_is_of_a_listed_kind(
    http: httpx.Client, method: str, path: str, headers: dict[str, str], body: bytes, kind: str
) -> None:
    response = http.request(method, path, headers=headers, content=body)
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == PREFIX + kind
    known = TYPES[problem["type"]]
    assert (problem["status"], problem["title"]) == (response.status_code, known.title)
    assert response.status_code == known.status


@pytest.mark.parametrize("path", ["/predict", "/explain"])
def test_an_error_of_the_api_itself_says_where_it_is_found_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the API")

    client = opened(tiny_bundle(tmp_path))
    monkeypatch.setattr(Answers, "one", broken)
    response = client.post(path, json={}, headers={"X-Request-Id": "mine"})
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["type"]) == (500, "/problems/internal-error")
    assert problem["request_id"]
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_a_client_that_leaves_in_the_midst_of_a_record_is_no_error_of_the_api(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    with serving(tmp_path / "artefatos") as api:
        with socket.create_connection(("127.0.0.1", api.port), timeout=10) as client:
            client.sendall(head)
        counted = 'http_requests_total{route="/predict",status="400"} 1.0'
        deadline = time.monotonic() + 10
        while counted not in httpx.get(f"{api.url}/metrics", trust_env=False).text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert api.stop() == 0
        assert "Traceback" not in api.log.read_text()


def test_what_is_no_http_is_a_problem_too(tiny_api: Api) -> None:
    with socket.create_connection(("127.0.0.1", tiny_api.port), timeout=10) as client:
        client.sendall(b"this is no request\r\n\r\n")
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in said
    assert b'"type": "/problems/malformed-request"' in said


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_has_a_page_and_a_line_in_the_documentation(http: httpx.Client, kind: object) -> None:
    (name, title) = kind.name, kind.title
    page = http.get(PREFIX + name)
    assert page.status_code == 200
    assert title in page.text
    assert f"`{PREFIX}{name}`" in (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_gateway_uses_kinds_of_the_same_list() -> None:
    gateway = (ROOT / "plugins/esteira/deploy/gateway/haproxy.cfg").read_text(encoding="utf-8")
    used = [part.split('"')[1] for part in gateway.split('"type": ')[1:]]
    assert len(used) == 4
    assert set(used) <= set(TYPES)


@pytest.mark.parametrize("wish", ["h2c", "websocket"])
def test_who_would_rather_change_the_protocol_is_answered_in_this_one(tiny_api: Api, wish: str) -> None:
    body = json.dumps({"Living_Area": 120, "City": 1, "Kind": "b"}).encode()
    head = f"POST /predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    upgrade = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {wish}\r\nHTTP2-Settings: AAMAAABk\r\n"
    with socket.create_connection(("127.0.0.1", tiny_api.port), timeout=10) as client:
        for asked in (head + upgrade, head, head + upgrade):
            client.sendall(asked.encode() + b"\r\n" + body[:20])
            client.sendall(body[20:])
            said = client.recv(65536)
            assert said.startswith(b"HTTP/1.1 200 ")
            assert b'"prediction":251.0' in said
