"""Runs the benchmarks, prints the table and writes docs/benchmarks.md: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import fresh, machine, page, results
from benchmarks.place import heed_sigterm
from benchmarks.results import Result, Results
from benchmarks.suite import BENCHMARKS, SEPARATE
from esteira.commit import git_commit
from esteira.errors import EsteiraError
from esteira.settings import PROJECT

DOCS = PROJECT / "docs"
_FAULTS = (EsteiraError, RuntimeError, OSError, subprocess.SubprocessError)


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is asked for; 1 when a target is missed or a benchmark could not be run."""
    parser = _parser()
    asked = parser.parse_args(words)
    names = asked.only or [name for name in BENCHMARKS if asked.all or name not in SEPARATE]
    if asked.prune and "fresh" not in names:
        parser.error("--prune is for the benchmark fresh: add --only fresh, or --all")
    console = Console()
    heed_sigterm()
    if asked.prune:
        console.print(
            f"Removed Docker's images of Esteira and its caches; {fresh.prune()} images in use stay"
        )
    taken = _run(names, asked.docs, console)
    console.print(_table(taken))
    return 0 if len(taken) == len(names) and all(result.met for result in taken.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), help="measure this one, keep the rest"
    )
    which.add_argument("--all", action="store_true", help=f"also {', '.join(SEPARATE)}")
    parser.add_argument(
        "--prune", action="store_true", help="first remove Esteira's images and Docker's caches"
    )
    parser.add_argument(
        "--docs", type=Path, default=DOCS, help="the folder of benchmarks.md and benchmarks.json"
    )
    return parser


def _run(names: Sequence[str], docs: Path, console: Console) -> dict[str, Result]:
    kept = results.load(docs / "benchmarks.json", machine.here())
    taken: dict[str, Result] = {}
    columns = (SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for name in names:
            task = progress.add_task(name, total=1)
            try:
                taken[name] = _result(name)
            except _FAULTS as error:
                progress.update(task, description=f"[red]{name} could not be measured")
                console.print(f"{name}: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
                progress.stop_task(task)
                continue
            progress.advance(task)
            kept = kept.having(name, taken[name])
            _write(docs, kept)
    return taken


def _result(name: str) -> Result:
    rows = BENCHMARKS[name].run()
    today = datetime.now(UTC).date()
    return Result(when=today, commit=git_commit(), versions=machine.versions(), rows=tuple(rows))


def _write(docs: Path, kept: Results) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    results.save(docs / "benchmarks.json", kept)
    (docs / "benchmarks.md").write_text(page.page(kept), encoding="utf-8")


def _table(taken: dict[str, Result]) -> Table:
    table = Table(*page.COLUMNS)
    for result in taken.values():
        for row in page.cells(result):
            table.add_row(*(cell.replace("**", "") for cell in row))
    return table


if __name__ == "__main__":
    sys.exit(main())
