"""The scikit-learn model of a version: what a candidate answers, finished as production answers it.

Each class says its answers twice, for scikit-learn and for the ONNX graph, one below the other: single
precision where the graph has it, so that a label is decided on the same bits on both sides.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from esteira.train.answers import Answers
from esteira.train.calibrate import Calibration
from esteira.train.conformal import Band
from esteira.train.nodes import Nodes

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Columns = npt.NDArray[np.floating[Any]]

_BATCH_ROWS = 8_192


class _Final(BaseEstimator):  # type: ignore[misc]
    """A model that is fitted already, from preprocessed columns [N, p]."""

    compared: Sequence[Any]

    def fit(self, columns: Columns, target: Any = None) -> Self:  # noqa: ARG002
        """Nothing is left to fit; scikit-learn's own tools ask for the method."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def answers(self, columns: Columns) -> Answers:
        """Everything that the graph answers to N rows, the candidates that are compared included."""
        starts = range(0, len(columns), _BATCH_ROWS)
        return joined([self._batch(_double(columns[start : start + _BATCH_ROWS])) for start in starts])

    @abstractmethod
    def _batch(self, columns: Doubles) -> Answers: ...

    @abstractmethod
    def add(self, nodes: Nodes, answer: str, compared: Sequence[str]) -> None:
        """The same as the outputs of a graph: from its model's answer and those of the compared ones."""


class FinalRegressor(RegressorMixin, _Final):  # type: ignore[misc]
    """Numbers in the target's unit, each with its prediction interval."""

    def __init__(self, model: Any, band: Band, compared: Sequence[Any] = ()) -> None:
        self.model = model
        self.band = band
        self.compared = compared

    def predict(self, columns: Columns) -> Doubles:
        """Numbers [N] in the target's unit."""
        return np.asarray(self.model.predict(_double(columns)), np.float64)

    def interval(self, columns: Columns) -> Doubles:
        """The ends of the prediction intervals [N, 2], in the target's unit."""
        return self.band.around(self.predict(columns))

    def _batch(self, columns: Doubles) -> Answers:
        prediction = self.predict(columns)
        models = [np.asarray(one.predict(columns), np.float64) for one in self.compared]
        return Answers(
            prediction=prediction,
            interval=self.band.around(prediction),
            models=np.column_stack(models) if models else None,
        )

    def add(self, nodes: Nodes, answer: str, compared: Sequence[str]) -> None:
        nodes.output("prediction", answer, TensorProto.DOUBLE, 1)
        nodes.output("interval", self.band.add(nodes, answer), TensorProto.DOUBLE, 2)
        if compared:
            models = nodes.add("Concat", list(compared), axis=1)
            nodes.output("models", models, TensorProto.DOUBLE, len(compared))


class FinalClassifier(ClassifierMixin, _Final):  # type: ignore[misc]
    """The places of classes, and their calibrated probabilities.

    The labels are `classes` of the version's metadata, at these places. Each compared candidate answers
    the most probable class by its own probabilities, which are not calibrated.
    """

    def __init__(
        self, model: Any, calibration: Calibration, threshold: float | None, compared: Sequence[Any] = ()
    ) -> None:
        self.model = model
        self.calibration = calibration
        self.threshold = threshold
        self.compared = compared

    @property
    def classes_(self) -> Whole:
        """The places [K] that its answers can be."""
        return np.arange(len(self.calibration.biases))

    def predict_proba(self, columns: Columns) -> Doubles:
        """Calibrated probabilities [N, K], to single precision."""
        return _single(self.calibration.apply(_probabilities(self.model, _double(columns))))

    def predict(self, columns: Columns) -> Whole:
        """The places of classes [N]: of two the second from the threshold on, else the most probable."""
        return self._places(self.predict_proba(columns))

    def _places(self, probabilities: Doubles) -> Whole:
        if self.threshold is None:
            return np.asarray(probabilities.argmax(axis=1), np.int64)
        return np.asarray(probabilities[:, 1] >= self.threshold, np.int64)

    def _batch(self, columns: Doubles) -> Answers:
        probabilities = self.predict_proba(columns)
        models = [_probabilities(one, columns).argmax(axis=1) for one in self.compared]
        return Answers(
            prediction=self._places(probabilities),
            probabilities=probabilities,
            models=np.column_stack(models).astype(np.int64) if models else None,
        )

    def add(self, nodes: Nodes, answer: str, compared: Sequence[str]) -> None:
        probabilities = self.calibration.add(nodes, answer)
        nodes.output("prediction", self._add_places(nodes, probabilities), TensorProto.INT64, 1)
        nodes.output("probabilities", probabilities, TensorProto.FLOAT, len(self.calibration.biases))
        if compared:
            places = [nodes.add("ArgMax", [one], axis=1) for one in compared]
            nodes.output("models", nodes.add("Concat", places, axis=1), TensorProto.INT64, len(compared))

    def _add_places(self, nodes: Nodes, probabilities: str) -> str:
        if self.threshold is None:
            return nodes.add("ArgMax", [probabilities], axis=1)
        second = nodes.add("Gather", [probabilities, nodes.constant(np.array([1], np.int64))], axis=1)
        reached = nodes.add("GreaterOrEqual", [second, nodes.constant(np.array(self.threshold, np.float32))])
        return nodes.add("Cast", [reached], to=TensorProto.INT64)


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers to rows that were asked in batches, as one."""

    def every(name: str) -> Any:
        found = [getattr(part, name) for part in parts]
        return None if found[0] is None else np.concatenate(found)

    return Answers(
        prediction=every("prediction"),
        probabilities=every("probabilities"),
        interval=every("interval"),
        models=every("models"),
    )


def _probabilities(model: Any, columns: Doubles) -> Doubles:
    return _single(np.asarray(model.predict_proba(columns), np.float64))


def _single(values: Doubles) -> Doubles:
    return values.astype(np.float32).astype(np.float64)


def _double(columns: Columns) -> Doubles:
    """In double precision, in which a linear model would else not calculate."""
    return np.asarray(columns, np.float64)
