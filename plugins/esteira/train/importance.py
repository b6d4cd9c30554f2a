"""What a model's answers depend on: permutation importance and partial dependence, at a bounded cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from esteira.case import LOWER_IS_BETTER, Case
from esteira.columns import Category
from esteira.train import features, graph
from esteira.train.answers import Answers
from esteira.train.features import Doubles
from esteira.train.scores import places, scores

Ask = Callable[[pd.DataFrame], Answers]
"""Answers raw rows, as the API would."""

_REPEATS = 2
_SECONDS = 3.0
_FEWEST_ROWS = 100
_GRID = 20
_LEVELS = 12
_AVERAGED_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """A feature's values [G], and the mean answer [G, C] if every row had that value of it.

    The answer is the number of a regression, the second class's probability of two, else each
    class's. Source: J. Friedman, Greedy function approximation, 2001, section 8.2.
    """

    name: str
    values: pd.Series
    means: Doubles
    ordered: bool
    """Whether there is something between two values: there is nothing between two levels."""


def asking(case: Case, whole: bytes) -> Ask:
    """Asks an ONNX graph that takes raw features."""
    shape, run = features.layout(case.features), graph.session(whole)
    return lambda rows: graph.run(run, features.tensors(features.frame(rows, shape), shape))


def importances(
    case: Case, classes: Sequence[Any] | None, sample: pd.DataFrame, ask: Ask
) -> dict[str, float]:
    """By how much the case's metric worsens when a column's values are shuffled, strongest first.

    Mean of two shuffles, on rows of `sample` (features and target); of a slow model on fewer of them,
    so that it takes some three seconds. A column is left out where a shuffled row is answered so wildly
    that the metric is no number. Source: L. Breiman, Random forests, 2001, section 10.
    """
    rows = _affordable(sample, lambda some: _value(case, classes, some, ask), _REPEATS * len(case.features))
    sign = -1 if case.metric in LOWER_IS_BETTER else 1
    base, random = _value(case, classes, rows, ask), np.random.default_rng(0)
    drops = dict.fromkeys(case.features, 0.0)
    for name in (one for one in drops if rows[one].nunique(dropna=False) > 1):
        shuffled = (rows[name].take(random.permutation(len(rows))) for _ in range(_REPEATS))
        with np.errstate(over="ignore", invalid="ignore"):
            values = [_value(case, classes, rows.assign(**{name: one.array}), ask) for one in shuffled]
            drops[name] = sign * (base - float(np.mean(values)))
    counted = {name: drop for name, drop in drops.items() if isfinite(drop)}
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


def dependences(case: Case, names: Sequence[str], sample: pd.DataFrame, ask: Ask) -> list[Dependence]:
    """The partial dependence on each of the features named, averaged over at most 200 rows of `sample`."""
    rows = _affordable(_even(sample, _AVERAGED_ROWS), ask, _GRID * max(1, len(names)))
    return [_dependence(case, name, sample[name], rows, ask) for name in names]


def _dependence(case: Case, name: str, values: pd.Series, rows: pd.DataFrame, ask: Ask) -> Dependence:
    ordered = not isinstance(case.features[name], Category)
    grid = _quantiles(values) if ordered else _levels(values)
    every = rows.take(np.tile(np.arange(len(rows)), len(grid)))
    answers = ask(every.assign(**{name: grid.repeat(len(rows)).array}))
    given = answers.prediction[:, None] if answers.probabilities is None else answers.probabilities
    shown = given[:, 1:] if answers.probabilities is not None and given.shape[1] == 2 else given
    means = np.asarray(shown, np.float64).reshape(len(grid), len(rows), -1).mean(axis=1)
    return Dependence(name=name, values=grid.reset_index(drop=True), means=means, ordered=ordered)


def _quantiles(values: pd.Series) -> pd.Series:
    ordered = values.dropna().sort_values()
    at = np.linspace(0.02, 0.98, _GRID) * (len(ordered) - 1)
    return ordered.iloc[np.unique(at.round().astype(int))].drop_duplicates() if len(ordered) else values[:1]


def _levels(values: pd.Series) -> pd.Series:
    frequent = values.value_counts().index[:_LEVELS]
    return values[values.isin(frequent)].drop_duplicates().sort_values() if len(frequent) else values[:1]


def _value(case: Case, classes: Sequence[Any] | None, rows: pd.DataFrame, ask: Ask) -> float:
    target = rows[case.target]
    actual: npt.NDArray[Any] = target.to_numpy(np.float64) if classes is None else places(target, classes)
    return scores(case, actual, ask(rows), classes)[case.metric]


def _affordable(rows: pd.DataFrame, work: Callable[[pd.DataFrame], object], times: int) -> pd.DataFrame:
    """As many of the rows as `work` can be done on so many times in a few seconds."""
    few, more = _even(rows, _FEWEST_ROWS // 5), _even(rows, _FEWEST_ROWS)
    work(more)  # the first time is slower
    least, longer = _seconds(work, few), _seconds(work, more)
    each = max(longer - least, 0) / max(len(more) - len(few), 1)  # what does not grow with the rows is apart
    left = _SECONDS / times - least
    if left > each * len(rows):
        return rows
    return _even(rows, max(_FEWEST_ROWS, int(left / each)) if each else _FEWEST_ROWS)


def _seconds(work: Callable[[pd.DataFrame], object], rows: pd.DataFrame) -> float:
    started = time.monotonic()
    work(rows)
    return time.monotonic() - started


def _even(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    if len(rows) <= count:
        return rows
    return rows.iloc[np.linspace(0, len(rows) - 1, count).round().astype(int)]
