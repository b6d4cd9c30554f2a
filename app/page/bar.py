"""A line of the page's diagrams."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A class or a field, from `start` to `start + length` percent of its line."""

    label: str
    text: str
    length: float
    start: float = 0.0
    strong: bool = False
    value: str = ""
    exact: str = ""
