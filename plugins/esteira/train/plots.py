"""The pictures of a regression that MLflow shows beside its scores."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from esteira.train.features import Doubles

_POINTS = 5_000


def predicted_against_actual(actual: Doubles, predicted: Doubles, unit: str) -> Figure:
    """A point for each row (at most 5,000); on the diagonal the prediction is right."""
    figure, axes = _figure("Predicted against actual", f"actual {unit}", f"predicted {unit}")
    axes.scatter(actual[:_POINTS], predicted[:_POINTS], s=6, alpha=0.3, linewidths=0)
    ends = [float(actual[:_POINTS].min()), float(actual[:_POINTS].max())]
    axes.plot(ends, ends, color="black", linewidth=1)
    return figure


def residuals(actual: Doubles, predicted: Doubles, unit: str) -> Figure:
    """How the errors (predicted minus actual) are spread."""
    figure, axes = _figure("Residuals", f"predicted - actual {unit}", "rows")
    error = predicted - actual
    low, high = np.quantile(error, [0.005, 0.995])
    if high > low:
        axes.hist(np.clip(error, low, high), bins=60)
    else:
        axes.bar([float(low)], [len(error)], width=1e-9)
    axes.axvline(0, color="black", linewidth=1)
    return figure


def importances(names: list[str], drops: Doubles) -> Figure:
    """By how much R² drops when a column's values are shuffled, strongest on top."""
    order = np.argsort(drops)
    figure, axes = _figure("Permutation importance", "drop of R² when shuffled", "")
    axes.barh([names[i] for i in order], drops[order])
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x.strip(), ylabel=y.strip())
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes
