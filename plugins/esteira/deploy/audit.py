"""The journal of a case as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Column, Table

from esteira.deploy.facts import Release

_COLOURS = {"live": "green", "failed": "red", "rolled back": "red", "withdrawn": "yellow", "pinned": "cyan"}

_MADE_FROM = ("image", "dataset", "commit")
_WIDE = 120
"""Columns of a terminal; in a narrower one the hashes would leave no room for the rest."""


def table(case: str, lines: Sequence[Release], width: int) -> Table:
    """When, which version, from which, how it ended, how long it took, by whom; if it fits, of what it is."""
    made = len(_MADE_FROM) if width >= _WIDE else 0
    heads = [Column(head, no_wrap=True) for head in ("when", "version", "from")]
    heads += [Column("how it ended", overflow="fold"), Column("took", no_wrap=True), Column("by")]
    shown = Table(*heads, *_MADE_FROM[:made], title=escape(f"Releases of {case}"))
    for line in lines:
        shown.add_row(
            f"{line.when.astimezone():%Y-%m-%d %H:%M}",
            str(line.version),
            "" if line.from_version is None else str(line.from_version),
            _outcome(line),
            f"{line.seconds:.1f} s" if line.seconds else "",
            escape(line.by),
            *_made_from(line)[:made],
        )
    return shown


def _outcome(line: Release) -> str:
    words = "back, live" if line.back and line.outcome == "live" else line.outcome
    why = f" at {line.step}" if line.outcome == "failed" and line.step else ""
    reason = f": {line.reason.splitlines()[0]}" if line.reason else ""
    return f"[{_COLOURS.get(line.outcome, 'default')}]{words}[/]{escape(why + reason)}"


def _made_from(line: Release) -> list[str]:
    image = line.image.id if line.image else line.target
    return [_short(image), _short(line.dataset_sha256), _short(line.git_commit)]


def _short(value: str | None) -> str:
    return (value or "").removeprefix("sha256:")[:12]
