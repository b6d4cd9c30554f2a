"""A program of a benchmark in a process of its own."""

import subprocess
import sys

from benchmarks.errors import BenchmarkError
from esteira.settings import PROJECT


def answer(what: str, program: str, *words: str) -> str:
    """The last line that a program prints; raises BenchmarkError, saying what it was, when it fails."""
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}", "PATH": "/usr/bin:/bin"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{what} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]
