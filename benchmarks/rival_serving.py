"""The API against other ways to serve the same scikit-learn model, each in an environment of its own.

One worker each, all of them up at once, asked in turn: `python -m benchmarks.rival_serving`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import psutil
from sklearn.pipeline import make_pipeline

from benchmarks import exams, training
from benchmarks.errors import BenchmarkError
from benchmarks.place import free_ports
from esteira import casefile
from esteira.candidates import LinearRegression, RandomForest
from esteira.columns import json_name
from esteira.data.synthetic.houses import house_prices
from esteira.settings import PROJECT
from esteira.train import steps

CASE = "imoveis"
OURS = "esteira"
RIVALS = {
    "mlflow": "`mlflow models serve`",
    "bentoml": "BentoML",
    "mlserver": "MLServer",
    "fastapi": "FastAPI + scikit-learn",
}
MODELS = {
    "linear": (LinearRegression(),),
    "forest": (RandomForest(trees=100, max_leaf_nodes=4096, min_samples_leaf=1, max_features=1.0),),
}
BATCH = 10_000
_ROWS = 100_000
_CONNECTIONS, _ROUNDS, _SECONDS, _BATCHES = 8, 5, 3, 7
_SERVE = Path(__file__).parent / "rivals" / "serve.py"
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}

Body = Callable[[Sequence[Sequence[float]]], Any]
Load = tuple[float, float, float | None]
"""Requests per second, p99 in milliseconds, and requests per second without columns' names."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """How a server is asked: a path, and its JSON for one row, and for many as records or as columns.

    `one` names the columns, as the pipeline was fitted; `bare` does not, and scikit-learn warns of it.
    """

    one: tuple[str, Body]
    bare: tuple[str, Body] | None = None
    records: tuple[str, Body] | None
    columns: tuple[str, Body] | None


@dataclass(frozen=True, kw_only=True)
class Served:
    """One server's figures; the times of 10,000 rows are None where it does not take them so."""

    requests: float
    bare_requests: float | None
    p99_ms: float
    records_ms: float | None
    columns_ms: float | None
    ready_seconds: float
    idle_mb: float
    loaded_mb: float


def measure(model: str, pythons: Mapping[str, Path]) -> dict[str, Served]:
    """Train a model, serve it in every way and ask each in turn; raises BenchmarkError when one fails."""
    with tempfile.TemporaryDirectory(prefix="esteira-serving-") as name, ExitStack() as running:
        folder = Path(name)
        names, rows = trained(model, folder)
        asked = questions(names)
        servers = {
            side: running.enter_context(served(side, folder, pythons, asked[side], rows)) for side in asked
        }
        expected = None
        for side, server in servers.items():
            given = server.predicted(rows[:100])
            expected = given if expected is None else expected
            if not np.allclose(given, expected, rtol=1e-5):
                raise BenchmarkError(f"{side} answers {given[:3]}, not {expected[:3]}")
        for server in servers.values():
            server.load(server.question.one, rows[0], 1)
        loads = [_loads(servers, rows[0]) for _ in range(_ROUNDS)]
        return {
            side: _figures(server, [one[side] for one in loads], rows) for side, server in servers.items()
        }


def environments(folder: Path) -> dict[str, Path]:
    """Each rival's interpreter, in an environment that is made for it."""
    return {rival: exams.environment(rival, folder / rival) for rival in RIVALS}


def trained(model: str, folder: Path) -> tuple[list[str], list[list[float]]]:
    """Publish the model in `artefatos`, and lay what rivals load beside it; rows that were held out."""
    now = training.home(folder)
    case = casefile.load(now.CASOS_PATH, CASE)
    case = case.model_copy(update={"train": case.train.model_copy(update={"candidates": MODELS[model]})})
    now.RAW_DATA_PATH.mkdir(parents=True)
    house_prices(now.RAW_DATA_PATH / case.source.files, _ROWS)
    prepared, judgement = training.judged(case, now)
    names = list(case.features)
    held = prepared.raw("holdout")[names].astype(float).to_numpy()
    pipeline = make_pipeline(prepared.scaler(), joblib.load(judgement.winner.model))
    steps.publish_version(prepared, judgement, now)  # which clears what these were read from
    (folder / "columns.json").write_text(json.dumps(names))
    joblib.dump(pipeline, folder / "model.joblib")
    return names, np.resize(held, (BATCH, len(names))).tolist()


