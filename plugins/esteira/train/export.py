"""Fitted scikit-learn models as ONNX: from the preprocessed columns to numbers or probabilities.

Everything is calculated in double precision, as scikit-learn does, and rounded to single precision
once, so that both sides nearly always answer the very same bits and no label turns.
"""

from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from esteira.errors import EsteiraError
from esteira.train.nodes import Nodes
from esteira.train.svc import add_decision
from esteira.train.trees import Tree, add_trees, boosted, grown
from esteira.vocabulary import Task

_NO_SHARE = 1e-12
"""Less than this is what rounding leaves of nothing, not the probability of a class."""


class ExportError(EsteiraError):
    """A model is of a kind that cannot become a graph."""


def export_model(model: Any, width: int, task: Task) -> bytes:
    """A fitted model as serialized ONNX, from `columns` float32 [N, width].

    A regression gives `prediction` float64 [N, 1] in the target's unit, a classification
    `probabilities` float32 [N, K]. Raises ExportError for a kind of model without an exporter.
    """
    nodes = Nodes()
    columns = nodes.input(helper.make_tensor_value_info("columns", TensorProto.FLOAT, [None, width]))
    answer = add_model(model, nodes, columns)
    if task == "regression":
        nodes.output("prediction", as_type(nodes, answer, TensorProto.DOUBLE), TensorProto.DOUBLE, 1)
    else:
        single = as_type(nodes, answer, TensorProto.FLOAT)
        nodes.output("probabilities", single, TensorProto.FLOAT, len(model.classes_))
    return nodes.serialized()


def as_type(nodes: Nodes, value: str, element: int) -> str:
    return nodes.add("Cast", [value], to=element)


@singledispatch
def add_model(model: Any, nodes: Nodes, columns: str) -> str:  # noqa: ARG001
    """Add a fitted model to a graph, fed with the value `columns` float32 [N, p].

    Gives the name of its numbers [N, 1] or its probabilities [N, K], of either precision.
    """
    raise ExportError(
        f"A {type(model).__name__} cannot become an ONNX graph: no exporter is registered for it; "
        f"leave its candidate out of train.candidates"
    )


@add_model.register
def _frozen(model: FrozenEstimator, nodes: Nodes, columns: str) -> str:
    return add_model(model.estimator, nodes, columns)


@add_model.register
def _of_logarithm(model: TransformedTargetRegressor, nodes: Nodes, columns: str) -> str:
    if model.inverse_func is not np.exp:
        raise ExportError(
            f"The target's transformation is undone by {model.inverse_func}; only numpy.exp can be exported"
        )
    answer = as_type(nodes, add_model(model.regressor_, nodes, columns), TensorProto.DOUBLE)
    return nodes.add("Exp", [answer])


@add_model.register(LinearRegression)
@add_model.register(Ridge)
def _linear(model: Any, nodes: Nodes, columns: str) -> str:
    return _weighted(nodes, columns, np.atleast_2d(model.coef_), model.intercept_)


@add_model.register
def _logistic(model: LogisticRegression, nodes: Nodes, columns: str) -> str:
    decision = _weighted(nodes, columns, model.coef_, model.intercept_)
    return _of_two(nodes, decision) if len(model.classes_) == 2 else nodes.add("Softmax", [decision], axis=1)


@add_model.register(DecisionTreeRegressor)
@add_model.register(DecisionTreeClassifier)
def _tree(model: Any, nodes: Nodes, columns: str) -> str:
    return _averaged(nodes, columns, [grown(model, 1.0)])


@add_model.register(ExtraTreesRegressor)
@add_model.register(ExtraTreesClassifier)
@add_model.register(RandomForestRegressor)
@add_model.register(RandomForestClassifier)
def _forest(model: Any, nodes: Nodes, columns: str) -> str:
    trees = [grown(one, 1 / len(model.estimators_)) for one in model.estimators_]
    return _averaged(nodes, columns, trees)


