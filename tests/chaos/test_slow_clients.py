"""Clients that are as slow as they can be, hundreds of them, beside one that only wants its answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from figures import Figures, count
from ground import FULL

from benchmarks.rows import Row, at_most
from tests.apis import Api, serving
from tests.bundles import tiny_bundle

SLOW = 400 if FULL else 100
PATIENCE = 5.0 if FULL else 2.0
RECORD = {"Living_Area": 120, "City": 1, "Kind": "b"}
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODIES = 100
"""As many of them as get to their bodies; so many requests are underway."""


@contextmanager
def dripping(api: Api) -> Iterator[list[socket.socket]]:
    """Slow clients, each sending a byte now and then until the API ends its connection."""
    done = threading.Event()
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.create_connection(("127.0.0.1", api.port))) for _ in range(SLOW)
        ]
        for number, client in enumerate(clients):
            client.sendall(HEAD + (b"Content-Length: 900\r\n\r\n{" if number < BODIES else b"X-"))
        drip = threading.Thread(target=_drip, args=(clients, done))
        drip.start()
        yield clients
        done.set()
        drip.join()


def _drip(clients: list[socket.socket], done: threading.Event) -> None:
    while not done.wait(0.5):
        for client in clients:
            try:
                client.send(b" ")
            except OSError:
                continue


def took(client: httpx.Client, seconds: float) -> list[float]:
    """How long each of a client's requests took; infinitely long where it failed."""
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        good = client.post("/predict", json=RECORD).status_code == 200
        taken.append(time.monotonic() - begun if good else float("inf"))
    return taken


def test_slow_clients_keep_nobody_from_an_answer(tmp_path: Path, figures: Figures) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with (
        serving(tmp_path / "artefatos", API_PATIENCE=str(PATIENCE)) as api,
        httpx.Client(base_url=api.url, timeout=10, trust_env=False) as client,
    ):
        alone = sorted(took(client, PATIENCE / 2))
        with dripping(api) as clients:
            beside = sorted(took(client, PATIENCE + 3))
            left = sum(_is_open(one) for one in clients)
    failed = sum(one == float("inf") for one in beside)
    p99 = beside[int(len(beside) * 0.99)] * 1000
    figures.add(
        "slow_clients",
        count(f"failed requests beside {SLOW} slow clients", failed, len(beside)),
        at_most("p99 of the answers beside them", p99, 100, "{:.1f} ms"),
        Row(
            what="p99 without them",
            figure=f"{alone[int(len(alone) * 0.99)] * 1000:.1f} ms",
            target="",
            met=True,
        ),
        count(f"slow clients still connected after {PATIENCE + 3:g} s", left, SLOW),
    )
    assert failed == left == 0


def _is_open(client: socket.socket) -> bool:
    """Whether the API has not ended a connection yet, its last words aside."""
    client.settimeout(0.01)
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return True
    except OSError:
        return False
    return False
