"""The pictures of a classification: how its answers and its probabilities fare.

Of two classes the second one is drawn; of more each against the rest, the eight most frequent ones.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn import metrics

from esteira.train.features import Doubles
from esteira.train.plots import COLOURS, frame, shortened, thinned
from esteira.train.scores import Whole

_CURVES = 8
_BINS = 10
_LABELLED = 25
_NUMBERED = 12
_POINTS = 500  # of a curve, more of which the eye cannot see


def confusion(actual: Whole, predicted: Whole, classes: Sequence[Any]) -> Figure:
    """A row for each actual class: which share of its rows was answered as which class, with their number."""
    figure, axes = frame("Confusion matrix", "predicted", "actual")
    counts = metrics.confusion_matrix(actual, predicted, labels=np.arange(len(classes)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.grid(visible=False)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if len(classes) <= _LABELLED:
        names = [shortened(name) for name in classes]
        axes.set_xticks(range(len(classes)), names, rotation=45 if len(classes) > 2 else 0, ha="right")
        axes.set_yticks(range(len(classes)), names)
    if len(classes) <= _NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "#ffffff" if shares[row, column] > 0.5 else "#1f2933"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=8)
    return figure


def roc(actual: Whole, probabilities: Doubles, classes: Sequence[Any]) -> Figure:
    """Which share of a class is found, for which share of the others taken for it."""
    figure, axes = frame("ROC curve", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], color="black", linewidth=1, linestyle=":")
    for name, truth, given, colour in _each(actual, probabilities, classes):
        false, true, _ = metrics.roc_curve(truth, given)
        label = f"{name} (area {metrics.auc(false, true):.3f})"
        axes.plot(thinned(false, _POINTS), thinned(true, _POINTS), color=colour, label=label)
    return _labelled(figure, axes)


def precision_recall(actual: Whole, probabilities: Doubles, classes: Sequence[Any]) -> Figure:
    """How often the class is right when it is answered, for which share of it is found."""
    figure, axes = frame("Precision and recall", "recall", "precision")
    for name, truth, given, colour in _each(actual, probabilities, classes):
        precision, recall, _ = metrics.precision_recall_curve(truth, given)
        label = f"{name} (average precision {metrics.average_precision_score(truth, given):.3f})"
        axes.plot(thinned(recall, _POINTS), thinned(precision, _POINTS), color=colour, label=label)
        axes.axhline(truth.mean(), color=colour, linewidth=0.8, linestyle=":")
    axes.set_ylim(0, 1.02)
    return _labelled(figure, axes)


def calibration(actual: Whole, probabilities: Doubles, classes: Sequence[Any]) -> Figure:
    """How often a class occurs among rows that were given it with about one probability: ideally as often."""
    figure, axes = frame("Calibration", "probability given", "share that occurs")
    axes.plot([0, 1], [0, 1], color="black", linewidth=1, linestyle=":")
    for name, truth, given, colour in _each(actual, probabilities, classes):
        groups = np.array_split(np.argsort(given, kind="stable"), _BINS)
        points = [(given[rows].mean(), truth[rows].mean()) for rows in groups if len(rows)]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=name)
    return _labelled(figure, axes)


def lift(actual: Whole, probabilities: Doubles, classes: Sequence[Any]) -> Figure:
    """How many times as often a class occurs among the rows that are most probably of it as among all."""
    figure, axes = frame("Lift", "share of rows, most probable first", "times as often")
    axes.axhline(1, color="black", linewidth=1, linestyle=":")
    for name, truth, given, colour in _each(actual, probabilities, classes):
        found = truth[np.argsort(-given, kind="stable")].cumsum() / np.arange(1, len(truth) + 1)
        places = np.unique(np.linspace(0.02, 1, 50) * (len(truth) - 1)).round().astype(int)
        axes.plot((places + 1) / len(truth), found[places] / truth.mean(), color=colour, label=name)
    return _labelled(figure, axes)


def _each(
    actual: Whole, probabilities: Doubles, classes: Sequence[Any]
) -> Iterator[tuple[str, npt.NDArray[np.bool_], Doubles, str]]:
    """Name, truth, probability and colour of each class that is drawn: some rows are of it and some not."""
    counts = np.bincount(actual[actual >= 0], minlength=len(classes))
    frequent = np.sort(np.argsort(-counts, kind="stable")[:_CURVES])
    judged = [place for place in ([1] if len(classes) == 2 else frequent) if 0 < counts[place] < len(actual)]
    for place, colour in zip(judged, cycle(COLOURS), strict=False):
        yield shortened(classes[place]), actual == place, probabilities[:, place], colour


def _labelled(figure: Figure, axes: Axes) -> Figure:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", fontsize="small", framealpha=0.4)
    return figure
