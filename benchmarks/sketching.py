"""Measures `esteira new` on a large file: seconds and peak memory of a process of its own."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks import child

ROWS = 1_000_000
COLUMNS = 30
_CHILD = """
import sys
from pathlib import Path
from time import perf_counter

started = perf_counter()
from benchmarks.memory import peak_bytes
from benchmarks.sketching import Run
from esteira.new.write import new
from esteira.settings import Settings

folder = Path(sys.argv[1])
settings = Settings(CASOS_PATH=folder / "casos", PROCESSED_DATA_PATH=folder / "made", RAW_DATA_PATH=folder)
written = new(folder / "large.csv", "target", settings)
outcome = written.sketch.outcome
print(Run(
    rows=outcome.rows, kept=outcome.kept, columns=len(written.sketch.form.names),
    seconds=perf_counter() - started, peak_bytes=peak_bytes(),
).model_dump_json())
"""


class Run(BaseModel):
    """What one process did, from its first import on."""

    model_config = ConfigDict(frozen=True)

    rows: int
    kept: int
    columns: int
    seconds: float
    peak_bytes: int


class Measurement(BaseModel):
    """The sketching of one file of `raw_bytes`."""

    model_config = ConfigDict(frozen=True)

    raw_bytes: int
    run: Run

    @property
    def seconds(self) -> float:
        return self.run.seconds

    @property
    def peak_mb(self) -> float:
        return self.run.peak_bytes / 1e6


def measure(rows: int = ROWS) -> Measurement:
    """Generate a file of 30 mixed columns and sketch it in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="esteira-sketching-") as folder:
        path = Path(folder) / "large.csv"
        _generate(path, rows)
        return Measurement(raw_bytes=path.stat().st_size, run=_sketch(Path(folder)))


def _generate(path: Path, rows: int) -> None:
    """An identifier, a date, texts of few and of many levels, numbers of all sorts, and what is missing."""
    import duckdb

    columns = {
        "id": "'C' || (1000000 + i)",
        "day": "strftime(DATE '2015-01-01' + (i // 400)::INTEGER, '%d/%m/%Y')",
        "kind": "['house', 'flat', 'shop', 'plot'][1 + i % 4]",
        "furnished": "['yes', 'no', 'Yes'][1 + (hash(i) % 3)::INTEGER]",
        "place": "'place ' || (hash(i + 1) % 900)",
        "agent": "'agent ' || (hash(i + 2) % 20000)",
        "fee": "CASE WHEN hash(i + 3) % 9 = 0 THEN 'NA' ELSE (hash(i + 3) % 90000 / 100)::VARCHAR END",
        "price": "format('R$ {:,.2f}', (hash(i + 4) % 90000000 / 100)::DOUBLE)",
        **{f"count_{place}": f"hash(i + {10 + place}) % {5 + 7 * place}" for place in range(10)},
        **{
            f"measure_{place}": f"round((hash(i * {3 + place}) % 1000000007) / 1e6, {1 + place % 6})"
            for place in range(11)
        },
    }
    target = "round(count_3 * 10 + measure_1 + hash(id) % 200, 2)"
    said = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute(
            f"COPY (SELECT *, {target} AS target FROM (SELECT {said} FROM range({rows}) t(i))) "  # noqa: S608
            f"TO '{path}' (HEADER)"
        )


def _sketch(folder: Path) -> Run:
    return Run.model_validate_json(child.answer("Sketching", _CHILD, str(folder)))


def main() -> None:
    """Print one measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    measured = measure(parser.parse_args().rows)
    run = measured.run
    print(
        f"{run.rows:,} rows × {run.columns} columns, {measured.raw_bytes / 1e6:,.0f} MB: "
        f"{run.seconds:.1f} s, peak {measured.peak_mb:,.0f} MB ({run.kept:,} rows can be used)"
    )


if __name__ == "__main__":
    main()