def questions(names: list[str]) -> dict[str, Question]:
    fields = [json_name(name) for name in names]

    def records(keys: Sequence[str]) -> Body:
        return lambda rows: [dict(zip(keys, row, strict=True)) for row in rows]

    def tensor(rows: Sequence[Sequence[float]]) -> Any:
        data = [value for row in rows for value in row]
        shape = [len(rows), len(names)]
        return {"inputs": [{"name": "rows", "shape": shape, "datatype": "FP64", "data": data}]}

    def frame(rows: Sequence[Sequence[float]]) -> Any:
        heads = [
            {"name": name, "shape": [len(rows), 1], "datatype": "FP64", "data": list(column)}
            for name, column in zip(names, zip(*rows, strict=True), strict=True)
        ]
        return {"parameters": {"content_type": "pd"}, "inputs": heads}

    def whole(rows: Sequence[Sequence[float]]) -> Any:
        return [[int(value) for value in row] for row in rows]

    infer, numbered = "/v2/models/houses/infer", records([f"c{place}" for place in range(len(names))])
    return {
        OURS: Question(
            one=("/predict", lambda rows: records(fields)(whole(rows))[0]),
            records=("/predict/batch", lambda rows: records(fields)(whole(rows))),
            columns=(
                "/predict/batch",
                lambda rows: dict(zip(fields, map(list, zip(*whole(rows), strict=True)), strict=True)),
            ),
        ),
        "mlflow": Question(
            one=("/invocations", lambda rows: {"dataframe_records": records(names)(rows)}),
            records=("/invocations", lambda rows: {"dataframe_records": records(names)(rows)}),
            columns=("/invocations", lambda rows: {"dataframe_split": {"columns": names, "data": rows}}),
        ),
        "bentoml": Question(
            one=("/predict_frame", lambda rows: {"houses": records(names)(rows)}),
            bare=("/predict", lambda rows: {"rows": rows}),
            records=None,
            columns=("/predict", lambda rows: {"rows": rows}),
        ),
        "mlserver": Question(one=(infer, frame), bare=(infer, tensor), records=None, columns=(infer, tensor)),
        "fastapi": Question(
            one=("/predict", lambda rows: numbered(rows)[0]),
            records=("/predict/batch", numbered),
            columns=None,
        ),
    }


class Server:
    """A running server and how it is asked."""

    def __init__(self, url: str, process: psutil.Process, question: Question, folder: Path) -> None:
        self.ready_seconds = self.idle_mb = 0.0
        self.url, self._process, self._question, self._folder = url, process, question, folder
        self._client = httpx.Client(trust_env=False, timeout=120)

    def ask(self, path: str, content: bytes) -> Any:
        answer = self._client.post(
            self.url + path, content=content, headers={"content-type": "application/json"}
        )
        return answer.raise_for_status().json()

    def predicted(self, rows: Sequence[Sequence[float]]) -> list[float]:
        path, body = self._question.columns or self._question.records or self._question.one
        return _numbers(self.ask(path, json.dumps(body(rows)).encode()))

    def load(self, asked: tuple[str, Body], row: Sequence[float], seconds: int) -> tuple[float, float]:
        """Requests per second, and the 99th percentile in milliseconds, of 8 connections."""
        path, body = asked
        script = self._folder / "wrk.lua"
        script.write_text(
            f"wrk.method = 'POST'\nwrk.body = [=[{json.dumps(body([row]))}]=]\n"
            "wrk.headers['Content-Type'] = 'application/json'\n"
        )
        told = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "60s"]
        said = subprocess.run(
            [*told, "-s", str(script), self.url + path], check=True, capture_output=True, text=True
        ).stdout
        rate, p99 = (
            re.search(r"Requests/sec:\s+([\d.]+)", said),
            re.search(r"99%\s+([\d.]+)(us|ms|s|m)", said),
        )
        if rate is None or p99 is None or "Non-2xx" in said or "Socket errors" in said:
            raise BenchmarkError(f"{self.url} did not answer every request with 200:\n{said}")
        return float(rate[1]), float(p99[1]) * _MILLISECONDS[p99[2]]

    def batch_ms(self, asked: tuple[str, Body] | None, rows: Sequence[Sequence[float]]) -> float | None:
        """The median time of 10,000 rows, from the first byte sent to the last one read."""
        if asked is None:
            return None
        path, content = asked[0], json.dumps(asked[1](rows)).encode()
        times = []
        for _ in range(_BATCHES):
            began = time.perf_counter()
            answer = self._client.post(
                self.url + path, content=content, headers={"content-type": "application/json"}
            )
            times.append(time.perf_counter() - began)
            answer.raise_for_status()
        return statistics.median(times) * 1e3

    @property
    def question(self) -> Question:
        return self._question

    def peak_mb(self) -> float:
        """The most that the process itself ever had resident."""
        told = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return int(told.split("VmHWM:")[1].split()[0]) / 1e3

    def memory_mb(self) -> float:
        """Of the process and all that it started."""
        return (
            sum(one.memory_info().rss for one in [self._process, *self._process.children(recursive=True)])
            / 1e6
        )


