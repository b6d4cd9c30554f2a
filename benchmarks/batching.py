"""1,000,000 rows as a file through POST /predict/batch, against DuckDB reading and writing the same file.

Both read a file from disk and write one. Ours goes over HTTP and answers each row; DuckDB copies its
columns, an Arrow stream by way of pyarrow. In turn, medians: `python -m benchmarks.batching`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import httpx
import pyarrow as pa

from benchmarks import rival_serving
from benchmarks.rival_serving import OURS, Server
from esteira.data.synthetic.houses import house_prices

ROWS = 1_000_000
ROUNDS = 5
TYPES = {
    "CSV": "text/csv",
    "Parquet": "application/vnd.apache.parquet",
    "Arrow": "application/vnd.apache.arrow.stream",
}
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Batching:
    """One kind of file: median seconds of both sides, and what the API's memory was at most up to then."""

    kind: str
    file_bytes: int
    seconds: float
    duckdb_seconds: float
    peak_mb: float


def measure(rows: int = ROWS, rounds: int = ROUNDS) -> list[Batching]:
    """Each kind of file, after one round that is not counted; raises BenchmarkError when the API fails."""
    with tempfile.TemporaryDirectory(prefix="esteira-batching-") as name, duckdb.connect() as engine:
        folder = Path(name)
        names, held = rival_serving.trained("linear", folder)
        question = rival_serving.questions(names)[OURS]
        files = _files(engine, folder, rows)
        with rival_serving.served(OURS, folder, {}, question, held) as server:
            return [_of(kind, file, engine, server, rounds) for kind, file in files.items()]


def _files(engine: duckdb.DuckDBPyConnection, folder: Path, rows: int) -> dict[str, Path]:
    house_prices(folder / "houses.csv", rows)
    engine.from_csv_auto(str(folder / "houses.csv")).project("* EXCLUDE (Prices)").create("houses")
    found = {kind: folder / f"rows.{kind.lower()}" for kind in TYPES}
    engine.execute(f"COPY houses TO '{found['CSV']}' (FORMAT csv, HEADER)")
    engine.execute(f"COPY houses TO '{found['Parquet']}' (FORMAT parquet)")
    _write_arrow(engine.table("houses").to_arrow_reader(), found["Arrow"])
    return found


def _of(kind: str, file: Path, engine: duckdb.DuckDBPyConnection, server: Server, rounds: int) -> Batching:
    target = file.with_name(f"answer.{kind.lower()}")
    ours: Callable[[], object] = lambda: _send(server.url, file, TYPES[kind], target)  # noqa: E731
    theirs: Callable[[], object] = lambda: _copy(engine, kind, file, target)  # noqa: E731
    taken = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds + 1)][1:]
    mine, other = (statistics.median(side) for side in zip(*taken, strict=True))
    return Batching(
        kind=kind,
        file_bytes=file.stat().st_size,
        seconds=mine,
        duckdb_seconds=other,
        peak_mb=server.peak_mb(),
    )


def _send(url: str, file: Path, kind: str, target: Path) -> None:
    told = {"content-type": kind, "accept": kind, "content-length": str(file.stat().st_size)}
    asked = {"content": _blocks(file), "headers": told, "timeout": 600}
    with httpx.stream("POST", f"{url}/predict/batch", **asked) as answer, target.open("wb") as out:  # type: ignore[arg-type]
        if answer.status_code != 200:
            answer.read()
        answer.raise_for_status()
        for part in answer.iter_raw(_BLOCK):
            out.write(part)


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            yield block


def _copy(engine: duckdb.DuckDBPyConnection, kind: str, file: Path, target: Path) -> None:
    if kind == "Arrow":
        with pa.ipc.open_stream(pa.memory_map(str(file))) as stream:
            _write_arrow(engine.from_arrow(stream).to_arrow_reader(), target)
    else:
        engine.execute(f"COPY (FROM read_{kind.lower()}('{file}')) TO '{target}' (FORMAT {kind.lower()})")


def _write_arrow(rows: pa.RecordBatchReader, target: Path) -> None:
    with pa.OSFile(str(target), "wb") as out, pa.ipc.new_stream(out, rows.schema) as stream:
        for batch in rows:
            stream.write_batch(batch)


def _seconds(does: Callable[[], object]) -> float:
    began = time.perf_counter()
    does()
    return time.perf_counter() - began


if __name__ == "__main__":
    for found in measure():
        print(
            f"{found.kind:8}{found.seconds:6.2f} s  DuckDB {found.duckdb_seconds:5.2f} s  "
            f"{found.seconds / found.duckdb_seconds:.2f} ×  {found.peak_mb:.0f} MB at most"
        )
