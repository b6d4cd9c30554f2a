"""Values of an ONNX graph that numpy calculates with: each operation becomes a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from esteira.train.nodes import Array, Nodes

_OPERATIONS: Mapping[np.ufunc, str] = {
    np.add: "Add",
    np.subtract: "Sub",
    np.multiply: "Mul",
    np.divide: "Div",
    np.floor: "Floor",
    np.sin: "Sin",
    np.cos: "Cos",
}


class Value(NDArrayOperatorsMixin):
    """A value of a graph, by its name there; numbers that it meets become constants in double precision."""

    def __init__(self, nodes: Nodes, name: str) -> None:
        self.nodes = nodes
        self.name = name

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if function not in _OPERATIONS or method != "__call__" or options:
            return NotImplemented
        return self.then(_OPERATIONS[function], *inputs)

    def then(
        self, operation: str, *inputs: Value | Array | float, domain: str = "", **attributes: Any
    ) -> Value:
        """The outcome of a node with these inputs."""
        names = [one.name if isinstance(one, Value) else self._constant(one) for one in inputs]
        return Value(self.nodes, self.nodes.add(operation, names, domain, **attributes))

    def _constant(self, number: Array | float) -> str:
        return self.nodes.constant(number if isinstance(number, np.ndarray) else np.array(number, np.float64))
