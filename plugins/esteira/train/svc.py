"""The decision function of a support vector machine with a radial kernel, as ONNX in double precision."""

from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from sklearn.svm import SVC

from esteira.train.nodes import Nodes

Doubles = npt.NDArray[np.float64]


def add_decision(model: SVC, nodes: Nodes, columns: str) -> str:
    """What `model.decision_function` gives: [N, 1] of two classes, [N, K] one against the rest of more."""
    double = nodes.add("Cast", [columns], to=TensorProto.DOUBLE)
    weighted = nodes.add("MatMul", [_kernel(model, nodes, double), nodes.constant(_weights(model))])
    pairs = nodes.add("Add", [weighted, nodes.constant(model._intercept_[None, :])])
    # libsvm decides between a first and a second class, scikit-learn for the second of two.
    return nodes.add("Neg", [pairs]) if len(model.classes_) == 2 else _one_against_rest(model, nodes, pairs)


def _kernel(model: SVC, nodes: Nodes, columns: str) -> str:
    """exp(-γ‖x-s‖²) for each row x and support vector s, [N, S], by ‖x‖² - 2x·s + ‖s‖²."""
    vectors = np.asarray(model.support_vectors_, np.float64)
    axis = nodes.constant(np.array([1], np.int64))
    squares = nodes.add("ReduceSumSquare", [columns, axis], keepdims=1)
    products = nodes.add("MatMul", [columns, nodes.constant(-2 * vectors.T)])
    constant = nodes.constant(np.sum(vectors**2, axis=1)[None, :])
    distances = nodes.add("Add", [nodes.add("Add", [products, squares]), constant])
    return nodes.add("Exp", [nodes.add("Mul", [distances, nodes.constant(np.array(-model._gamma))])])


def _weights(model: SVC) -> Doubles:
    """[S, K(K-1)/2]: what each support vector adds to the decision between each pair of classes.

    Of a pair i < j, the vectors of class i weigh `dual_coef_[j-1]`, those of class j `dual_coef_[i]`
    (Chang and Lin 2011, "LIBSVM: a library for support vector machines", 7).
    """
    ends = np.cumsum([0, *model.n_support_]).tolist()
    of_class = [slice(low, high) for low, high in pairwise(ends)]
    pairs = list(combinations(range(len(of_class)), 2))
    weights = np.zeros((ends[-1], len(pairs)))
    for place, (i, j) in enumerate(pairs):
        weights[of_class[i], place] = model._dual_coef_[j - 1, of_class[i]]
        weights[of_class[j], place] = model._dual_coef_[i, of_class[j]]
    return weights


def _one_against_rest(model: SVC, nodes: Nodes, pairs: str) -> str:
    """Votes of the pairs, equal ones told apart by their decisions' sum s: plus s / (3(|s| + 1)).

    As `sklearn.utils.multiclass._ovr_decision_function`; a pair votes for its first class unless its
    decision is below 0.
    """
    first, second = (
        np.eye(len(model.classes_))[list(side)]
        for side in zip(*combinations(range(len(model.classes_)), 2), strict=True)
    )
    below = nodes.add("Less", [pairs, nodes.constant(np.array(0.0))])
    moved = nodes.add("Cast", [below], to=TensorProto.DOUBLE)
    moved = nodes.add("MatMul", [moved, nodes.constant(second - first)])
    votes = nodes.add("Add", [moved, nodes.constant(first.sum(axis=0)[None, :])])
    total = nodes.add("MatMul", [pairs, nodes.constant(first - second)])
    more = nodes.add("Add", [nodes.add("Abs", [total]), nodes.constant(np.array(1.0))])
    tie = nodes.add("Div", [total, nodes.add("Mul", [more, nodes.constant(np.array(3.0))])])
    return nodes.add("Add", [votes, tie])
