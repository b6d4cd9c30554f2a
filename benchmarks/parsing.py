"""Seconds that Airflow takes to parse each DAG file, the library's imports included.

As Airflow's DAG processor does, a process imports Airflow and forks another for each time that a file
is parsed: `python -m benchmarks.parsing`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import BaseModel, TypeAdapter

from benchmarks.errors import BenchmarkError
from esteira.chain import STEPS
from esteira.settings import PROJECT

ROUNDS = 5
DAGS = PROJECT / "dags"

_CHILD = """
import json, multiprocessing, sys, time
from pathlib import Path
import airflow.dag_processing.processor
import airflow.sdk
from airflow.dag_processing.dagbag import BundleDagBag

def parse(name):
    file = Path(name)
    before = set(sys.modules)
    started = time.perf_counter()
    bag = BundleDagBag(file, bundle_path=file.parent, bundle_name="dags-folder", load_op_links=False)
    seconds = time.perf_counter() - started
    imported = [name for name in sys.modules if name not in before]
    return {
        "file": file.name,
        "seconds": seconds,
        "dags": sorted(bag.dags),
        "errors": list(bag.import_errors.values()),
        "imported": len(imported),
        "with_library": any(name.split(".")[0] == "esteira" for name in imported),
    }

with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
    print(json.dumps(pool.map(parse, sys.argv[1:], chunksize=1)))
"""


class _Parse(BaseModel):
    file: str
    seconds: float
    dags: tuple[str, ...]
    errors: tuple[str, ...]
    imported: int
    with_library: bool


_PARSES = TypeAdapter(list[_Parse])


@dataclass(frozen=True, kw_only=True)
class Parsing:
    """The median seconds of one DAG file, and how many modules its parsing imports."""

    file: str
    seconds: float
    imported: int


def measure(rounds: int = ROUNDS, dags: Path = DAGS) -> list[Parsing]:
    """Parse each step's DAG file, in turn, that many times, each time in a process that is new to it.

    Raises BenchmarkError when a file gives no DAG, or did not import the library while it was timed.
    """
    files = [dags / f"{step}.py" for step in STEPS]
    parses = _parsed(files * rounds)
    for one in parses:
        if one.errors or not one.dags or not one.with_library:
            raise BenchmarkError(f"{one.file} was to give a DAG of the library's: {one}")
    return [_figure([one for one in parses if one.file == file.name]) for file in files]


def _figure(parses: list[_Parse]) -> Parsing:
    seconds = median(one.seconds for one in parses)
    return Parsing(file=parses[0].file, seconds=seconds, imported=parses[0].imported)


def _parsed(files: list[Path]) -> list[_Parse]:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, *map(str, files)],
            env=_environment(Path(home)),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BenchmarkError(f"The DAG files could not be parsed: {done.stderr[-2000:]}")
    return _PARSES.validate_json(done.stdout.splitlines()[-1])


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
