"""docs/benchmarks.md: the table, the machine, and how each figure is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.results import Result, Results
from benchmarks.rows import Row
from benchmarks.suite import BENCHMARKS

COLUMNS = ("what", "figure", "rival", "ratio", "target", "met")
_INTRODUCTION = """# Benchmarks

Written by `make bench` (`python -m benchmarks`); `python -m benchmarks --only NAME` measures one anew, and
`--all` also what runs only when asked for. Ratios are of one run, both sides in turn. The command fails when
a target is missed. One of these pages holds the figures of one machine only.
"""


def page(results: Results) -> str:
    """The page as Markdown; a benchmark that has not run is named."""
    known = {name: results.results[name] for name in BENCHMARKS if name in results.results}
    missing = [name for name in BENCHMARKS if name not in known]
    parts = [
        _INTRODUCTION,
        f"**Machine**: {results.machine}.\n",
        *([_versions(known)] if known else []),
        _table(known.values()),
        *([f"Not measured here yet: {', '.join(f'`{name}`' for name in missing)}.\n"] if missing else []),
        "## How each is measured\n",
        _sentences(known),
    ]
    return "\n".join(parts)


def cells(result: Result) -> list[tuple[str, ...]]:
    """A result's rows in the order of COLUMNS."""
    return [(row.what, row.figure, row.rival, row.ratio, row.target, _verdict(row)) for row in result.rows]


def _verdict(row: Row) -> str:
    if not row.target:
        return ""
    return "yes" if row.met else "**no**"


def _versions(known: Mapping[str, Result]) -> str:
    newest = max(known.values(), key=lambda result: result.when)
    told = ", ".join(f"{name} {number}" for name, number in newest.versions.items())
    return f"**Versions**: {told}.\n"


def _table(results: Iterable[Result]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(row for result in results for row in cells(result))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _sentences(known: Mapping[str, Result]) -> str:
    return "".join(f"{_sentence(name, known.get(name))}\n" for name in BENCHMARKS)


def _sentence(name: str, result: Result | None) -> str:
    command = f"python -m benchmarks --only {name}"
    return f"- **{name}** (`{command}`{_measured(result)}). {BENCHMARKS[name].how}"


def _measured(result: Result | None) -> str:
    if result is None:
        return ""
    commit = f" at {result.commit[:7]}" if result.commit else ""
    return f", {result.when}{commit}"
