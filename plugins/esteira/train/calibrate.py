"""Makes probabilities mean what they say, on rows that the model was not fitted on.

scikit-learn's CalibratedClassifierCV asks the model again, and the model that is published was fitted on
the very rows whose out-of-fold answers are to be used here; so this works on the answers alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from esteira.train.nodes import Nodes

log = logging.getLogger("esteira")

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_FLOOR = 1e-6
"""A smaller probability counts as this one: a tree that is sure is not infinitely sure."""
_SLOPES = (0.02, 50.0)
_PRIOR_ROWS = 1.0
"""How many rows the belief weighs that nothing has to be changed: what tiny data and absent classes need."""


@dataclass(frozen=True)
class Calibration:
    """p'ₖ ∝ exp(slope · log pₖ + biasₖ): temperature scaling with 1/T as the slope, and a bias per class.

    Of two classes that is Platt's sigmoid of their log odds (Platt 1999); without biases it is Guo et al.
    2017, "On calibration of modern neural networks"; with them Alexandari et al. 2020, "Maximum likelihood
    with bias-corrected calibration is hard-to-beat at label shift adaptation".
    """

    slope: float
    biases: tuple[float, ...]

    @property
    def changes_nothing(self) -> bool:
        return self.slope == 1 and not any(self.biases)

    def apply(self, probabilities: Doubles) -> Doubles:
        """The calibrated probabilities [N, K] of N rows."""
        if self.changes_nothing:
            return probabilities
        found: Doubles = softmax(_logs(probabilities) * self.slope + np.array(self.biases), axis=1)
        return found

    def add(self, nodes: Nodes, probabilities: str) -> str:
        """The same in a graph, from a value float32 [N, K] to one of the same type."""
        if self.changes_nothing:
            return probabilities
        double = nodes.add("Cast", [probabilities], to=TensorProto.DOUBLE)
        logs = nodes.add("Log", [nodes.add("Max", [double, nodes.constant(np.array(_FLOOR))])])
        scaled = nodes.add("Mul", [logs, nodes.constant(np.array(self.slope))])
        shifted = nodes.add("Add", [scaled, nodes.constant(np.array([self.biases]))])
        return nodes.add("Cast", [nodes.add("Softmax", [shifted], axis=1)], to=TensorProto.FLOAT)


def identity(classes: int) -> Calibration:
    """The calibration that leaves probabilities as they are."""
    return Calibration(1.0, (0.0,) * classes)


def temperature(probabilities: Doubles, actual: Whole) -> Calibration:
    """One slope for all classes, which keeps the order of each row's probabilities [N, K]."""
    return _best(probabilities, actual, np.zeros(probabilities.shape[1]))


def temperature_and_biases(probabilities: Doubles, actual: Whole) -> Calibration:
    """A slope and a bias for each class, which also undo what weights and oversampling did to them."""
    return _best(probabilities, actual, np.ones(probabilities.shape[1]))


def log_loss(probabilities: Doubles, actual: Whole) -> float:
    """The mean of -log of the probability [N, K] of what happened, none taken for less than 10⁻⁶."""
    return float(-_logs(probabilities)[np.arange(len(actual)), actual].mean())


def _best(probabilities: Doubles, actual: Whole, free: Doubles) -> Calibration:
    """The least log loss with a small penalty, so that it is never above that of the identity.

    `free` [K] is 1 for a bias that may be chosen and 0 for one that stays 0.
    """
    none = identity(probabilities.shape[1])
    truth = (actual[:, None] == np.arange(probabilities.shape[1])).astype(np.float64)
    start = np.array([1.0, *none.biases])
    found = minimize(
        _loss, start, (_logs(probabilities), truth, free), jac=True, method="L-BFGS-B",
        bounds=[_SLOPES, *[(None, None)] * len(free)],
    )  # fmt: skip
    chosen = Calibration(float(found.x[0]), tuple((found.x[1:] * free).tolist()))
    before, after = (log_loss(one.apply(probabilities), actual) for one in (none, chosen))
    if not after < before:
        log.info("Probabilities stay as they are: calibration does not lower their log loss of %.4f", before)
        return none
    log.info("Calibrated on %s rows: log loss from %.4f to %.4f", f"{len(actual):,}", before, after)
    return chosen


def _loss(values: Doubles, logs: Doubles, truth: Doubles, free: Doubles) -> tuple[float, Doubles]:
    """The mean log loss with its penalty, and its gradient; convex in the slope and the biases."""
    slope, biases = values[0], values[1:] * free
    answers = log_softmax(logs * slope + biases, axis=1)
    error = (np.exp(answers) - truth) / len(truth)
    pull = _PRIOR_ROWS / len(truth)
    penalty = pull * ((slope - 1) ** 2 + np.sum(biases**2)) / 2
    gradient = np.array([np.sum(error * logs), *(error.sum(axis=0) * free)])
    gradient += pull * np.array([slope - 1, *biases])
    return float(-np.sum(answers * truth) / len(truth) + penalty), gradient


def _logs(probabilities: Doubles) -> Doubles:
    return np.log(np.maximum(probabilities, _FLOOR))
