"""Seconds from the trigger to a new version that is live, through Airflow, MLflow and Docker.

Everything runs in a home and on ports of its own and is gone afterwards: `python -m benchmarks.releasing`.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import passage
from benchmarks.errors import BenchmarkError
from benchmarks.passage import Passage
from benchmarks.place import clear, folder_of, free_ports, heed_sigterm
from esteira.data.synthetic.houses import house_prices
from esteira.deploy import engine
from esteira.deploy.facts import Build
from esteira.settings import PROJECT, Settings
from esteira.stack import services

ROWS = 500_000
WARM_RUNS = 3
CASE = "imoveis_benchmark"
"""The case `imoveis` under a name of its own, so that its images do not take those of a user's versions."""


@dataclass(frozen=True, kw_only=True)
class Releasing:
    """A first passage, with nothing warm, those after it, and the bytes that the image adds to its base."""

    cold: Passage
    warm: tuple[Passage, ...]
    image_bytes: int

    @property
    def seconds(self) -> float:
        return median(one.seconds for one in self.warm)

    @property
    def rebuild_seconds(self) -> float:
        return median(one.build.seconds for one in self.warm)

    @property
    def typical(self) -> Passage:
        """The warm passage nearest to the median."""
        return min(self.warm, key=lambda one: abs(one.seconds - self.seconds))


def measure(rows: int = ROWS, warm_runs: int = WARM_RUNS) -> Releasing:
    """One cold passage, then the warm ones, each over a raw file that has one row more.

    Raises EngineError without a Docker engine, BenchmarkError when a passage does not end with a live
    version; whatever happens, nothing is left running.
    """
    folder = folder_of("releasing")
    now = _settings(folder)
    engine.connect().close()
    with _services(now, folder):
        raw = now.RAW_DATA_PATH / "HousePrices_HalfMil.csv"
        house_prices(raw, rows)
        cold = passage.take(now, CASE, rows)
        warm = tuple(_with_one_more(now, raw, rows + number) for number in range(1, warm_runs + 1))
        return Releasing(cold=cold, warm=warm, image_bytes=_over_base(warm[-1].build))


def _settings(folder: Path) -> Settings:
    airflow, mlflow, api = free_ports(3)
    return Settings(
        CASOS_PATH=folder / "casos",
        RAW_DATA_PATH=folder / "raw",
        PROCESSED_DATA_PATH=folder / "processed",
        ARTEFATOS_PATH=folder / "artefatos",
        ESTEIRA_HOME=folder / "home",
        MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow}",
        AIRFLOW_PORT=airflow,
        API_PORT=api,
        DEPLOY_TARGET="docker",
    )


@contextmanager
def _services(now: Settings, folder: Path) -> Iterator[None]:
    clear(now, folder)
    try:
        now.CASOS_PATH.mkdir(parents=True)
        now.RAW_DATA_PATH.mkdir()
        shutil.copy(PROJECT / "casos" / "imoveis.yaml", now.CASOS_PATH / f"{CASE}.yaml")
        services.up(now)
        yield
    finally:
        clear(now, folder)


def _with_one_more(now: Settings, raw: Path, rows: int) -> Passage:
    """A passage over the file with one house more, so that nothing that was cleaned is used again."""
    one = raw.with_suffix(".one")
    house_prices(one, rows=1, seed=rows)
    with raw.open("a", encoding="utf-8") as file:
        file.write(one.read_text(encoding="utf-8").splitlines()[1] + "\n")
    one.unlink()
    return passage.take(now, CASE, rows)


def _over_base(build: Build) -> int:
    found = re.search(r"^ARG BASE=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    if found is None or build.image is None:
        raise BenchmarkError(
            "The image has nothing to be compared to; the Dockerfile needs a line ARG BASE=<image>"
        )
    client = engine.connect()
    with engine.engine_does("compare the image with its base"):
        whole, base = (client.images.get(name).attrs["Size"] for name in (build.image.id, found[1]))
    client.close()
    return int(whole - base)


def main() -> None:
    """Print each task of the typical warm passage, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--warm-runs", type=int, default=WARM_RUNS)
    asked = parser.parse_args()
    heed_sigterm()
    show(measure(asked.rows, asked.warm_runs), Console())


def show(found: Releasing, console: Console) -> None:
    """Print where the seconds of a warm passage go."""
    table = Table("DAG", "task", "seconds", title="A warm passage")
    for task in found.typical.tasks:
        table.add_row(task.dag, escape(task.name), f"{task.seconds:.2f}")
    console.print(table)
    warm = ", ".join(f"{one.seconds:.1f}" for one in found.warm)
    console.print(f"trigger → live: cold {found.cold.seconds:.1f} s, warm {warm} s")
    console.print(
        f"image {found.image_bytes / 1e6:.0f} MB over base, rebuilt in {found.rebuild_seconds:.2f} s"
    )


if __name__ == "__main__":
    main()
