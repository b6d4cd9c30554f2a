"""What is known of a column over all rows of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from esteira.columns import Date, Number
from esteira.new.readings import Reading

Value = float | str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One column; a number's value is a float, a date's its days since 1970, a text's itself."""

    name: str
    place: int
    """The column's position in the file, from 0."""
    unnamed: bool = False
    reading: Reading | None
    """How its texts are read as numbers or dates; None for text."""
    rows: int
    present: int
    """Cells that hold a value."""
    distinct: int
    """How many different values: exact where `counts` are there or where most cells differ, else about."""
    counts: Mapping[Value, int] | None = None
    """How often each value occurs, the most frequent first; None where there are thousands."""
    low: float | None = None
    high: float | None = None
    fractions: int = 0
    """Numbers that are not whole, or dates that are not midnight."""
    in_order: float = 0.0
    """Over a sample, the share of rows whose number or date is not below that of the row before."""
    words: float = 0.0
    """Words in a text on average."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """The texts found that stand for a missing value, and how often."""
    lost: int = 0
    """Cells that hold no number or date as the rest of the column does: their rows are rejected."""
    unreadable: tuple[str, ...] = ()
    """What those cells hold, the most frequent first."""

    @property
    def missing(self) -> int:
        return self.rows - self.present - self.lost

    @property
    def number(self) -> Number | None:
        return self.reading.column if self.reading and isinstance(self.reading.column, Number) else None

    @property
    def date(self) -> Date | None:
        return self.reading.column if self.reading and isinstance(self.reading.column, Date) else None

    @property
    def differing(self) -> float:
        """The share of the present cells that would be left if each value stood once."""
        return self.distinct / self.present if self.present else 0.0

    @property
    def whole(self) -> bool:
        return self.number is not None and self.fractions == 0

    @property
    def coded(self) -> bool:
        """Whether its numbers are whole and written as a category's may be: without marks or signs."""
        return self.whole and self.number == Number(type="number", optional=True)


def share(some: int, of: int) -> str:
    """A share in percent, which is never nothing where there is some."""
    return "<0.1%" if 0 < some < 0.001 * of else f"{some / of:.1%}"


def amount(value: float) -> str:
    """A number for people: whole where it is large, else with six digits."""
    return f"{value:,.0f}" if abs(value) >= 100_000 or value == int(value) else f"{value:,.6g}"


def counted(number: int, what: str) -> str:
    """As in `1 row` and `2,000 rows`."""
    return f"{number:,} {what}{'s' * (number != 1)}"
