"""The benchmarks by name: how each measures, in a sentence, its rows and their targets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cleaning, fresh, parsing, preparing, releasing, serving, sketching
from benchmarks.exams import RIVALS
from benchmarks.rows import Row, at_most, ratio, ratio_at_least, ratio_at_most

if TYPE_CHECKING:
    from benchmarks.quality import Quality
    from benchmarks.rival_serving import Served


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What one module of this package measures."""

    how: str
    run: Callable[[], list[Row]]


def _releasing() -> list[Row]:
    found = releasing.measure()
    return [
        at_most(f"trigger → new version live, {releasing.ROWS:,} rows", found.seconds, 30, "{:.1f} s"),
        at_most("API image on top of its base image", found.image_bytes / 1e6, 170, "{:.0f} MB"),
        at_most("image rebuilt for a new version", found.rebuild_seconds, 5, "{:.1f} s"),
    ]


def _fresh() -> list[Row]:
    found = fresh.measure()
    what = f"`make run` on a fresh clone, package caches empty, {found.docker}"
    return [at_most(what, found.seconds, 240, "{:.0f} s")]


def _preparing() -> list[Row]:
    found = preparing.measure()
    what = "read + clean + split + fit linear"
    seconds, memory = (found.seconds, found.pandas_seconds), (found.memory, found.pandas_memory)
    return [
        ratio_at_most(f"{what}: time", *seconds, 1.0, "{:.2f} s", "pandas"),
        ratio_at_most(f"{what}: peak memory", *memory, 0.5, "{:.0f} MB", "pandas"),
    ]


def _cleaning() -> list[Row]:
    found = cleaning.measure()
    what = f"clean {found.run.rows_in:,} rows ({found.raw_bytes / 1e6:.0f} MB CSV): peak memory"
    return [at_most(what, found.run.peak_bytes / 1e9, 2, "{:.2f} GB")]


def _serving() -> list[Row]:
    found = serving.measure()
    what, shown = "`POST /predict`", "{:,.0f} requests/s"
    echo, prototype = serving.ECHO_TARGET, serving.PROTOTYPE_TARGET
    return [
        ratio_at_least(what, found.predict, found.echo, echo, shown, "echo endpoint"),
        ratio_at_least(what, found.predict, found.prototype, prototype, shown, "prototype's way"),
    ]


def _parsing() -> list[Row]:
    return [at_most(f"Airflow parses {one.file}", one.seconds, 0.5, "{:.3f} s") for one in parsing.measure()]


def _sketching() -> list[Row]:
    found = sketching.measure()
    size = f"{found.run.rows:,} rows × {found.run.columns} ({found.raw_bytes / 1e6:.0f} MB CSV)"
    what = f"`esteira new` on {size}"
    return [
        at_most(f"{what}: time", found.seconds, 20, "{:.1f} s"),
        at_most(f"{what}: peak memory", found.peak_mb, 1_000, "{:.0f} MB"),
    ]


def _parity() -> list[Row]:
    from benchmarks import parity

    return [
        at_most(
            f"{one.case}: ONNX against scikit-learn, {one.holdout_rows:,} held-out rows ({one.chosen})",
            one.difference,
            1e-5,
            "{:.1e}",
        )
        for one in parity.measure()
    ]


def _training_memory() -> list[Row]:
    from benchmarks import training_memory

    found = training_memory.measure()
    what = f"train {{}} on {training_memory.ROWS:,} × {training_memory.COLUMNS}: memory over the dataset's"
    return [
        at_most(
            f"{what.format(one.kind)} {one.dataset_bytes / 1e6:.0f} MB as float32", one.ratio, 2, "{:.2f} ×"
        )
        for one in found
    ]


def _batching() -> list[Row]:
    from benchmarks import batching

    rows = []
    for found in batching.measure():
        what = f"{batching.ROWS:,} rows as {found.kind} ({found.file_bytes / 1e6:.0f} MB)"
        rows += [
            ratio_at_most(
                what, found.seconds, found.duckdb_seconds, 2, "{:.2f} s", "DuckDB reads and writes it"
            ),
            ratio(what, found.seconds, found.duckdb_http_seconds, "{:.2f} s", "DuckDB behind HTTP"),
            at_most(f"{what}: peak memory of the API", found.peak_mb, 500, "{:.0f} MB"),
        ]
    return rows


