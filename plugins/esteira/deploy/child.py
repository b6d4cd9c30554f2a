"""A local process that serves a version, found by the marks in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from esteira.deploy.facts import Instance
from esteira.settings import PROJECT

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_HOME, _ROLE, _CREATED = "ESTEIRA_API_HOME", "ESTEIRA_API_ROLE", "ESTEIRA_API_CREATED"


def spawn(instance: Instance, home: str, artefatos: Path, log: Path) -> int:
    """Start the API of an instance, apart from this process and its terminal; its pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=PROJECT,
            env=_environment(instance, home, artefatos),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Without somebody who waits for it, an API that ends stays in the process table as long as we do.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def find_all(home: str) -> Iterator[Instance]:
    """Every process that serves for a home."""
    for process in psutil.process_iter():
        marks = _marks(process)
        if marks.get(_HOME) == home and marks.get("INSTANCE_ID"):
            yield Instance(
                target="process",
                case=marks["CASE"],
                version=int(marks["MODEL_VERSION"]),
                role="live" if marks[_ROLE] == "live" else "trial",
                id=marks["INSTANCE_ID"],
                handle=str(process.pid),
                port=int(marks["API_PORT"]),
                created=float(marks[_CREATED]),
                running=True,
            )


def find(instance: Instance) -> psutil.Process | None:
    """The process of an instance; None when it has ended, whoever has its pid now."""
    try:
        process = psutil.Process(int(instance.handle))
    except psutil.NoSuchProcess:
        return None
    return process if _marks(process).get("INSTANCE_ID") == instance.id else None


def end(instance: Instance, seconds: float) -> None:
    """Let the process finish what it began, for so long."""
    process = find(instance)
    if process is None:
        return
    try:
        process.terminate()
        process.wait(seconds)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(seconds)
    except psutil.NoSuchProcess:
        return


def _environment(instance: Instance, home: str, artefatos: Path) -> dict[str, str]:
    return {key: os.environ[key] for key in _INHERITED if key in os.environ} | {
        "PYTHONPATH": f"{PROJECT / 'plugins'}{os.pathsep}{PROJECT}",
        "PYTHONUNBUFFERED": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "CASE": instance.case,
        "MODEL_VERSION": str(instance.version),
        "ARTEFATOS_PATH": str(artefatos.resolve()),
        "API_HOST": "127.0.0.1",
        "API_PORT": str(instance.port),
        "INSTANCE_ID": instance.id,
        _HOME: home,
        _ROLE: instance.role,
        _CREATED: str(instance.created),
    }


def _marks(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}
