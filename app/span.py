"""The pattern of the dates between two, for a documentation that has no other word for it."""

from __future__ import annotations

from collections.abc import Iterator

_MONTH, _DAY = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"


def pattern(low: str, high: str) -> str:
    """A regular expression of the texts YYYY-MM-DD from `low` to `high`; it gives every month 31 days."""
    return f"^({'|'.join(_parts(low.split('-'), high.split('-')))})$"


def _parts(low: list[str], high: list[str]) -> Iterator[str]:
    """By years, where those are equal by months, and where those are equal too by days."""
    if low[0] == high[0] and len(low) > 1:
        yield from (f"{low[0]}-{part}" for part in _parts(low[1:], high[1:]))
        return
    first, last = int(low[0]), int(high[0])
    rest = [_MONTH, _DAY][3 - len(low) :]
    if len(low) > 1:
        yield from (f"{low[0]}-{part}" for part in _parts(low[1:], ["12", "31"][3 - len(low) :]))
        yield from (f"{high[0]}-{part}" for part in _parts(["01", "01"][3 - len(low) :], high[1:]))
        first, last = first + 1, last - 1
    if first <= last:
        width = len(low[0])
        yield "-".join([_digits(f"{first:0{width}}", f"{last:0{width}}"), *rest])


def _digits(low: str, high: str) -> str:
    """The numbers between two of the same length."""
    if low == high:
        return low
    if low[0] == high[0]:
        return low[0] + _digits(low[1:], high[1:])
    if len(low) == 1:
        return f"[{low}-{high}]"
    left, first, last = len(low) - 1, int(low[0]), int(high[0])
    parts = [low[0] + _digits(low[1:], "9" * left), high[0] + _digits("0" * left, high[1:])]
    if first + 1 <= last - 1:
        parts.append(f"[{first + 1}-{last - 1}]" + "[0-9]" * left)
    return f"({'|'.join(parts)})"
