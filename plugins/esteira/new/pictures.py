"""Small pictures of a column, as SVG: how its values are distributed, and what the target is along them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from esteira import days
from esteira.new.facts import amount

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Values = np.ma.MaskedArray[Any, Any]
    Mask = npt.NDArray[np.bool_]

_WIDTH, _HEIGHT = 190, 44
_BARS = 24
_GROUPS = 10
_HUES = 8


@dataclass(frozen=True)
class Group:
    """Some of the rows, by their value of a column."""

    label: str
    rows: Mask


def distribution(values: Values, *, date: bool) -> str:
    """How often each part of the range, or each of the most frequent levels, occurs."""
    groups = list(_levels(values) if values.dtype == object else _steps(values, date=date))
    sizes = [int(group.rows.sum()) for group in groups]
    highest = max(sizes, default=0) or 1
    bars = (
        _rect(place, len(groups), 1 - size / highest, 1.0, f"{group.label}: {size:,}", "bar")
        for place, (group, size) in enumerate(zip(groups, sizes, strict=True))
    )
    return _svg(bars)


def relation_to_number(values: Values, target: Values, *, date: bool, logarithm: bool) -> str:
    """For each group of values the middle half of the target, and its median."""
    import numpy as np

    heights = np.asarray(target, dtype=np.float64)
    if logarithm:
        heights = np.log(heights)
    low, high = np.quantile(heights, (0.02, 0.98))
    groups = _groups(values, date=date)
    return _svg(_boxes(groups, heights, float(low), float(high - low) or 1.0, logarithm=logarithm))


def relation_to_classes(values: Values, target: Values, classes: Sequence[str], *, date: bool) -> str:
    """For each group of values the share of each class; of two classes that of the second."""
    import numpy as np

    labels = np.asarray(
        target.astype("float64").astype("int64") if target.dtype != object else target
    ).astype(str)
    groups = _groups(values, date=date)
    shown = classes[1:] if len(classes) == 2 else classes[:_HUES]
    return _svg(_stacks(groups, labels, shown))


def _boxes(
    groups: Sequence[Group], heights: npt.NDArray[np.float64], low: float, reach: float, *, logarithm: bool
) -> Iterator[str]:
    import numpy as np

    for place, group in enumerate(groups):
        quarters = np.quantile(heights[group.rows], (0.25, 0.5, 0.75))
        top, middle, bottom = (float(1 - np.clip((one - low) / reach, 0, 1)) for one in quarters[::-1])
        median = float(np.exp(quarters[1]) if logarithm else quarters[1])
        label = f"{group.label}: median {amount(median)}, {int(group.rows.sum()):,} rows"
        yield _rect(place, len(groups), top, max(bottom, top + 0.03), label, "box")
        yield _rect(place, len(groups), max(middle - 0.03, 0), min(middle + 0.03, 1), label, "bar")


def _stacks(groups: Sequence[Group], labels: npt.NDArray[Any], shown: Sequence[str]) -> Iterator[str]:
    for place, group in enumerate(groups):
        top = 1.0
        for hue, label in enumerate(shown):
            share = float((labels[group.rows] == label).mean())
            said = f"{group.label}: {label} {share:.1%} of {int(group.rows.sum()):,} rows"
            yield _rect(place, len(groups), top - share, top, said, f"hue{hue}")
            top -= share


def _groups(values: Values, *, date: bool) -> list[Group]:
    """At most ten groups of similar size, or the most frequent levels; missing ones are a group too."""
    import numpy as np

    missing = np.ma.getmaskarray(values)
    found = list(_levels(values) if values.dtype == object else _quantiles(values, date=date))
    groups = [*found, Group("missing", missing)]
    return [group for group in groups if group.rows.any()]


def _levels(values: Values) -> Iterator[Group]:
    import numpy as np

    present = ~np.ma.getmaskarray(values)
    texts = np.where(present, values.filled(""), "").astype(str)
    levels, times = np.unique(texts[present], return_counts=True)
    for place in np.argsort(-times, kind="stable")[:_GROUPS]:
        yield Group(str(levels[place]), present & (texts == levels[place]))


def _quantiles(values: Values, *, date: bool) -> Iterator[Group]:
    import numpy as np

    present = values.compressed()
    if not len(present):
        return
    distinct = np.unique(present)
    edges = (
        distinct
        if len(distinct) <= _GROUPS
        else np.unique(np.quantile(present, np.linspace(0, 1, _GROUPS + 1)))
    )
    numbers, gaps = np.asarray(values.filled(np.nan)), np.ma.getmaskarray(values)
    if len(distinct) <= _GROUPS:
        yield from (Group(_shown(value, date=date), ~gaps & (numbers == value)) for value in distinct)
        return
    for place, (low, high) in enumerate(pairwise(edges)):
        inside = (numbers >= low) & ((numbers <= high) if place + 2 == len(edges) else (numbers < high))
        yield Group(f"{_shown(low, date=date)} to {_shown(high, date=date)}", ~gaps & inside)


def _steps(values: Values, *, date: bool) -> Iterator[Group]:
    """Equal steps over the range; what lies beyond the outermost half percent counts as at its edge."""
    import numpy as np

    present = values.compressed()
    if not len(present):
        return
    distinct = np.unique(present)
    if len(distinct) <= _BARS:
        yield from (Group(_shown(value, date=date), present == value) for value in distinct)
        return
    low, high = np.quantile(present, (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, _BARS + 1)
    places = np.clip(np.searchsorted(edges, present, side="right") - 1, 0, _BARS - 1)
    for place in range(_BARS):
        span = f"{_shown(edges[place], date=date)} to {_shown(edges[place + 1], date=date)}"
        yield Group(span, places == place)


def _shown(value: float, *, date: bool) -> str:
    return days.to_text(float(round(value))) if date else amount(float(value))


def _rect(place: int, of: int, top: float, bottom: float, label: str, kind: str) -> str:
    step = _WIDTH / of
    corner = f'x="{place * step:.1f}" y="{_HEIGHT * top:.1f}"'
    size = f'width="{max(step - 1, 0.5):.1f}" height="{_HEIGHT * max(bottom - top, 0):.1f}"'
    return f'<rect class="{kind}" {corner} {size}><title>{escape(label)}</title></rect>'


def _svg(shapes: Iterator[str]) -> str:
    inside = "".join(shapes)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img">{inside}</svg>'
    )
