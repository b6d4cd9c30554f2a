"""The quality report of a dataset: its types, and its form as readable text."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from esteira.days import to_text


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drop(_Fact):
    """Rows that went for one reason, with the first of them as an example where it was kept."""

    reason: str
    rows: int
    file: str | None = None
    line: int | None = None
    example: str | None = None

    def __str__(self) -> str:
        where = f", first in {self.file} line {self.line}" if self.line else ""
        what = f": {self.example!r}" if self.example is not None else ""
        return f"{self.reason} ({self.rows:,} rows{where}{what})"


class Step(_Fact):
    """One cleaning step: what it dropped and what it left."""

    name: str
    drops: tuple[Drop, ...]
    rows_after: int


class Bar(_Fact):
    """One bar of a column's distribution; that of a number or a date is labelled with its lower edge."""

    label: str
    rows: int


class ColumnProfile(_Fact):
    """What a column of the dataset holds; of a date the figures are days since 1970."""

    name: str
    type: Literal["integer", "number", "category", "date"]
    unit: str | None = None
    missing: int
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    """None too where the sum of the values is too large to be counted."""
    levels: int | None = None
    """How many levels a category has in the data."""
    bars: tuple[Bar, ...] = ()

    def figures(self) -> tuple[str, str, str]:
        """The lowest value, the mean and the highest value for a person to read."""
        shown = _day if self.type == "date" else _figure
        low, mean, high = ("" if value is None else shown(value) for value in (self.min, self.mean, self.max))
        return low, mean, high


class Source(_Fact):
    """One raw file that went into the dataset."""

    path: Path
    sha256: str
    bytes: int
    rows: int
    ignored_columns: tuple[str, ...]


class Report(_Fact):
    """How a dataset came to be and what it holds."""

    format: int
    case: str
    title: str
    target: str
    sha: str
    created_at: datetime
    sources: tuple[Source, ...]
    synthetic: bool
    rows_in: int
    rows_out: int
    rejected: int
    """Rows kept aside in the rejected file: broken, out of what the case allows, or dropped by a rule."""
    duplicates: int
    steps: tuple[Step, ...]
    columns: tuple[ColumnProfile, ...]
    seconds: float

    @property
    def classes(self) -> tuple[Bar, ...]:
        """How often each class of a classification's target occurs; empty for a regression."""
        target = next(column for column in self.columns if column.name == self.target)
        if target.type != "category":
            return ()
        others = self.rows_out - sum(bar.rows for bar in target.bars)
        return (*target.bars, Bar(label="all others", rows=others)) if others else target.bars


def as_text(report: Report) -> str:
    """The report as lines of text for a log."""
    lines = [
        f"Quality report of {report.case} {report.sha}" + (" (SYNTHETIC DATA)" if report.synthetic else ""),
        f"{report.rows_in:,} rows in, {report.rows_out:,} out ({report.rejected:,} kept aside, "
        f"{report.duplicates:,} duplicates) in {report.seconds:.2f} s",
        *_ignored(report),
        "",
        *(line for step in report.steps for line in _step(step)),
        "",
        f"{'column':<24} {'type':<9} {'missing':>10} {'min':>14} {'mean':>14} {'max':>14} {'levels':>7}",
        *(_column(column) for column in report.columns),
        *_classes(report),
    ]
    return "\n".join(lines)


def _ignored(report: Report) -> list[str]:
    names = dict.fromkeys(name for source in report.sources for name in source.ignored_columns)
    return [f"Columns not used: {', '.join(names)}"] if names else []


def _step(step: Step) -> list[str]:
    dropped = sum(drop.rows for drop in step.drops)
    head = f"{step.name:<24} {-dropped:>10,} {step.rows_after:>12,} left"
    return [head, *(f"    {drop}" for drop in step.drops)]


def _classes(report: Report) -> list[str]:
    shares = [f"{bar.label} {bar.rows:,} ({bar.rows / report.rows_out:.1%})" for bar in report.classes]
    return ["", f"Classes of {report.target}: {', '.join(shares)}"] if shares else []


def _column(column: ColumnProfile) -> str:
    low, mean, high = column.figures()
    levels = "" if column.levels is None else f"{column.levels:,}"
    figures = f"{column.missing:>10,} {low:>14} {mean:>14} {high:>14} {levels:>7}"
    return f"{column.name[:24]:<24} {column.type:<9} {figures}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.6g}"


def _day(value: float) -> str:
    return to_text(value // 1)
