import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from esteira.stack.home import Home, write_private
from esteira.stack.processes import (
    Program,
    end,
    end_marked,
    find,
    is_alive,
    marked,
    pid_file,
    start,
)

PARENT_AND_CHILD = "import subprocess; subprocess.run(['sleep', '600'])"
IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""
HIDES_ITS_ENVIRONMENT = """
import ctypes, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
print("hidden", flush=True)
time.sleep(600)
"""


def python(code: str, name: str = "test") -> Program:
    command = [sys.executable, "-c", code]
    return Program(name=name, command=command, folder=Path("/"), environment=dict(os.environ))


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def test_a_program_outlives_the_process_that_started_it(home: Home) -> None:
    code = f"""
        from pathlib import Path
        from esteira.stack.home import Home
        from esteira.stack.processes import Program, start
        start(Home(Path({str(home.root)!r})),
              Program(name="test", command=["sleep", "600"], folder=Path("/"), environment={{}}))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    process = find(home, "test")
    assert process is not None
    assert os.getsid(process.pid) == process.pid


def test_what_a_program_prints_goes_to_its_log_and_the_last_log_is_kept(home: Home) -> None:
    for text in ("first", "second"):
        psutil.wait_procs([start(home, python(f"print({text!r})"))])
    assert home.log("test").read_text() == "second\n"
    assert home.log("test").with_suffix(".previous.log").read_text() == "first\n"


def test_a_pid_that_now_belongs_to_another_process_is_not_taken_for_the_program(home: Home) -> None:
    write_private(pid_file(home, "test"), str(os.getpid()))
    assert find(home, "test") is None
    assert marked(home) == []


def test_the_children_of_a_killed_program_are_found_and_ended(home: Home) -> None:
    parent = start(home, python(PARENT_AND_CHILD))
    assert eventually(lambda: len(marked(home)) == 2)
    parent.kill()
    parent.wait()
    (orphan,) = marked(home)
    end_marked(home)
    assert not is_alive(orphan)
    assert marked(home) == []


def test_only_the_named_programs_are_ended(home: Home) -> None:
    start(home, python("import time; time.sleep(600)", name="one"))
    other = start(home, python("import time; time.sleep(600)", name="other"))
    end_marked(home, "one")
    assert marked(home) == [other]


def test_a_process_that_ignores_the_request_to_stop_is_killed(home: Home) -> None:
    stubborn = start(home, python(IGNORES_SIGTERM))
    assert eventually(lambda: home.log("test").read_text() != "")
    end([stubborn], patience=0.2)
    assert not is_alive(stubborn)


@pytest.mark.skipif(sys.platform != "linux", reason="only there can a process hide its environment")
def test_a_process_that_hides_its_environment_is_ended_too(home: Home) -> None:
    hidden = start(home, python(HIDES_ITS_ENVIRONMENT))
    assert eventually(lambda: "hidden" in home.log("test").read_text())
    assert marked(home) == [hidden]
    end_marked(home)
    assert not is_alive(hidden)
