"""Seconds of `make run` on a fresh clone of the last commit, with empty package caches and Docker present.

Docker's own caches stay unless `--prune` is given: `python -m benchmarks.fresh`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.place import clear, folder_of, free_ports, heed_sigterm
from esteira.commit import git_commit
from esteira.deploy import engine
from esteira.deploy.errors import GoneError
from esteira.deploy.image import image_name
from esteira.settings import DEFAULT_CASE, NAMES, PROJECT, Settings

LONGEST_SECONDS = 1200.0
_IMAGE = image_name(DEFAULT_CASE, 1)
_OF_THIS_PROCESS = {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", *NAMES}


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """Seconds to the summary, the commit, and how many images Docker could take layers from."""

    seconds: float
    commit: str
    images_before: int
    summary: str

    @property
    def docker(self) -> str:
        return (
            f"Docker's cache kept ({self.images_before} images)"
            if self.images_before
            else "Docker's cache empty"
        )


def measure() -> Fresh:
    """Clone, run and stop; whatever happens, nothing is left running.

    Raises EngineError without a Docker engine, BenchmarkError when there is no commit or the run fails.
    """
    commit = git_commit()
    if commit is None:
        raise BenchmarkError(f"{PROJECT} is no git repository with a commit, so nothing can be cloned")
    folder = folder_of("fresh")
    now = _settings(folder)
    told = _environment(folder, now)
    before = len(_images())
    with _clone(folder, now) as clone:
        started = time.monotonic()
        summary = _make_run(clone, told)
        seconds = time.monotonic() - started
        _make_stop(clone, told)
    return Fresh(seconds=seconds, commit=commit, images_before=before, summary=summary)


def prune() -> int:
    """Remove every Esteira image that no container uses, and all dangling ones; how many stay."""
    client = engine.connect()
    with engine.engine_does("remove images and build caches"):
        used = {container.image.id for container in client.containers.list(all=True) if container.image}
        for image in client.images.list(filters={"label": "esteira.case"}):
            if image.id not in used:
                client.images.remove(str(image.id), force=True)
        client.images.prune(filters={"dangling": True})
        client.api.prune_builds()
    client.close()
    return len(_images())


def _images() -> set[str]:
    client = engine.connect()
    with engine.engine_does("list its images"):
        wanted = ({"label": "esteira.case"}, {"dangling": True})
        found = {str(image.id) for filters in wanted for image in client.images.list(filters=filters)}
    client.close()
    return found


def _settings(folder: Path) -> Settings:
    airflow, mlflow, api = free_ports(3)
    return Settings(
        ARTEFATOS_PATH=folder / "clone" / "artefatos",
        ESTEIRA_HOME=folder / "clone" / ".esteira",
        MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow}",
        AIRFLOW_PORT=airflow,
        API_PORT=api,
        DEPLOY_TARGET="docker",
    )


def _environment(folder: Path, now: Settings) -> dict[str, str]:
    """What a new user's shell has, with ports that are free here and caches that are empty."""
    caches = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME")
    told = ("AIRFLOW_PORT", "MLFLOW_TRACKING_URI", "API_PORT", "DEPLOY_TARGET")
    return {
        **{name: value for name, value in os.environ.items() if name not in _OF_THIS_PROCESS},
        **{name: str(folder / "caches" / name) for name in caches},
        **{name: str(getattr(now, name)) for name in told},
        "COLUMNS": "160",
    }


@contextmanager
def _clone(folder: Path, now: Settings) -> Iterator[Path]:
    clone = folder / "clone"
    with _name_given_back():
        clear(now, folder)
        try:
            folder.mkdir(parents=True)
            subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
            yield clone
        finally:
            clear(now, folder)


@contextmanager
def _name_given_back() -> Iterator[None]:
    """The clone's version 1 takes the name of this project's image, which gets it back."""
    client = engine.connect()
    with engine.engine_does(f"look for {_IMAGE}"):
        before = client.images.list(_IMAGE)
    try:
        yield
    finally:
        with suppress(GoneError), engine.engine_does(f"name {_IMAGE} again"):
            if before and not client.images.list(_IMAGE):
                client.images.get(str(before[0].id)).tag(*_IMAGE.split(":"))
        client.close()


def _make_stop(clone: Path, told: dict[str, str]) -> None:
    done = subprocess.run(
        ["make", "--silent", "stop"], cwd=clone, env=told, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"make stop ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _make_run(clone: Path, told: dict[str, str]) -> str:
    process = subprocess.Popen(
        ["make", "--silent", "run"],
        cwd=clone,
        env=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"make run had not ended after {LONGEST_SECONDS:.0f} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise BenchmarkError(f"make run ended with {process.returncode}:\n{output[-4000:]}")
    return output


def main() -> None:
    """Print the figure and the summary that a user sees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--prune", action="store_true", help="first remove Esteira's images and Docker's caches"
    )
    asked = parser.parse_args()
    heed_sigterm()
    if asked.prune:
        print(f"Removed Esteira's and all dangling images, and build caches; {prune()} in use stay")
    found = measure()
    print(found.summary)
    print(f"make run on a fresh clone of {found.commit[:7]}: {found.seconds:.0f} s; {found.docker}")


if __name__ == "__main__":
    main()
