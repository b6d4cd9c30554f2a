"""What a person reads in the terminal when a case was written."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Column, Table

from esteira.new.facts import share
from esteira.new.sketch import Finding, Sketch
from esteira.new.write import Written

_MOST_COLUMNS = 40


def show(written: Written, console: Console) -> None:
    """Print the columns, what deserves attention, the decisions, where things are and the next command."""
    sketch = written.sketch
    console.print(_columns(sketch))
    hidden = len(sketch.findings) - _MOST_COLUMNS
    if hidden > 0:
        console.print(f"… and {hidden} more columns: they are in the profile")
    for note in sketch.notes:
        console.print(f"[yellow]![/] {escape(note)}", highlight=False)
    console.print(Panel(_end(written), title="A new case", border_style="green", expand=False))


def _columns(sketch: Sketch) -> Table:
    table = Table("column", "type", Column("missing", justify="right"), "alone", "why")
    for finding in sketch.findings[:_MOST_COLUMNS]:
        table.add_row(*_cells(finding))
    return table


def _cells(finding: Finding) -> tuple[str, ...]:
    facts, column = finding.facts, finding.choice.column
    kind = "[red]leak?[/]" if finding.leak else column.type if column else "–"
    alone = str(finding.strength).rpartition(" ")[2] if finding.strength and column else ""
    missing = share(facts.missing, facts.rows) if facts.missing else ""
    why = finding.leak or "; ".join(finding.choice.reasons)
    return escape(facts.name), kind, missing, alone, escape(why)


def _end(written: Written) -> Table:
    sketch, outcome = written.sketch, written.sketch.outcome
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        "rows", f"{outcome.kept:,} of {outcome.rows:,} can be used, {outcome.repeated:,} repeat another"
    )
    grid.add_row("target", f"{escape(sketch.goal.name)}: {escape('; '.join(sketch.goal.reasons))}")
    for one in sketch.settings:
        if one.key in ("log_target", "metric", "time", "imbalance"):
            grid.add_row(one.key, f"{escape(str(one.value))}: {escape(one.reason)}")
    grid.add_row("case", _shown(written.case))
    grid.add_row("profile", _shown(written.profile))
    grid.add_row("next", f"[bold]make run CASE={written.name}[/]")
    return grid


def _shown(path: Path) -> str:
    near = Path.cwd()
    return escape(str(path.relative_to(near) if path.is_relative_to(near) else path))
