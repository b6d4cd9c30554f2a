"""Publishes, releases and asks tiny versions, for the deploy floor's tests."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bundles import signer_of, tiny_bundle
from esteira.bundle import Bundle
from esteira.bundle import publish as publish_bundle
from esteira.deploy.facts import Release, Verified
from esteira.deploy.live import placed
from esteira.deploy.release import ask_golden, build, retire, start, switch
from esteira.metadata import Facts, Role
from esteira.settings import PROJECT, Settings

RECORD = {"Living Area": 100, "Rate": 1.5, "City": 2, "Kind": "b"}
ANSWER = 212.0
"""What a tiny bundle without offset answers to RECORD."""


def publish(settings: Settings, offset: float = 0) -> Bundle:
    return tiny_bundle(settings.ARTEFATOS_PATH, offset=offset)


def release(settings: Settings, version: int | None = None, case: str = "tiny") -> Release:
    """All steps; what passes between them travels as JSON, as between Airflow's tasks."""
    built = build(case, version, settings)
    built = type(built).model_validate_json(built.model_dump_json())
    started = start(built, settings)
    started = type(started).model_validate_json(started.model_dump_json())
    tried = ask_golden(started, settings)
    tried = type(tried).model_validate_json(tried.model_dump_json())
    went = switch(tried, settings)
    retire(type(went).model_validate_json(went.model_dump_json()), settings)
    return went


def verified(settings: Settings, version: int | None = None, case: str = "tiny") -> Verified:
    """A version that runs beside what is live and answered its golden examples."""
    return ask_golden(start(build(case, version, settings), settings), settings)


def serving(settings: Settings) -> list[str]:
    """The instances that serve, of all cases."""
    return [one.id for _, one in placed(None, settings) if one.role == "live" and one.running]


def running(settings: Settings) -> list[str]:
    """The instances that run, for whatever."""
    return [one.id for _, one in placed(None, settings) if one.running]


def url(settings: Settings, case: str = "tiny") -> str:
    """Where a case is served."""
    if settings.DEPLOY_TARGET == "docker":
        return f"{settings.api_url}/{case}"
    return settings.api_url


def ask(settings: Settings) -> float:
    """What the public port answers to RECORD."""
    response = httpx.post(f"{url(settings)}/predict", json=RECORD, trust_env=False)
    assert response.status_code == 200, response.text
    return float(response.json()["prediction"])


@contextmanager
def traffic(settings: Settings, clients: int = 3) -> Iterator[Counter[str]]:
    """Clients that ask all the time, half of them on a new connection each time; counts the answers."""
    answers: Counter[str] = Counter()
    done = threading.Event()
    threads = [
        threading.Thread(target=_ask_on, args=(settings, answers, done, n % 2)) for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _ask_on(settings: Settings, answers: Counter[str], done: threading.Event, keep_alive: int) -> None:
    limits = httpx.Limits(max_keepalive_connections=keep_alive)
    with httpx.Client(trust_env=False, limits=limits, timeout=5) as client:
        while not done.is_set():
            try:
                response = client.post(f"{url(settings)}/predict", json=RECORD)
                answers[str(response.json().get("prediction", response.status_code))] += 1
            except httpx.HTTPError as error:
                answers[repr(error)] += 1


def publish_again(
    bundle: Bundle, graph: bytes | None = None, golden_prediction: float | None = None
) -> Bundle:
    """Publish a version once more, with another ONNX file, or another answer to golden example 5."""
    facts = Facts.model_validate({name: getattr(bundle.metadata, name) for name in Facts.model_fields})
    golden = list(facts.golden)
    if golden_prediction is not None:
        golden[4] = golden[4].model_copy(update={"prediction": golden_prediction})
    changes = {"golden": tuple(golden), "training_id": uuid.uuid4().hex}
    roles: tuple[Role, ...] = ("modelo", "scaler", "onnx")
    files = {role: bundle.read(role) for role in roles}
    if graph is not None:
        files["onnx"] = graph
    artefatos = bundle.folder.parent
    return publish_bundle(artefatos, facts.model_copy(update=changes), files, signer_of(artefatos))


def deployer(settings: Settings, version: int) -> subprocess.Popen[str]:
    """A process of its own that releases a version."""
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("deployer.py"), settings.model_dump_json(), str(version)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
    )
