"""Asks one instance, past the gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from esteira.deploy.gateway.folders import reachable

_TIMEOUT = 5.0
_JSON = {"content-type": "application/json"}


class Said(NamedTuple):
    """An answer to one question; the status is 0 where there was none."""

    status: int
    seconds: float
    content: dict[str, Any]


Ask = Callable[[bytes], Said]


@contextmanager
def asker(uds: Path) -> Iterator[Ask]:
    """Asks /predict of the instance that listens on a Unix socket, over one connection that is kept."""
    with (
        reachable(uds) as path,
        httpx.Client(transport=httpx.HTTPTransport(uds=path), timeout=_TIMEOUT, trust_env=False) as client,
    ):
        yield lambda body: _said(client, body)


def _said(client: httpx.Client, body: bytes) -> Said:
    begun = time.perf_counter()
    try:
        response = client.post("http://instance/predict", content=body, headers=_JSON)
        return Said(response.status_code, time.perf_counter() - begun, _content(response))
    except httpx.HTTPError:
        return Said(0, time.perf_counter() - begun, {})


def _content(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
