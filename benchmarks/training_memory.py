"""How often a training holds its dataset: the peak memory over the size of its columns as float32.

A process first trains on a few rows, which loads all that a training needs, and then on the large dataset;
what its peak grew by is counted. Both were cleaned before. Run: `python -m benchmarks.training_memory`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from benchmarks import exams, training
from esteira import casefile
from esteira.data.clean import clean
from esteira.data.raw import find
from esteira.data.synthetic.writing import write
from esteira.settings import PROJECT

ROWS = 1_000_000
COLUMNS = 30
KINDS = ("linear_regression", "hist_gradient_boosting")
_SMALL = 5_000
_CHUNK = 50_000
_CHILD = """
import sys
from pathlib import Path
from benchmarks import training
from benchmarks.memory import peak_bytes
from esteira import casefile
from esteira.train import steps

folder, kind = Path(sys.argv[1]), sys.argv[2]
now = training.home(folder).model_copy(update={"CASOS_PATH": folder / "casos"})
for name in ("small", "large"):
    training.judged(steps.competing(casefile.load(now.CASOS_PATH, name), [kind]), now)
    Path(sys.argv[3]).open("a").write(f"{peak_bytes()}\\n")
"""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a training of one candidate needed above a small one, and the dataset's size, in bytes."""

    kind: str
    peak_bytes: int
    dataset_bytes: int

    @property
    def ratio(self) -> float:
        return self.peak_bytes / self.dataset_bytes


def measure(rows: int = ROWS) -> list[Memory]:
    """Each candidate alone, in a process of its own, on rows of random numbers and their noisy sum."""
    with tempfile.TemporaryDirectory(prefix="esteira-memory-") as name:
        folder = Path(name)
        for case, number in (("small", _SMALL), ("large", rows)):
            _cleaned(folder, case, number)
        return [_of(kind, folder, rows) for kind in KINDS]


def _cleaned(folder: Path, name: str, rows: int) -> None:
    now = training.home(folder).model_copy(update={"CASOS_PATH": folder / "casos"})
    for place in (now.CASOS_PATH, now.RAW_DATA_PATH):
        place.mkdir(exist_ok=True)
    write(now.RAW_DATA_PATH / f"{name}.csv", _rows(rows))
    (now.CASOS_PATH / f"{name}.yaml").write_text(yaml.safe_dump(_case(name)), encoding="utf-8")
    case = casefile.load(now.CASOS_PATH, name)
    clean(case, find(case, now), now)


def _case(name: str) -> dict[str, object]:
    return {
        "title": name,
        "source": {"files": f"{name}.csv"},
        "target": "y",
        "task": "regression",
        "columns": {f"x{place}": {"type": "number"} for place in range(COLUMNS)},
        "train": {"candidates": list(KINDS)},
    }


def _rows(rows: int) -> Iterator[dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    for start in range(0, rows, _CHUNK):
        columns = random.normal(size=(min(_CHUNK, rows - start), COLUMNS)).round(3)
        target = columns.sum(axis=1) + random.normal(size=len(columns))
        yield {f"x{place}": columns[:, place] for place in range(COLUMNS)} | {"y": target.round(3)}


def _of(kind: str, folder: Path, rows: int) -> Memory:
    peaks = folder / f"{kind}.peaks"
    told = {**os.environ, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}"}
    exams.done([sys.executable, "-c", _CHILD, str(folder), kind, str(peaks)], told)
    small, large = (int(line) for line in peaks.read_text(encoding="utf-8").split())
    return Memory(kind=kind, peak_bytes=large - small, dataset_bytes=rows * COLUMNS * 4)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    for found in measure(parser.parse_args().rows):
        print(
            f"{found.kind}: {found.peak_bytes / 1e6:.0f} MB for a dataset of "
            f"{found.dataset_bytes / 1e6:.0f} MB: {found.ratio:.2f} ×"
        )


if __name__ == "__main__":
    main()
