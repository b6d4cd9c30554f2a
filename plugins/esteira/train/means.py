"""Fitted models that answer together, for scikit-learn and as ONNX.

scikit-learn's VotingRegressor and VotingClassifier fit their members themselves and know no mean of
logarithms; these take members that are fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from esteira.train.export import add_model
from esteira.train.nodes import Nodes

Doubles = npt.NDArray[np.float64]


def mean(answers: Sequence[Doubles], weights: Sequence[float]) -> Doubles:
    """The mean of answers of the same shape, by weights that add up to 1."""
    total: Doubles = np.tensordot(np.asarray(weights), np.asarray(answers, np.float64), axes=1)
    return total


def geometric_mean(answers: Sequence[Doubles], weights: Sequence[float]) -> Doubles:
    """The geometric mean of positive answers of the same shape, by weights that add up to 1."""
    return np.exp(mean([np.log(one) for one in answers], weights))


class _Together(BaseEstimator):  # type: ignore[misc]
    def __init__(self, models: Sequence[Any], weights: Sequence[float]) -> None:
        self.models = models
        self.weights = weights

    def fit(self, columns: npt.NDArray[Any], target: Any = None) -> Self:  # noqa: ARG002
        """Nothing is left to fit; scikit-learn's own tools ask for the method."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class MeanRegressor(RegressorMixin, _Together):  # type: ignore[misc]
    """The weighted mean of the models' numbers."""

    def predict(self, columns: npt.NDArray[Any]) -> Doubles:
        return mean([one.predict(columns) for one in self.models], self.weights)


class GeometricMeanRegressor(RegressorMixin, _Together):  # type: ignore[misc]
    """The weighted geometric mean of the models' positive numbers: of models of the target's logarithm."""

    def predict(self, columns: npt.NDArray[Any]) -> Doubles:
        return geometric_mean([one.predict(columns) for one in self.models], self.weights)


class MeanClassifier(ClassifierMixin, _Together):  # type: ignore[misc]
    """The weighted mean of the models' probabilities, of the same classes."""

    @property
    def classes_(self) -> Any:
        return self.models[0].classes_

    def predict_proba(self, columns: npt.NDArray[Any]) -> Doubles:
        return mean([one.predict_proba(columns) for one in self.models], self.weights)

    def predict(self, columns: npt.NDArray[Any]) -> Any:
        return self.classes_[self.predict_proba(columns).argmax(axis=1)]


@add_model.register(MeanRegressor)
@add_model.register(MeanClassifier)
def _mean(model: _Together, nodes: Nodes, columns: str) -> str:
    return _add_mean(nodes, _members(model, nodes, columns), model.weights)


@add_model.register
def _geometric_mean(model: GeometricMeanRegressor, nodes: Nodes, columns: str) -> str:
    logs = [nodes.add("Log", [one]) for one in _members(model, nodes, columns)]
    return nodes.add("Exp", [_add_mean(nodes, logs, model.weights)])


def _members(model: _Together, nodes: Nodes, columns: str) -> list[str]:
    answers = [add_model(one, nodes, columns) for one in model.models]
    return [nodes.add("Cast", [one], to=TensorProto.DOUBLE) for one in answers]


def _add_mean(nodes: Nodes, answers: Sequence[str], weights: Sequence[float]) -> str:
    return nodes.add(
        "Sum",
        [
            nodes.add("Mul", [one, nodes.constant(np.array(weight))])
            for one, weight in zip(answers, weights, strict=True)
        ],
    )
