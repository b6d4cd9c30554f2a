"""The pictures that MLflow and the model card show beside a model's scores."""

from collections.abc import Mapping, Sequence
from itertools import cycle, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from esteira.train.features import Doubles
from esteira.train.importance import Dependence

COLOURS = ("#2f7ed8", "#e8833a", "#2a9d6e", "#c0475d", "#8a63d2", "#b8921b", "#2f9fb3", "#7a8794")
"""They can be told apart on light and on dark paper; text and axes are black, the paper is left out."""
_POINTS = 5_000
_STRONGEST = 20
_CURVES = 8


def predicted_against_actual(actual: Doubles, predicted: Doubles, unit: str) -> Figure:
    """A point for each row (at most 5,000); on the diagonal the prediction is right."""
    figure, axes = frame("Predicted against actual", f"actual {unit}", f"predicted {unit}")
    axes.scatter(
        thinned(actual), thinned(predicted), s=7, alpha=0.5, linewidths=0, color=COLOURS[0], rasterized=True
    )
    ends = [float(actual.min()), float(actual.max())]
    axes.plot(ends, ends, color="black", linewidth=1)
    return figure


def residuals(actual: Doubles, predicted: Doubles, unit: str) -> Figure:
    """How the errors (predicted minus actual) are spread; the outermost 1 % count at the ends."""
    figure, axes = frame("Residuals", f"predicted - actual {unit}", "rows")
    error = predicted - actual
    low, high = np.quantile(error, [0.005, 0.995])
    if high > low:
        axes.hist(np.clip(error, low, high), bins=60, color=COLOURS[0])
    else:
        axes.bar([float(low)], [len(error)], width=1e-9, color=COLOURS[0])
    axes.axvline(0, color="black", linewidth=1)
    return figure


def importances(drops: Mapping[str, float], metric: str) -> Figure:
    """By how much a metric worsens when a column's values are shuffled: the 20 strongest, on top."""
    strongest = dict(list(drops.items())[:_STRONGEST])
    figure, axes = frame("Permutation importance", f"worse {metric} when shuffled", "")
    axes.barh(range(len(strongest)), list(strongest.values()), color=COLOURS[0])
    axes.set_yticks(range(len(strongest)), [shortened(name) for name in strongest])
    axes.invert_yaxis()
    return figure


def dependences(found: Sequence[Dependence], answer: str, classes: Sequence[Any] | None) -> Figure:
    """The mean answer along each feature's values; of more than two classes a line for each (at most 8)."""
    figure = Figure(figsize=(max(4, 3 * len(found)), 3.4), layout="tight")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, one in zip(panels, found, strict=True):
        _dependence(axes, one, classes if classes and len(classes) > 2 else None)
    panels[0].set_ylabel(plain(answer))
    if classes and len(classes) > 2:
        panels[-1].legend(fontsize="x-small")
    figure.suptitle("Partial dependence of the strongest features")
    return figure


def frame(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """A figure of one panel."""
    figure = Figure(figsize=(6, 4.5), layout="tight")
    axes = figure.add_subplot(title=plain(title), xlabel=plain(x.strip()), ylabel=plain(y.strip()))
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def thinned(values: npt.NDArray[Any], count: int = _POINTS) -> npt.NDArray[Any]:
    """At most `count` of the values, evenly spread: the same places for every array of one length."""
    if len(values) <= count:
        return values
    some: npt.NDArray[Any] = values[np.linspace(0, len(values) - 1, count).round().astype(int)]
    return some


def shortened(name: object) -> str:
    """A name as a label of a picture, at most 24 characters of it."""
    text = str(name)
    return plain(text if len(text) <= 24 else f"{text[:23]}…")


def plain(text: str) -> str:
    """A text that matplotlib shows as it is: between two dollar signs it would read a formula."""
    return text.replace("$", r"\$")


def _dependence(axes: Axes, one: Dependence, classes: Sequence[Any] | None) -> None:
    names = [shortened(name) for name in (classes or ())[:_CURVES]]
    values = one.values.to_numpy() if one.ordered else np.arange(len(one.values))
    line, columns = "-" if one.ordered else "", one.means.T[:_CURVES]
    for column, name, colour in zip(columns, _padded(names, len(columns)), cycle(COLOURS), strict=False):
        axes.plot(values, column, marker=".", linestyle=line, color=colour, label=name)
    if not one.ordered:
        axes.set_xticks(values, [shortened(value) for value in one.values])
    is_number = one.ordered and one.values.dtype.kind != "M"
    axes.set_xlabel(shortened(one.name))
    axes.grid(alpha=0.3)
    axes.tick_params(axis="x", rotation=0 if is_number else 45, labelsize=8)


def _padded(names: Sequence[str], count: int) -> list[str | None]:
    return [name for name, _ in zip_longest(names, range(count))][:count]
