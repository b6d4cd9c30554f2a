"""Background processes that outlive their terminal, and the certainty that they can all be ended.

Each process carries its service's name and home in an environment variable that its descendants
inherit: whatever became of their parents, they are found by it. A pid file names each service's own
process; a process that has the pid but not the mark is somebody else's.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from esteira.stack.home import Home, write_private

MARKER = "ESTEIRA_SERVICE"
_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command to keep running, under a name that is unique in its home."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


def start(home: Home, program: Program) -> psutil.Process:
    """Start a program in a session of its own; its output goes to its log, the last log is kept once."""
    log = home.log(program.name)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with log.open("wb") as output:
        child = subprocess.Popen(
            program.command,
            cwd=program.folder,
            env={**program.environment, MARKER: _mark(home, program.name)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    write_private(pid_file(home, program.name), str(child.pid))
    child.returncode = 0  # it is meant to outlive this Popen, which would warn of that
    return psutil.Process(child.pid)


def pid_file(home: Home, name: str) -> Path:
    return home.pids / f"{name}.pid"


def find(home: Home, name: str) -> psutil.Process | None:
    """The live process of a program; None when it is gone or its pid is now another's."""
    try:
        process = psutil.Process(_recorded_pid(home, name) or 0)
        return process if is_alive(process) and process.environ().get(MARKER) == _mark(home, name) else None
    except (psutil.Error, OSError):
        return None


def _recorded_pid(home: Home, name: str) -> int | None:
    try:
        return int(pid_file(home, name).read_text())
    except (FileNotFoundError, ValueError):
        return None


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except _GONE:
        return False


def marked(home: Home, *names: str) -> list[psutil.Process]:
    """Every live process of the home, descendants included; of the named programs only, if any are."""
    chosen = names or tuple(file.stem for file in home.pids.glob("*.pid"))
    sessions = {pid for name in chosen if (pid := _session(home, name))}
    wanted = {_mark(home, name) for name in names}
    return [process for process in psutil.process_iter() if _belongs(process, home, wanted, sessions)]


def _belongs(process: psutil.Process, home: Home, wanted: set[str], sessions: set[int]) -> bool:
    if process.pid == os.getpid() or not is_alive(process):
        return False
    try:
        mark = process.environ().get(MARKER, "")
        return mark in wanted if wanted else mark.endswith(f"@{home.root}")
    except psutil.AccessDenied:  # Airflow hides the environment of what runs a task, even from its owner
        return _session_of(process) in sessions
    except (psutil.Error, OSError):
        return False


def _session(home: Home, name: str) -> int | None:
    """The session of a recorded program, unless its number is another's by now."""
    pid = _recorded_pid(home, name)
    if pid is None or find(home, name):
        return pid
    try:
        return None if is_alive(psutil.Process(pid)) else pid
    except psutil.NoSuchProcess:
        return pid


def _session_of(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid) if process.uids().real == os.getuid() else None
    except (psutil.Error, OSError):
        return None


def end(processes: Iterable[psutil.Process], *, patience: float) -> None:
    """Ask processes to stop, and kill those that have not within `patience` seconds."""
    asked = _signal(processes, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(asked, timeout=patience)
    psutil.wait_procs(_signal(stubborn, signal.SIGKILL), timeout=10)


def end_marked(home: Home, *names: str) -> None:
    """End every process of the home (or of the named programs), until none is left."""
    while left := marked(home, *names):
        end(left, patience=3)
        time.sleep(0.05)


def _mark(home: Home, name: str) -> str:
    return f"{name}@{home.root}"


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> list[psutil.Process]:
    reached = []
    for process in processes:
        try:
            process.send_signal(number)
        except _GONE:
            continue
        reached.append(process)
    return reached
