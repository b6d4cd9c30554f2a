"""Trees of scikit-learn as one ONNX node that adds up their leaves in double precision.

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
    """The sum of the trees' leaves and of `start` [outputs]: float32 [N, outputs].

    Thresholds, leaves and sum are doubles; only the sum is rounded (ONNX, TreeEnsembleRegressor).
    """
    every = list(trees)
    sizes = [len(tree.leaf) for tree in every]
    leaf = np.concatenate([tree.leaf for tree in every])
    values = np.concatenate([tree.values for tree in every])
    ids = np.repeat(np.arange(len(every)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    # A leaf needs one entry at least, also where it adds nothing.
    given = (values != 0) | (np.arange(values.shape[1]) == np.argmax(values != 0, axis=1)[:, None])
    rows, outputs = np.nonzero(given & leaf[:, None])
    return nodes.add(
        "TreeEnsembleRegressor",
        [nodes.add("Cast", [columns], to=TensorProto.DOUBLE)],
        domain=ML,
        aggregate_function="SUM",
        n_targets=values.shape[1],
        base_values_as_tensor=_tensor(start),
        nodes_treeids=ids.tolist(),
        nodes_nodeids=places.tolist(),
        nodes_featureids=np.concatenate([tree.feature for tree in every]).tolist(),
        nodes_values_as_tensor=_tensor(np.concatenate([tree.threshold for tree in every])),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=np.concatenate([tree.left for tree in every]).tolist(),
        nodes_falsenodeids=np.concatenate([tree.right for tree in every]).tolist(),
        target_treeids=ids[rows].tolist(),
        target_nodeids=places[rows].tolist(),
        target_ids=outputs.tolist(),
        target_weights_as_tensor=_tensor(values[rows, outputs]),
    )


def _tensor(values: Doubles) -> Any:
    return numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float64))
