"""Requests per second of POST /predict, against an echo endpoint and against the prototype's way.

One worker process, 8 connections, medians of interleaved rounds in one run: `python -m benchmarks.serving`.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import serving_app
from benchmarks.errors import BenchmarkError
from benchmarks.place import free_ports
from esteira import settings
from esteira.columns import json_name
from esteira.metadata import Record

PATHS = ("/predict", "/echo", "/prototype")
CONNECTIONS = 8
ROUNDS = 7
SECONDS = 1
ECHO_TARGET, PROTOTYPE_TARGET = 0.8, 8.0


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Median requests per second of each path."""

    predict: float
    echo: float
    prototype: float

    @property
    def of_echo(self) -> float:
        return self.predict / self.echo

    @property
    def of_prototype(self) -> float:
        return self.predict / self.prototype


def measure(rounds: int = ROUNDS, seconds: int = SECONDS) -> Serving:
    """Publish a bundle like imoveis', serve it with its rivals and load each path in turn.

    Raises BenchmarkError when wrk is missing or an answer is not 200.
    """
    with tempfile.TemporaryDirectory() as folder:
        artefatos = Path(folder)
        bundle = serving_app.publish_houses(artefatos, settings.load().CASOS_PATH)
        script = artefatos / "post.lua"
        script.write_text(_script(bundle.metadata.example))
        with _served(artefatos) as url:
            for path in PATHS:
                _requests_per_second(url + path, script, 1)
            taken = [
                [_requests_per_second(url + path, script, seconds) for path in PATHS] for _ in range(rounds)
            ]
    predict, echo, prototype = (statistics.median(column) for column in zip(*taken, strict=True))
    return Serving(predict=predict, echo=echo, prototype=prototype)


@contextmanager
def _served(artefatos: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "benchmarks.serving_app", str(artefatos), str(port)]
    process = subprocess.Popen(command, cwd=settings.PROJECT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health/ready").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise BenchmarkError("The benchmark's API did not become ready; its output above says why")


def _requests_per_second(url: str, script: Path, seconds: int) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    try:
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise BenchmarkError("wrk is not installed; install it with your package manager") from None
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None or "Non-2xx" in output:
        raise BenchmarkError(f"{url} did not answer every request with 200:\n{output}")
    return float(found[1])


def _script(example: Record) -> str:
    record = json.dumps({json_name(name): value for name, value in example.items()})
    return f"""wrk.method = "POST"
wrk.body = '{record}'
wrk.headers["Content-Type"] = "application/json"
"""


def main() -> None:
    """Measure, print a table, and fail when a target is missed."""
    found = measure()
    table = Table(
        "path", "requests/s", "POST /predict is", "target", title="Serving, 1 worker, 8 connections"
    )
    table.add_row("POST /predict", f"{found.predict:,.0f}", "", "")
    table.add_row("echo", f"{found.echo:,.0f}", f"{found.of_echo:.2f} ×", f"≥ {ECHO_TARGET} ×")
    table.add_row(
        "prototype", f"{found.prototype:,.0f}", f"{found.of_prototype:.1f} ×", f"≥ {PROTOTYPE_TARGET} ×"
    )
    Console().print(table)
    sys.exit(found.of_echo < ECHO_TARGET or found.of_prototype < PROTOTYPE_TARGET)


if __name__ == "__main__":
    main()
