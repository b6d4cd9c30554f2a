"""What clients send around a body, or ahead of an answer, harms neither the process nor the answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.apis import ROOT, Api, free_port, serving
from tests.bundles import tiny_bundle

RECORD = {"Living_Area": 120, "City": 1, "Kind": "b"}
CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
STREAMS = """
import asyncio, sys
from app import listener, server

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for row in range(20 if scope["path"] == "/slow" else 0):
        await send({"type": "http.response.body", "body": b"row %d\\n" % row, "more_body": True})
        await asyncio.sleep(0.2)
    await send({"type": "http.response.body", "body": b"the end of " + scope["path"].encode()})

server.serve(app, [listener.bind("127.0.0.1", int(sys.argv[1]), "x")], patience=0.5)
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("connection") / "artefatos"
    tiny_bundle(artefatos)
    with serving(artefatos) as running:
        yield running


def resident_mb(api: Api) -> float:
    return float(psutil.Process(api.process.pid).memory_info().rss / 1e6)


@pytest.mark.parametrize("field", [b"X-More: %s\r\n" % (b"v" * 1_000), b"v" * 1_000])
def test_fields_after_a_body_are_not_kept_however_many_or_long(api: Api, field: bytes) -> None:
    before = resident_mb(api)
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
        client.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nX-First: ")
        with suppress(OSError):  # it is cut
            for _ in range(60_000):
                client.sendall(field)
        with suppress(ConnectionError):
            assert b"HTTP/1.1 200" not in client.recv(65536)
    assert resident_mb(api) < before + 20
    assert httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False).status_code == 200


def test_a_body_of_tiny_chunks_with_a_field_after_it_is_taken(api: Api) -> None:
    body = json.dumps(RECORD).encode().ljust(60_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
        for _ in range(2):
            client.sendall(CHUNKED + chunks + b"0\r\nX-Checksum: 17\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_hundreds_of_requests_a_few_ahead_are_answered_in_turn(api: Api) -> None:
    request = b"GET /check HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n" % (b"v" * 1_000)
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
        for _ in range(100):
            client.sendall(request * 4)
            said = b""
            while said.count(b'"status":"ok"') < 4:
                part = client.recv(65536)
                assert part
                said += part


@pytest.mark.parametrize("ahead", [b"", b"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
def test_a_long_answer_is_whole_whoever_asks_on_meanwhile(tmp_path: Path, ahead: bytes) -> None:
    port, log = free_port(), tmp_path / "log"
    path = os.pathsep.join(map(str, [ROOT, ROOT / "plugins"]))
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", STREAMS, str(port)], env={**os.environ, "PYTHONPATH": path}, stderr=said
        )
    try:
        with _connected(port) as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)
            client.sendall(ahead)
            last, got = b"the end of /next" if ahead else b"the end of /slow", b""
            while last not in got:
                part = client.recv(65536)
                assert part, f"{got!r}, {log.read_text()}"
                got += part
    finally:
        process.kill()
        process.wait()
    assert got.count(b"row ") == 20
    assert b"the end of /slow" in got
    assert b"503" not in got


def _connected(port: int) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize(("length", "status"), [(60_000, b"200"), (100_000, b"431"), (300_000, b"431")])
def test_a_large_head_is_refused_also_when_it_comes_at_once(api: Api, length: int, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
        client.sendall(b"GET /check HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n" % (b"v" * length))
        assert client.recv(65536).startswith(b"HTTP/1.1 " + status)
