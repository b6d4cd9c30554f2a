"""What the plain cells of a file tell about its doubtful ones: the decimal mark, and day or month first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from esteira.new.readings import Samples

_DOT = re.compile(r"[^\d]{0,5}\d+\.(\d{1,2}|\d{4,})[^\d.,]{0,5}|.*,\d{3}\.\d+[^\d]{0,5}|0\.\d+")
_COMMA = re.compile(r"[^\d]{0,5}\d+,(\d{1,2}|\d{4,})[^\d.,]{0,5}|.*\.\d{3},\d+[^\d]{0,5}|0,\d+")
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}(\D.*)?")
_LOOKED_AT = 1000
_FEWEST = 0.05
_MONTHS = 12


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How this file writes numbers and dates, and how that is known."""

    decimal: Literal[".", ","]
    why_decimal: str
    day_first: bool
    why_days: str


def of(columns: Iterable[Samples], delimiter: str) -> Habits:
    """The habits that most columns show; where none shows any, those that go with the delimiter."""
    heads = [list(samples)[:_LOOKED_AT] for samples in columns]
    comma, dot = _votes(heads, _COMMA), _votes(heads, _DOT)
    decimal: Literal[".", ","] = "," if comma > dot or (comma == dot and delimiter == ";") else "."
    if comma or dot:
        why = f"{max(comma, dot)} other column{'s' * (max(comma, dot) > 1)} of the file can only be read so"
    else:
        why = f"files with {delimiter!r} between the fields mostly do"
    day, month = (sum(_exceeds(head, group) for head in heads) for group in (1, 2))
    if day or month:
        why_days = "another date of the file can only be read so"
    else:
        why_days = f"files with {decimal!r} for decimals mostly do"
    return Habits(
        decimal=decimal,
        why_decimal=why,
        day_first=day > month or (day == month and decimal == ","),
        why_days=why_days,
    )


def _votes(heads: Iterable[list[str]], mark: re.Pattern[str]) -> int:
    return sum(sum(map(bool, map(mark.fullmatch, head))) > _FEWEST * len(head) for head in heads if head)


def _exceeds(head: list[str], group: int) -> bool:
    """Whether a date of a column has a number there that no month has."""
    found = map(_DATE.fullmatch, head)
    return any(match is not None and int(match[group]) > _MONTHS for match in found)
