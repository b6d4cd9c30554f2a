"""Split conformal prediction: how far around a prediction the true value lies, with a share that is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from esteira.train.nodes import Nodes

Doubles = npt.NDArray[np.float64]


def quantile(residuals: Doubles, share: float) -> float:
    """The residual [n] that a new row's one stays within, with a probability of at least `share`.

    It is the ⌈(n+1)·share⌉-th smallest of the absolute ones, so that the promise holds for any number
    of exchangeable rows (Vovk, Gammerman and Shafer 2005; Lei et al. 2018, "Distribution-free predictive
    inference for regression", 2.2). Where n is too small for that, it is the largest, and the
    probability n/(n+1).
    """
    wanted = (len(residuals) + 1) * share - 1e-9  # 0.9 · 100 is 90, whatever the last digit says
    rank = min(math.ceil(wanted), len(residuals))
    return float(np.partition(np.abs(residuals), rank - 1)[rank - 1])


@dataclass(frozen=True, kw_only=True)
class Band:
    """What lies around a prediction: its two ends added to it, or multiplied with it."""

    operation: Literal["Add", "Mul"]
    ends: tuple[float, float]
    allowed: tuple[float, float]
    """What the target column may hold; no true value lies outside, so no end of an interval does."""

    def around(self, prediction: Doubles) -> Doubles:
        """The interval [N, 2] of each of N predictions, in their unit."""
        combine = np.add if self.operation == "Add" else np.multiply
        ends: Doubles = combine(prediction[:, None], np.array(self.ends))
        return np.clip(ends, *self.allowed)

    def sentence(self) -> str:
        return f"a prediction {'±' if self.operation == 'Add' else '×÷'} {self.ends[1]:.4g}"

    def add(self, nodes: Nodes, prediction: str) -> str:
        """The same in a graph, from the value `prediction` float64 [N, 1]."""
        ends = nodes.add(self.operation, [prediction, nodes.constant(np.array([self.ends]))])
        return nodes.add("Clip", [ends, *(nodes.constant(np.array(end)) for end in self.allowed)])


def band(actual: Doubles, predicted: Doubles, share: float, allowed: tuple[float, float]) -> Band:
    """The band that holds `share` of the true values, from the residuals of rows [n] not fitted on."""
    margin = quantile(actual - predicted, share)
    return Band(operation="Add", ends=(-margin, margin), allowed=allowed)


def log_band(actual: Doubles, predicted: Doubles, share: float, allowed: tuple[float, float]) -> Band:
    """The same for a model of the target's logarithm: residuals of logarithms, a factor for both ends."""
    factor = math.exp(quantile(np.log(actual) - np.log(predicted), share))
    return Band(operation="Mul", ends=(1 / factor, factor), allowed=allowed)
