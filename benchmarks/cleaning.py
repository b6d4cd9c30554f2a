"""Measures the cleaning of a large raw file: seconds and peak memory of a process of its own."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel, ConfigDict

from benchmarks import child

ROWS = 20_000_000
_CHILD = """
import sys
from pathlib import Path
from time import perf_counter
from benchmarks.cleaning import Run
from benchmarks.memory import peak_bytes
from esteira import casefile
from esteira.data.clean import clean
from esteira.data.raw import find
from esteira.settings import Settings

settings = Settings(RAW_DATA_PATH=Path(sys.argv[1]), PROCESSED_DATA_PATH=Path(sys.argv[2]))
case = casefile.load(settings.CASOS_PATH, "imoveis")
started = perf_counter()
dataset = clean(case, find(case, settings), settings)
seconds = perf_counter() - started
run = Run(rows_in=dataset.rows_in, rows_out=dataset.rows_out, seconds=seconds, peak_bytes=peak_bytes())
print(run.model_dump_json())
"""


class Run(BaseModel):
    """What one cleaning process did."""

    model_config = ConfigDict(frozen=True)

    rows_in: int
    rows_out: int
    seconds: float
    peak_bytes: int


class Measurement(BaseModel):
    """The cleaning of one file of `raw_bytes`, which took `generating_seconds` to write."""

    model_config = ConfigDict(frozen=True)

    raw_bytes: int
    generating_seconds: float
    run: Run


def measure(rows: int = ROWS) -> Measurement:
    """Generate a file of `imoveis` in a temporary folder, clean it in a fresh process, remove both."""
    with tempfile.TemporaryDirectory(prefix="esteira-cleaning-") as folder:
        raw = Path(folder) / "raw"
        raw.mkdir()
        seconds = _generate(raw / "HousePrices_HalfMil.csv", rows)
        return Measurement(
            raw_bytes=sum(path.stat().st_size for path in raw.iterdir()),
            generating_seconds=seconds,
            run=_clean(raw, Path(folder) / "processed"),
        )


def _generate(path: Path, rows: int) -> float:
    from esteira.data.synthetic.houses import house_prices

    started = perf_counter()
    house_prices(path, rows)
    return perf_counter() - started


def _clean(raw: Path, processed: Path) -> Run:
    return Run.model_validate_json(child.answer("Cleaning", _CHILD, str(raw), str(processed)))


def main() -> None:
    """Print one measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    measured = measure(parser.parse_args().rows)
    run = measured.run
    print(
        f"{run.rows_in:,} rows, {measured.raw_bytes / 1e6:,.0f} MB → {run.rows_out:,} rows: "
        f"{run.seconds:.1f} s, peak {run.peak_bytes / 2**30:.2f} GiB "
        f"(the file was written in {measured.generating_seconds:.1f} s)"
    )


if __name__ == "__main__":
    main()
