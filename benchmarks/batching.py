"""1,000,000 rows as a file through POST /predict/batch, against DuckDB reading and writing the same file.

Both read a file from disk and write one. Ours goes over HTTP and answers each row; DuckDB copies its
columns, in this process and also behind a bare server. In turn, medians: `python -m benchmarks.batching`.
"""

from __future__ import annotations

import http.client
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks import rival_serving
from benchmarks.copying import KINDS, copy, write_arrow
from benchmarks.errors import BenchmarkError
from benchmarks.place import free_ports
from benchmarks.rival_serving import OURS
from esteira.data.synthetic.houses import house_prices
from esteira.settings import PROJECT

ROWS = 1_000_000
ROUNDS = 5
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Batching:
    """One kind of file: median seconds of each side, and what the API's memory was at most up to then."""

    kind: str
    file_bytes: int
    seconds: float
    duckdb_seconds: float
    duckdb_http_seconds: float
    peak_mb: float


def measure(rows: int = ROWS, rounds: int = ROUNDS) -> list[Batching]:
    """Each kind of file, after one round that is not counted; raises BenchmarkError when a server fails."""
    with tempfile.TemporaryDirectory(prefix="esteira-batching-") as name, duckdb.connect() as engine:
        folder = Path(name)
        names, held = rival_serving.trained("linear", folder)
        question = rival_serving.questions(names)[OURS]
        files = _files(engine, folder, rows)
        with rival_serving.served(OURS, folder, {}, question, held) as server, _copying(folder) as rival:
            found = []
            for kind, file in files.items():
                target = file.with_name(f"answer.{kind.lower()}")
                sides: list[Callable[[], None]] = [
                    lambda: _send(f"{server.url}/predict/batch", kind, file, target),  # noqa: B023
                    lambda: copy(engine, kind, file, target),  # noqa: B023
                    lambda: _send(f"{rival}/copy", kind, file, target),  # noqa: B023
                ]
                ours, theirs, served = _medians(sides, rounds)
                found.append(
                    Batching(
                        kind=kind,
                        file_bytes=file.stat().st_size,
                        seconds=ours,
                        duckdb_seconds=theirs,
                        duckdb_http_seconds=served,
                        peak_mb=server.peak_mb(),
                    )
                )
            return found


def _files(engine: duckdb.DuckDBPyConnection, folder: Path, rows: int) -> dict[str, Path]:
    house_prices(folder / "houses.csv", rows)
    engine.from_csv_auto(str(folder / "houses.csv")).project("* EXCLUDE (Prices)").create("houses")
    found = {kind: folder / f"rows.{kind.lower()}" for kind in KINDS}
    engine.execute(f"COPY houses TO '{found['CSV']}' (FORMAT csv, HEADER)")
    engine.execute(f"COPY houses TO '{found['Parquet']}' (FORMAT parquet)")
    write_arrow(engine.table("houses").to_arrow_reader(), found["Arrow"])
    return found


@contextmanager
def _copying(folder: Path) -> Iterator[str]:
    """The address of DuckDB behind HTTP."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "benchmarks.copying", str(folder), str(port)]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                break
        else:
            raise BenchmarkError("DuckDB's server did not start; its output above says why")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _send(url: str, kind: str, file: Path, target: Path) -> None:
    """By the leanest client that Python has: what is measured is the server."""
    place, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(place, timeout=600, blocksize=_BLOCK)
    told = {"Content-Type": KINDS[kind], "Content-Length": str(file.stat().st_size)}
    try:
        with file.open("rb") as content, target.open("wb") as out:
            connection.request("POST", f"/{path}", content, told)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise BenchmarkError(f"{url} answered {answer.status}: {answer.read()[:500]!r}")
            while part := answer.read(_BLOCK):
                out.write(part)
    finally:
        connection.close()


def _medians(sides: list[Callable[[], None]], rounds: int) -> list[float]:
    """Seconds of each side, asked in turn."""
    taken = [[_seconds(side) for side in sides] for _ in range(rounds + 1)][1:]
    return [statistics.median(one) for one in zip(*taken, strict=True)]


def _seconds(does: Callable[[], None]) -> float:
    began = time.perf_counter()
    does()
    return time.perf_counter() - began


if __name__ == "__main__":
    for found in measure():
        print(
            f"{found.kind:8}{found.seconds:6.2f} s  DuckDB {found.duckdb_seconds:5.2f} s  "
            f"{found.seconds / found.duckdb_seconds:.2f} ×  behind HTTP {found.duckdb_http_seconds:5.2f} s  "
            f"{found.seconds / found.duckdb_http_seconds:.2f} ×  {found.peak_mb:.0f} MB at most"
        )
