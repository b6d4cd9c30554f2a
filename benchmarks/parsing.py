"""Seconds that Airflow takes to parse each DAG file, the library's imports included.

Each time is taken in a fresh process that has imported what the DAG processor imports before it
forks the process that parses a file: `python -m benchmarks.parsing`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import BaseModel

from benchmarks.errors import BenchmarkError
from esteira.chain import STEPS
from esteira.settings import PROJECT

ROUNDS = 5
DAGS = PROJECT / "dags"

_CHILD = """
import json, sys, time
from pathlib import Path
import airflow.dag_processing.processor
import airflow.sdk
from airflow.dag_processing.dagbag import BundleDagBag

file = Path(sys.argv[1])
before = set(sys.modules)
started = time.perf_counter()
bag = BundleDagBag(dag_folder=file, bundle_path=file.parent, bundle_name="dags-folder", load_op_links=False)
seconds = time.perf_counter() - started
imported = [name for name in sys.modules if name not in before]
print(json.dumps({
    "seconds": seconds,
    "dags": sorted(bag.dags),
    "errors": list(bag.import_errors.values()),
    "imported": len(imported),
    "with_library": any(name.split(".")[0] == "esteira" for name in imported),
}))
"""


class _Parse(BaseModel):
    seconds: float
    dags: tuple[str, ...]
    errors: tuple[str, ...]
    imported: int
    with_library: bool


@dataclass(frozen=True, kw_only=True)
class Parsing:
    """The median seconds of one DAG file, and how many modules its parsing imports."""

    file: str
    seconds: float
    imported: int


def measure(rounds: int = ROUNDS, dags: Path = DAGS) -> list[Parsing]:
    """Parse each step's DAG file, in turn, in that many fresh processes.

    Raises BenchmarkError when a file gives no DAG, or did not import the library while it was timed.
    """
    files = [f"{step}.py" for step in STEPS]
    with tempfile.TemporaryDirectory() as home:
        taken = [[_parse(dags / file, Path(home)) for file in files] for _ in range(rounds)]
    return [
        Parsing(file=file, seconds=median(one.seconds for one in parses), imported=parses[0].imported)
        for file, parses in zip(files, zip(*taken, strict=True), strict=True)
    ]


def _parse(file: Path, home: Path) -> _Parse:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(file)],
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{file} could not be parsed: {done.stderr[-2000:]}")
    found = _Parse.model_validate_json(done.stdout.splitlines()[-1])
    if found.errors or not found.dags or not found.with_library:
        raise BenchmarkError(f"{file} was to give a DAG of the library's: {found}")
    return found


def _environment(home: Path) -> dict[str, str]:
    """This process's, without another Airflow's settings, and the library where Airflow finds it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    airflow = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}
    return {**own, **airflow, "PYTHONPATH": str(PROJECT / "plugins")}


def main() -> None:
    """Print each file's figure."""
    for one in measure():
        print(f"{one.file:28} {one.seconds:.3f} s, {one.imported} modules imported")


if __name__ == "__main__":
    main()
