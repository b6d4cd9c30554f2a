"""One way to read the texts of a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from esteira.columns import Date, Number

Samples = Mapping[str, int]
"""How often each text occurs in a sample of a column, without those that stand for a missing value."""


@dataclass(frozen=True)
class Reading:
    """Number or date, with the reasons for its form; `doubt` says why another was as likely."""

    column: Number | Date
    reasons: tuple[str, ...] = ()
    doubt: str | None = None