def _loads(servers: Mapping[str, Server], row: Sequence[float]) -> dict[str, Load]:
    """One round: each server asked with names, and where it can be without them."""
    return {
        side: (
            *server.load(server.question.one, row, _SECONDS),
            server.load(server.question.bare, row, _SECONDS)[0] if server.question.bare else None,
        )
        for side, server in servers.items()
    }


def _figures(server: Server, loads: Sequence[Load], rows: Sequence[Sequence[float]]) -> Served:
    loaded = server.memory_mb()
    bare = [rate for _, _, rate in loads if rate is not None]
    return Served(
        requests=statistics.median(rate for rate, _, _ in loads),
        bare_requests=statistics.median(bare) if bare else None,
        p99_ms=statistics.median(p99 for _, p99, _ in loads),
        records_ms=server.batch_ms(server.question.records, rows),
        columns_ms=server.batch_ms(server.question.columns, rows),
        ready_seconds=server.ready_seconds,
        idle_mb=server.idle_mb,
        loaded_mb=loaded,
    )


@contextmanager
def served(
    side: str,
    folder: Path,
    pythons: Mapping[str, Path],
    question: Question,
    rows: Sequence[Sequence[float]],
) -> Iterator[Server]:
    port = free_ports(1)[0]
    place = folder / side
    place.mkdir()
    for name in ("columns.json", "model.joblib"):
        (place / name).symlink_to(folder / name)
    with (place / "log").open("wb") as log:
        began = time.monotonic()
        command, told = _command(side, place, pythons, port)
        process = subprocess.Popen(command, env=told, stdout=log, stderr=log)
        server = Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid), question, place)
        try:
            _wait(side, server, process, rows[:1], place / "log")
            server.ready_seconds = time.monotonic() - began
            time.sleep(1)
            server.idle_mb = server.memory_mb()
            yield server
        finally:
            with suppress(psutil.NoSuchProcess):
                for one in psutil.Process(process.pid).children(recursive=True):
                    one.terminate()
            process.terminate()
            process.wait(timeout=30)


def _command(
    side: str, place: Path, pythons: Mapping[str, Path], port: int
) -> tuple[list[str], dict[str, str]]:
    if side != OURS:
        return [str(pythons[side]), str(_SERVE), side, str(place), str(port)], dict(os.environ)
    told = {"CASE": CASE, "ARTEFATOS_PATH": str(place.parent / "artefatos"), "API_PORT": str(port)}
    paths = f"{PROJECT}:{PROJECT / 'plugins'}"
    return [sys.executable, "-m", "app"], {**os.environ, **told, "PYTHONPATH": paths}


def _wait(side: str, server: Server, process: subprocess.Popen[bytes], rows: Any, log: Path) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.predicted(rows)
        except (httpx.HTTPError, ValueError):
            time.sleep(0.02)
        else:
            return
    raise BenchmarkError(f"{side} did not become ready:\n{log.read_text()[-2000:]}")


def _numbers(answer: Any) -> list[float]:
    """The predictions in whatever a server answers."""
    match answer:
        case {"outputs": [{"data": found}]} | {"predictions": found}:
            return [one["prediction"] if isinstance(one, dict) else float(one) for one in found]
        case {"prediction": one}:
            return [float(one)]
        case list() as found:
            return [float(one) for one in found]
    raise BenchmarkError(f"No predictions are in {str(answer)[:200]}")


def main() -> None:
    """Measure both models and print what each server did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, help="a folder with those that were made before")
    given = parser.parse_args().environments
    with tempfile.TemporaryDirectory(prefix="esteira-rivals-") as name:
        made = {rival: given / rival / "bin" / "python" for rival in RIVALS} if given else None
        pythons = made or environments(Path(name))
        for model in MODELS:
            for side, one in measure(model, pythons).items():
                print(f"{model:8}{side:10}{one}")


if __name__ == "__main__":
    main()
