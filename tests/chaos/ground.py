"""What a fault is tried on: versions that can be told apart by their answers, and who releases them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
import yaml
from load import Load, load
from releasing import ANSWER, RECORD, publish

from esteira.deploy import standing
from esteira.deploy.facts import Build, Image, Release, Wanted, home_id
from esteira.deploy.gateway.folders import Folders
from esteira.deploy.live import placed
from esteira.deploy.lock import locked
from esteira.deploy.release import ask_golden, build, retire, start, switch
from esteira.deploy.traffic import Traffic
from esteira.deploy.trial import try_out
from esteira.settings import PROJECT, Settings

CASE = "tiny"
FULL = os.environ.get("ESTEIRA_CHAOS") == "full"
"""Whether the long form is asked for, whose figures are written down."""
_HERE = Path(__file__).parent
_STEP = 1000.0

_CASE_FILE: Mapping[str, Any] = {
    "title": "Tiny",
    "source": {"files": "tiny.csv"},
    "target": "Price",
    "task": "regression",
    "columns": {
        "Living Area": {"type": "integer", "min": 0, "max": 1000},
        "Rate": {"type": "number", "min": 0, "max": 10, "optional": True},
        "City": {"type": "category", "levels": [1, 2, 3]},
        "Kind": {"type": "category", "levels": ["a", "b", "c"]},
        "Price": {"type": "number"},
    },
    "train": {"candidates": ["linear_regression"]},
}


def expected(version: int) -> float:
    """What a version answers to RECORD."""
    return ANSWER + (version - 1) * _STEP


def publish_next(settings: Settings) -> int:
    """Publish the next version; each answers RECORD in its own way."""
    folder = settings.ARTEFATOS_PATH / CASE / "metadados"
    return publish(settings, offset=len(list(folder.glob("*.json"))) * _STEP).version


def say_in_the_case(settings: Settings, **words: Any) -> None:
    """Write the case's file, with these words under `release`."""
    settings.CASOS_PATH.mkdir(parents=True, exist_ok=True)
    content = {**_CASE_FILE, "release": words}
    (settings.CASOS_PATH / f"{CASE}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def url(settings: Settings) -> str:
    return f"{settings.api_url}/{CASE}/predict"


def asked(settings: Settings, **words: Any) -> Any:
    """Clients that ask the case all the time, in the block."""
    return load(url(settings), RECORD, **words)


def answer(settings: Settings) -> tuple[int, float]:
    """The version that answers now, and its prediction."""
    response = httpx.post(url(settings), json=RECORD, trust_env=False, timeout=10)
    assert response.status_code == 200, response.text
    said = response.json()
    return said["version"], said["prediction"]


def go_live(settings: Settings, built: Build, wanted: Wanted | None = None) -> Release:
    """Every step that comes after the build, as the DAG takes them."""
    verified = ask_golden(start(built, settings), settings)
    went = switch(try_out(verified, wanted, settings), settings)
    retire(went, settings)
    return went


def faulty(settings: Settings, version: int | None, **fault: Any) -> Build:
    """A version's build whose image has a fault, see `faulty/__main__.py`."""
    built = build(CASE, version, settings)
    assert built.image is not None
    client = docker.from_env()
    told = {"VERSION": built.image.id, "FAULT": json.dumps(fault)}
    image, _ = client.images.build(path=str(_HERE / "faulty"), buildargs=told, rm=True, forcerm=True)
    return built.model_copy(update={"image": Image(name=built.image.name, id=str(image.id))})


def container(settings: Settings, instance: str) -> Any:
    """The engine's container of an instance."""
    client = docker.from_env()
    ours = [f"esteira.home={home_id(settings)}", f"esteira.instance={instance}"]
    (found,) = client.containers.list(all=True, filters={"label": ours})
    return found


def door(settings: Settings) -> Any:
    return docker.from_env().containers.get(f"esteira-door-{home_id(settings)}")


def gateway(settings: Settings) -> Any:
    return docker.from_env().containers.get(f"esteira-gateway-{home_id(settings)}")


def kill(container: Any) -> None:
    """kill -9 of all that runs in a container: the engine did not ask for it, so it starts it again."""
    container.exec_run(["sh", "-c", "kill -9 -1"])


def deployer(settings: Settings, version: int, *words: str) -> subprocess.Popen[str]:
    """A process of its own that takes a version live; with a point's name it halts there and says so."""
    return subprocess.Popen(
        [sys.executable, _HERE / "halting.py", settings.model_dump_json(), str(version), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
    )


def esteira(settings: Settings, *words: str) -> subprocess.Popen[str]:
    """A command of ours in a process of its own."""
    told = {name: str(value) for name, value in settings.model_dump(mode="json").items()}
    return subprocess.Popen(
        [sys.executable, "-c", "from esteira.cli import app; app()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **told, "PYTHONPATH": str(PROJECT / "plugins")},
    )


def all_up(settings: Settings) -> bool:
    """Whether the gateway gets an answer from all that are to serve."""
    known = standing.read(settings, CASE)
    health = Traffic(Folders.of(settings).admin).health(CASE)
    return known is not None and all(one in health and health[one].up for one in known.instances)


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> float:
    """Wait until something holds; the seconds that it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() < begun + seconds, f"not within {seconds:.0f} s"
        time.sleep(0.02)
    return time.monotonic() - begun


def answers_with(settings: Settings, version: int) -> bool:
    """Whether the case is answered, and by this version."""
    try:
        return answer(settings) == (version, expected(version))
    except (httpx.HTTPError, AssertionError):
        return False


def see_nothing_orphaned(settings: Settings, version: int) -> None:
    """One version serves, all else that was started is stopped or gone, and nobody holds a lock."""
    known = standing.read(settings, CASE)
    assert known is not None
    assert (known.version, known.trial) == (version, ())
    there = [one for _, one in placed(None, settings)]
    assert sorted(one.id for one in there if one.running) == sorted(known.instances)
    assert {one.role for one in there if not one.running} <= {"kept"}
    sockets = {path.name for path in Folders.of(settings).api.iterdir()}
    assert sockets <= {f"{one.id}.sock" for one in there}
    for lock in (CASE, "-gateway"):
        with locked(settings, lock, seconds=0):
            pass
    assert answer(settings) == (version, expected(version))


@contextmanager
def under_load(settings: Settings) -> Iterator[Load]:
    """Clients that ask from a little before the block to a little after it."""
    with asked(settings) as loaded:
        time.sleep(0.5)
        yield loaded
        time.sleep(0.5)
