"""docs/reliability.md: each fault, what must hold, what was seen, and how it is measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from promises import PROMISES

from benchmarks import machine, results
from benchmarks.results import Result, Results
from benchmarks.rows import Row
from esteira.commit import git_commit

_INTRODUCTION = """# Reliability

Written by `make chaos`: each fault happens on purpose while clients ask for predictions, and what they got
is counted. `make chaos ARGS='-k NAME'` measures one anew. The load is a closed loop of 16 clients in a
process of its own, at most 240 requests/s together, half of them on a new connection each time; any answer
but 200, and any connection that breaks, is a failed request. A figure without a target is told, not judged.
"""
_COLUMNS = ("fault", "must hold", "seen", "figure", "target", "holds")


class Figures:
    """What the tests of one run saw, by promise."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {}

    def add(self, promise: str, *rows: Row) -> None:
        assert promise in PROMISES
        self._rows.setdefault(promise, []).extend(rows)

    def write(self, folder: Path) -> None:
        """Keep what was seen, beside what other runs saw of other promises on this machine."""
        kept = results.load(folder / "reliability.json", machine.here())
        load = f"{os.getloadavg()[1]:.1f}"
        for name, rows in self._rows.items():
            versions = {**machine.versions(), "load average": load}
            kept = kept.having(
                name,
                Result(
                    when=datetime.now(UTC).date(), commit=git_commit(), versions=versions, rows=tuple(rows)
                ),
            )
        folder.mkdir(parents=True, exist_ok=True)
        results.save(folder / "reliability.json", kept)
        (folder / "reliability.md").write_text(page(kept), encoding="utf-8")


def count(what: str, value: int, of: int, most: int = 0) -> Row:
    """So many of so many, at most `most`."""
    return Row(what=what, figure=f"{value:,} of {of:,}", target=f"≤ {most:,}", met=value <= most)


def said(what: str, seen: object, must: object) -> Row:
    """Something that is seen as it must be, or is not."""
    return Row(what=what, figure=str(seen), target=str(must), met=seen == must)


def page(kept: Results) -> str:
    """The page as Markdown; a promise that was not measured is named."""
    known = {name: kept.results[name] for name in PROMISES if name in kept.results}
    missing = [name for name in PROMISES if name not in known]
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(row for name in known for row in _cells(name, known[name]))]
    parts = [
        _INTRODUCTION,
        f"**Machine**: {kept.machine}.\n",
        "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n",
        *([f"Not measured here yet: {', '.join(f'`{name}`' for name in missing)}.\n"] if missing else []),
        "## How each is measured\n",
        "".join(f"{_sentence(name, known)}\n" for name in PROMISES),
    ]
    return "\n".join(parts)


def _cells(name: str, result: Result) -> Iterable[tuple[str, ...]]:
    promise = PROMISES[name]
    for number, row in enumerate(result.rows):
        head = ("", "") if number else (promise.fault, promise.must)
        yield (*head, row.what, row.figure, row.target, "yes" if row.met else "**no**")


def _sentence(name: str, known: Mapping[str, Result]) -> str:
    result = known.get(name)
    if result is None:
        return f"- **{name}** (`make chaos ARGS='-k {name}'`). {PROMISES[name].how}"
    commit = f" at {result.commit[:7]}" if result.commit else ""
    when = f"{result.when}{commit}, Docker {result.versions['Docker']}"
    load = f"load average {result.versions['load average']}"
    return f"- **{name}** (`make chaos ARGS='-k {name}'`, {when}, {load}). {PROMISES[name].how}"