def _rival_serving() -> list[Row]:
    from benchmarks import rival_serving

    with tempfile.TemporaryDirectory(prefix="esteira-rivals-") as name:
        pythons = rival_serving.environments(Path(name))
        return [
            row
            for model in rival_serving.MODELS
            for row in _rival_rows(model, rival_serving.measure(model, pythons))
        ]


def _rival_rows(model: str, found: Mapping[str, Served]) -> list[Row]:
    from benchmarks.rival_serving import BATCH, OURS, RIVALS

    ours, named = found[OURS], {RIVALS[side]: one for side, one in found.items() if side != OURS}
    most, idle, loaded = (40, 110, 160) if model == "linear" else (60, 250, 250)
    quickest = max(named, key=lambda name: named[name].requests)
    steadiest = min(named, key=lambda name: named[name].p99_ms)
    what = f"{model}: `POST /predict`, 8 connections"
    shown = "{:,.0f} requests/s"
    rows = [
        ratio_at_least(what, ours.requests, named[quickest].requests, most, shown, quickest),
        ratio_at_most(f"{what}: p99", ours.p99_ms, named[steadiest].p99_ms, 0.05, "{:.1f} ms", steadiest),
    ]
    bare = {name: rate for name, one in named.items() if (rate := one.bare_requests) is not None}
    barest = max(bare, key=lambda name: bare[name])
    rows.append(ratio(f"{what}, the rival's columns unnamed", ours.requests, bare[barest], shown, barest))
    for way, limit in (("columns", 0.5), ("records", 0.3)):
        times = {name: ms for name, one in named.items() if (ms := getattr(one, f"{way}_ms")) is not None}
        best, mine = min(times, key=lambda name: times[name]), getattr(ours, f"{way}_ms")
        rows.append(
            ratio_at_most(
                f"{model}: {BATCH:,} rows as JSON {way}", mine, times[best], limit, "{:.0f} ms", best
            )
        )
    least = min(one.idle_mb for one in named.values())
    return [
        *rows,
        at_most(f"{model}: memory idle (rivals from {least:.0f} MB)", ours.idle_mb, idle, "{:.0f} MB"),
        at_most(f"{model}: memory under load", ours.loaded_mb, loaded, "{:.0f} MB"),
        at_most(f"{model}: start to the first answer", ours.ready_seconds, 1.2, "{:.1f} s"),
    ]


def _quality(name: str) -> list[Row]:
    from benchmarks import quality

    tables = [table for table in quality.TABLES if table.name == name]
    return [row for found in quality.measure(tables) for row in _quality_rows(found)]


def _quality_rows(found: Quality) -> list[Row]:
    table, shown = found.table, "{:.4f}"
    what = f"{table.name}: {table.metric} on {found.holdout_rows:,} held-out rows ({found.chosen})"
    ours, before = found.score, f"reference score ({table.measured})"
    of_folds = f"{table.name}: {table.metric} out of fold on {found.train_rows:,} rows ({found.chosen})"
    return [
        ratio_at_least(what, ours, found.baseline, 1, shown, "scikit-learn's default boosting"),
        *(
            # a score of folds is compared with one of folds
            [
                ratio_at_least(of_folds, found.out_of_fold, table.reference, 1, shown, before),
                ratio(what, ours, table.reference, shown, before),
            ]
            if table.by_folds
            else [ratio_at_least(what, ours, table.reference, 1, shown, before)]
        ),
        *(
            ratio_at_least(what, ours, theirs, 0.99, shown, RIVALS[rival])
            for rival, theirs in found.rivals.items()
        ),
        at_most(f"{table.name}: ONNX against scikit-learn", found.parity, 1e-5, "{:.1e}"),
    ]