@add_model.register
def _boosted_numbers(model: HistGradientBoostingRegressor, nodes: Nodes, columns: str) -> str:
    if model.loss not in ("squared_error", "absolute_error", "quantile"):
        raise ExportError(
            f"Histogram boosting with the loss {model.loss!r} cannot be exported: it has a link"
        )
    return _boosted(model, nodes, columns)


@add_model.register
def _boosted_classes(model: HistGradientBoostingClassifier, nodes: Nodes, columns: str) -> str:
    raw = as_type(nodes, _boosted(model, nodes, columns), TensorProto.DOUBLE)
    return _of_two(nodes, raw) if len(model.classes_) == 2 else nodes.add("Softmax", [raw], axis=1)


@add_model.register
def _calibrated(model: CalibratedClassifierCV, nodes: Nodes, columns: str) -> str:
    """Platt's sigmoid of each class's decision, divided by their sum (Zadrozny and Elkan 2002)."""
    (inner,) = model.calibrated_classifiers_
    if inner.method != "sigmoid":
        raise ExportError(
            f"The calibration {inner.method!r} of a classifier cannot be exported; use 'sigmoid'"
        )
    slopes = np.array([[-one.a_ for one in inner.calibrators]])
    shifts = np.array([[-one.b_ for one in inner.calibrators]])
    decision = nodes.add("Mul", [_decision(inner.estimator, nodes, columns), nodes.constant(slopes)])
    logits = nodes.add("Add", [decision, nodes.constant(shifts)])
    if len(model.classes_) == 2:
        return _of_two(nodes, logits)
    shares = nodes.add("Sigmoid", [logits])
    total = nodes.add("ReduceSum", [shares, nodes.constant(np.array([1], np.int64))], keepdims=1)
    return nodes.add("Div", [shares, total])


def _decision(model: Any, nodes: Nodes, columns: str) -> str:
    inner = model.estimator if isinstance(model, FrozenEstimator) else model
    if not isinstance(inner, SVC) or inner.kernel != "rbf":
        raise ExportError(
            f"The decisions of a {type(inner).__name__} cannot be exported; only an RBF SVC's can"
        )
    return add_decision(inner, nodes, columns)


def _weighted(nodes: Nodes, columns: str, weights: Any, intercept: Any) -> str:
    """columns · weightsᵀ + intercept, float64 [N, rows of the weights]."""
    double = as_type(nodes, columns, TensorProto.DOUBLE)
    product = nodes.add("MatMul", [double, nodes.constant(np.asarray(weights, np.float64).T)])
    start = np.broadcast_to(np.asarray(intercept, np.float64), (1, len(weights)))
    return nodes.add("Add", [product, nodes.constant(start)])


def _averaged(nodes: Nodes, columns: str, trees: list[Tree]) -> str:
    """The sum of trees whose weights are in their leaves; of two classes only the second is in the trees."""
    outputs = trees[0].values.shape[1]
    if outputs != 2:
        return add_trees(nodes, columns, trees, np.zeros(outputs))
    of_second = [replace(tree, values=tree.values[:, 1:]) for tree in trees]
    second = add_trees(nodes, columns, of_second, np.zeros(1))
    rest = nodes.add("Sub", [nodes.constant(np.array(1.0)), second])
    is_none = nodes.add("Less", [rest, nodes.constant(np.array(_NO_SHARE))])
    first = nodes.add("Where", [is_none, nodes.constant(np.array(0.0)), rest])
    return nodes.add("Concat", [first, second], axis=1)


def _boosted(model: Any, nodes: Nodes, columns: str) -> str:
    outputs = model.n_trees_per_iteration_
    trees = [boosted(one, place, outputs) for step in model._predictors for place, one in enumerate(step)]
    return add_trees(nodes, columns, trees, model._baseline_prediction.ravel())


def _of_two(nodes: Nodes, logit: str) -> str:
    """The probabilities of two classes; the first is not one minus the second, it keeps its digits."""
    return nodes.add("Sigmoid", [nodes.add("Concat", [nodes.add("Neg", [logit]), logit], axis=1)])
