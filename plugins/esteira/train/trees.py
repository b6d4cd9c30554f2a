"""Trees of scikit-learn as one ONNX node that adds up their leaves in double precision.

Where a leaf has one number that is a TreeEnsemble, which ONNX Runtime keeps in half the memory of a
TreeEnsembleRegressor; that one takes leaves of several. No operator set has both, and no graph needs
both: it either has one output and two classes at most, or more classes everywhere.

skl2onnx's own converters compare and add in single precision, or take the first of two classes
for one minus the second: near a threshold that turns a label, and a small probability is lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, numpy_helper

from esteira.train.nodes import ML, Nodes

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_SUM, _NONE, _AT_MOST = 1, 0, 0
"""How ONNX numbers an aggregate function, a transformation, and the rule of a node."""


@dataclass(frozen=True)
class Tree:
    """One tree of n nodes: a row goes left where its feature is at most the threshold."""

    feature: Whole
    threshold: Doubles
    left: Whole
    right: Whole
    leaf: npt.NDArray[np.bool_]
    values: Doubles
    """[n, outputs]: what a leaf adds to each output."""


def grown(tree: Any, share: float) -> Tree:
    """A fitted decision tree; `share` is its weight among its like."""
    inner = tree.tree_
    leaf = inner.children_left == -1
    return Tree(
        feature=np.where(leaf, 0, inner.feature).astype(np.int64),
        threshold=np.where(leaf, 0.0, inner.threshold),
        left=np.where(leaf, 0, inner.children_left).astype(np.int64),
        right=np.where(leaf, 0, inner.children_right).astype(np.int64),
        leaf=leaf,
        values=inner.value[:, 0, :] * share,
    )


def boosted(predictor: Any, output: int, outputs: int) -> Tree:
    """One tree of histogram boosting, which adds to one of the outputs."""
    nodes = predictor.nodes
    values = np.zeros((len(nodes), outputs))
    values[:, output] = nodes["value"]
    return Tree(
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        leaf=nodes["is_leaf"].astype(bool),
        values=values,
    )


def add_trees(nodes: Nodes, columns: str, trees: Iterable[Tree], start: Doubles) -> str:
    """The sum of the trees' leaves and of `start` [outputs]: [N, outputs].

    Thresholds, leaves and sum are doubles; the sum of several outputs is rounded to single precision.
    """
    every = list(trees)
    double = nodes.add("Cast", [columns], to=TensorProto.DOUBLE)
    if len(start) > 1:
        return _of_many(nodes, double, every, start)
    total = _of_one(nodes, double, every)
    return nodes.add("Add", [total, nodes.constant(start[None, :])]) if start.any() else total


def _of_one(nodes: Nodes, columns: str, trees: list[Tree]) -> str:
    """float64 [N, 1] (ONNX, TreeEnsemble); its inner nodes and its leaves are numbered apart."""
    grown = [_with_a_node(tree) for tree in trees]
    starts = np.cumsum([0, *(len(tree.leaf) for tree in grown[:-1])])
    leaf = np.concatenate([tree.leaf for tree in grown])
    inner = ~leaf
    number = np.where(leaf, np.cumsum(leaf), np.cumsum(inner)) - 1
    left = np.concatenate([tree.left + start for tree, start in zip(grown, starts, strict=True)])[inner]
    right = np.concatenate([tree.right + start for tree, start in zip(grown, starts, strict=True)])[inner]
    return nodes.add(
        "TreeEnsemble",
        [columns],
        domain=ML,
        n_targets=1,
        aggregate_function=_SUM,
        post_transform=_NONE,
        tree_roots=number[starts].tolist(),
        nodes_featureids=np.concatenate([tree.feature for tree in grown])[inner].tolist(),
        nodes_splits=_tensor(np.concatenate([tree.threshold for tree in grown])[inner]),
        nodes_modes=numpy_helper.from_array(np.full(inner.sum(), _AT_MOST, np.uint8)),
        nodes_truenodeids=number[left].tolist(),
        nodes_trueleafs=leaf[left].astype(int).tolist(),
        nodes_falsenodeids=number[right].tolist(),
        nodes_falseleafs=leaf[right].astype(int).tolist(),
        leaf_targetids=np.zeros(leaf.sum(), int).tolist(),
        leaf_weights=_tensor(np.concatenate([tree.values[tree.leaf, 0] for tree in grown])),
    )


def _with_a_node(tree: Tree) -> Tree:
    """The tree, or where it is a single leaf, a node before it whose both ways lead there."""
    if len(tree.leaf) > 1:
        return tree
    zero, one = np.zeros(2, np.int64), np.ones(2, np.int64)
    return Tree(
        feature=zero,
        threshold=np.zeros(2),
        left=one,
        right=one,
        leaf=np.array([False, True]),
        values=np.repeat(tree.values, 2, axis=0),
    )


def _of_many(nodes: Nodes, columns: str, trees: list[Tree], start: Doubles) -> str:
    """float32 [N, outputs] (ONNX, TreeEnsembleRegressor)."""
    sizes = [len(tree.leaf) for tree in trees]
    leaf = np.concatenate([tree.leaf for tree in trees])
    values = np.concatenate([tree.values for tree in trees])
    ids = np.repeat(np.arange(len(trees)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    # A leaf needs one entry at least, also where it adds nothing.
    given = (values != 0) | (np.arange(values.shape[1]) == np.argmax(values != 0, axis=1)[:, None])
    rows, outputs = np.nonzero(given & leaf[:, None])
    return nodes.add(
        "TreeEnsembleRegressor",
        [columns],
        domain=ML,
        aggregate_function="SUM",
        n_targets=values.shape[1],
        base_values_as_tensor=_tensor(start),
        nodes_treeids=ids.tolist(),
        nodes_nodeids=places.tolist(),
        nodes_featureids=np.concatenate([tree.feature for tree in trees]).tolist(),
        nodes_values_as_tensor=_tensor(np.concatenate([tree.threshold for tree in trees])),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=np.concatenate([tree.left for tree in trees]).tolist(),
        nodes_falsenodeids=np.concatenate([tree.right for tree in trees]).tolist(),
        target_treeids=ids[rows].tolist(),
        target_nodeids=places[rows].tolist(),
        target_ids=outputs.tolist(),
        target_weights_as_tensor=_tensor(values[rows, outputs]),
    )


def _tensor(values: Doubles) -> Any:
    return numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float64))