_TABLES = ("obesity", "weather", "rents", "houses to rent")
_QUALITY = (
    "`esteira new` on the file of {file}, nothing edited, 60 s of search. FLAML and AutoGluon, each in "
    "an environment of its own, get the same columns, the rows that were not held out, and 60 s with "
    "their defaults; where the metric is of the logarithm they train on it, and so does scikit-learn's "
    "histogram boosting with its defaults, which gets the same rows (texts as categories, dates as "
    "days). All are scored on the rows held out. The README beside the files has references of its own,"
    " measured as the row says, mostly on other rows; where that was by folds, ours out of fold stands "
    "beside it, kinder by what was chosen on those rows (parameters, shares of the ensemble) and "
    "harsher by the rows that were held out."
)
BENCHMARKS: Mapping[str, Benchmark] = {
    "releasing": Benchmark(
        run=_releasing,
        how="In a home and on ports of its own, one cold run of `imoveis` and then three warm ones, each "
        "over a raw file with one row more, so that every row is cleaned anew; from just before the "
        "REST trigger to the end of the task `switch` by Airflow's record, median of the warm ones. The"
        " image is compared with its base by the engine's sizes; rebuilt is the step *Build the image* "
        "of the warm runs, median.",
    ),
    "fresh": Benchmark(
        run=_fresh,
        how="`git clone` of the last commit into an empty folder, `make run` with empty uv and pip caches "
        "and ports of its own, wall time to the summary; once. Docker's images and layers stay unless "
        "`--prune` is given, and the row says which.",
    ),
    "preparing": Benchmark(
        run=_preparing,
        how="Both sides from the CSV of 500,000 rows to a fitted linear model, in turn. Ours are three "
        "processes, as the DAGs' tasks are: their seconds add up, the memory is that of the largest. The "
        "rival is the prototype's way in one process (IQR on each column, drop_duplicates, MinMaxScaler, "
        "LinearRegression). Imports are not in the seconds of either side, but are in the memory of "
        "both; medians of five rounds after one that is not counted.",
    ),
    "cleaning": Benchmark(
        run=_cleaning,
        how="The cleaning step of `imoveis` over a generated CSV, in a process of its own; its peak "
        "resident memory.",
    ),
    "serving": Benchmark(
        run=_serving,
        how="`wrk` with 8 connections on the API with one worker. The echo endpoint has the same request "
        "and response types and lives in the same app; FastAPI reads and writes them for it, "
        "`/predict` does that by itself and so can exceed 1 ×. The prototype's way, there too, loads its "
        "pickles and builds a DataFrame on each request. Medians of seven interleaved rounds of one "
        "second.",
    ),
    "parsing": Benchmark(
        run=_parsing,
        how="Each DAG file parsed by Airflow's own `DagBag` in a process forked, as the DAG processor does, "
        "from one that has imported Airflow; the library's imports included; medians of five.",
    ),
    "sketching": Benchmark(
        run=_sketching,
        how="`esteira new` on a generated file in a process of its own, imports included: seconds from the "
        "first import to the written case and its profile, and peak resident memory.",
    ),
    "parity": Benchmark(
        run=_parity,
        how="Each case in `casos/` trained on its generated data; the largest difference between the whole "
        "ONNX graph and the scikit-learn model over the held-out rows and as many disturbed ones, relative "
        "to the answer or to the target's deviation. A label that differs fails the training.",
    ),
    "training_memory": Benchmark(
        run=_training_memory,
        how="One candidate, a dataset that is clean already, from the split to the judgement in one "
        "process. It trains on 5,000 rows first; what its peak resident memory then grows by is divided "
        "by rows × columns × 4 bytes.",
    ),
    "batching": Benchmark(
        run=_batching,
        how="A file of 15 columns, streamed from disk through the API of a linear model with an interval, "
        "one worker, and the answers to disk; DuckDB copies the same file to another of its kind, an Arrow "
        "stream by way of pyarrow, within the benchmark's process and behind a bare Starlette server. The "
        "client is Python's http.client. In turn, medians of five rounds after one that is not counted.",
    ),
    "rival_serving": Benchmark(
        run=_rival_serving,
        how="The same scikit-learn pipeline (15 columns, scaled and one-hot; linear, and a forest of 100 "
        "trees of up to 4,096 leaves), served with one worker by the API and by each rival in an environment "
        "of its own, all up at once and asked in turn: `wrk`, medians of five rounds of three seconds; "
        "10,000 rows by a Python client, medians of seven. Each ratio is against the best of the rivals "
        "(`mlflow models serve`, BentoML, MLServer, FastAPI as tutorials write it). One record names its "
        "columns, as the pipeline was fitted on them; BentoML and MLServer are also asked with an array "
        "that does not, of which scikit-learn warns, and their 10,000 rows as columns are such an array. "
        "Memory is that of the process and its children, idle one second after the first answer.",
    ),
    **{
        f"quality_{name.split()[0]}": Benchmark(run=partial(_quality, name), how=_QUALITY.format(file=name))
        for name in _TABLES
    },
}
SEPARATE = ("fresh", "rival_serving", *(name for name in BENCHMARKS if name.startswith("quality_")))
"""They take many minutes and install what nothing else needs, so they run only when asked for."""
