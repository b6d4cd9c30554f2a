"""Asks a started API whether it is ready and whether it answers as the training process did."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx

from esteira.deploy.errors import GoldenError, NotReadyError
from esteira.deploy.facts import Instance
from esteira.deploy.gateway.folders import reachable
from esteira.golden import disagreement
from esteira.metadata import Golden, Metadata

READY_SECONDS = 30.0
REFUSAL_SECONDS = 0.5
"""The API reads its bundle before it listens: one that answers 503 for so long will not change its mind."""
_PAUSE = 0.03


def await_ready(
    instance: Instance,
    is_running: Callable[[Instance], bool],
    last_lines: Callable[[Instance], str],
    *,
    seconds: float = READY_SECONDS,
) -> None:
    """Wait until fresh connections reach this very instance and it is ready.

    Raises NotReadyError with the reason and the instance's last log lines.
    """
    reason = _refusal(instance, is_running, seconds)
    if reason:
        raise NotReadyError(
            f"The {instance} {reason}. Its last lines:\n{last_lines(instance) or '(it wrote nothing)'}"
        )


def _refusal(instance: Instance, is_running: Callable[[Instance], bool], seconds: float) -> str | None:
    begun = time.monotonic()
    first_refusal: float | None = None
    said = "it did not answer at all"
    with asking(instance, keep_alive=0) as client:
        while (now := time.monotonic()) < begun + seconds:
            if not is_running(instance):
                return "ended before it was ready"
            answer = _ask(client)
            if answer is not None and _is_ready(answer, instance):
                return None
            if answer is not None:
                said = _said(answer)
            first_refusal = (first_refusal or now) if _refuses(answer) else None
            if first_refusal is not None and now - first_refusal > REFUSAL_SECONDS:
                return f"says that it cannot serve: {said}"
            time.sleep(_PAUSE)
    return f"was not ready within {seconds:.0f} s: {said}"


def serves(instance: Instance, *, seconds: float = 1.0) -> bool:
    """Whether fresh connections reach this very instance and it is ready."""
    deadline = time.monotonic() + seconds
    with asking(instance, keep_alive=0) as client:
        while time.monotonic() < deadline:
            answer = _ask(client)
            if answer is not None and _is_ready(answer, instance):
                return True
            time.sleep(_PAUSE)
    return False


def check_golden(instance: Instance, metadata: Metadata) -> int:
    """Send every golden example to an instance's /predict; the number of them.

    Raises GoldenError at the first whose answer is not what the training process gave.
    """
    with asking(instance, keep_alive=1) as client:
        for number, golden in enumerate(metadata.golden, start=1):
            place = (
                f"golden example {number} of {len(metadata.golden)} of {metadata.case!r} v{metadata.version}"
            )
            _check_one(client, golden, metadata, place)
    return len(metadata.golden)


@contextmanager
def asking(instance: Instance, *, keep_alive: int) -> Iterator[httpx.Client]:
    """A client of one instance, past any gateway."""
    limits = httpx.Limits(max_keepalive_connections=keep_alive)
    with ExitStack() as stack:
        transport = httpx.HTTPTransport(limits=limits, trust_env=False)
        if instance.path is not None:
            path = stack.enter_context(reachable(instance.path))
            transport = httpx.HTTPTransport(uds=path, limits=limits)
        url = f"http://127.0.0.1:{instance.port}"
        yield stack.enter_context(httpx.Client(transport=transport, timeout=5.0, base_url=url))


def _check_one(client: httpx.Client, golden: Golden, metadata: Metadata, place: str) -> None:
    sent = json.dumps(golden.record, ensure_ascii=False)
    try:
        response = client.post("/predict", json=golden.record)
    except httpx.HTTPError as error:
        raise GoldenError(f"There was no answer to {place}, {sent}: {error!r}") from None
    if response.status_code != httpx.codes.OK:
        raise GoldenError(f"{place}, {sent}, was answered {response.status_code}: {response.text[:500]}")
    if found := disagreement(metadata, golden, _json(response)):
        raise GoldenError(
            f"{place}, {sent}: {found}; the API computes something else than the training did: "
            "train again, or release another version"
        )


def _ask(client: httpx.Client) -> httpx.Response | None:
    try:
        return client.get("/health/ready")
    except httpx.HTTPError:
        return None


def _is_ready(answer: httpx.Response, instance: Instance) -> bool:
    content = _json(answer)
    return (
        answer.status_code == httpx.codes.OK
        and content.get("instance") == instance.id
        and content.get("version") == instance.version
    )


def _refuses(answer: httpx.Response | None) -> bool:
    return answer is not None and answer.status_code == httpx.codes.SERVICE_UNAVAILABLE


def _said(answer: httpx.Response) -> str:
    content = _json(answer)
    return str(content.get("detail") or f"{answer.status_code} {answer.text[:300]}")


def _json(answer: httpx.Response) -> dict[str, object]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
