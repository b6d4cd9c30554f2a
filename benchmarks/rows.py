"""A row of the table: what was measured, against what, and whether the target is met."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """One figure, in the table's words; `rival` and `ratio` are empty where nothing is compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    figure: str
    rival: str = ""
    ratio: str = ""
    target: str
    met: bool


def at_most(what: str, value: float, limit: float, shown: str) -> Row:
    """A figure that may not exceed `limit`; `shown` formats both, such as `{:.1f} s`."""
    return Row(what=what, figure=shown.format(value), target=f"≤ {shown.format(limit)}", met=value <= limit)


def ratio_at_most(what: str, value: float, rival: float, limit: float, shown: str, name: str) -> Row:
    """A figure that may not exceed `limit` times the one of the rival of that name."""
    return _ratio(what, value, rival, shown, name, f"≤ {limit:g} ×", value / rival <= limit)


def ratio_at_least(what: str, value: float, rival: float, limit: float, shown: str, name: str) -> Row:
    """A figure that must reach `limit` times the one of the rival of that name."""
    return _ratio(what, value, rival, shown, name, f"≥ {limit:g} ×", value / rival >= limit)


def ratio(what: str, value: float, rival: float, shown: str, name: str) -> Row:
    """A figure beside the one of the rival of that name, without a target."""
    return _ratio(what, value, rival, shown, name, "", met=True)


def _ratio(what: str, value: float, rival: float, shown: str, name: str, target: str, met: bool) -> Row:
    return Row(
        what=what,
        figure=shown.format(value),
        rival=f"{name} {shown.format(rival)}",
        ratio=f"{value / rival:.2f} ×",
        target=target,
        met=met,
    )
