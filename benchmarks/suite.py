"""The benchmarks by name: how each measures, in a sentence, its rows and their targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks import cleaning, fresh, parsing, preparing, releasing, serving
from benchmarks.rows import Row, at_most, ratio_at_least, ratio_at_most


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
}
SEPARATE = ("fresh",)
"""Takes minutes and fills caches of its own, so it runs only when asked for."""
