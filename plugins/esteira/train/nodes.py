"""Builds an ONNX graph node by node; what is there already is not added twice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

ML = "ai.onnx.ml"
OPSET: Mapping[str, int] = {"": 21, ML: 5}
_EARLIER = {"TreeEnsembleRegressor": 3}
"""The last version of ML's operator set that has an operator which later ones have not."""
_IR_VERSION = 10
"""Of the file format: the one that came with opset 21."""

Array = npt.NDArray[np.generic]


class Nodes:
    """A graph that grows: each value in it has a name, and equal nodes share theirs.

    So a model that is in an ensemble and also answers for itself is in the graph once.
    """

    def __init__(self) -> None:
        self._graph = GraphProto(name="esteira")
        self._known: dict[bytes, list[str]] = {}
        self._names = 0

    def input(self, value: ValueInfoProto) -> str:
        """An input of the graph, by its own name."""
        if value.name not in [one.name for one in self._graph.input]:
            self._graph.input.append(value)
        return str(value.name)

    def constant(self, array: Array) -> str:
        """A value that is the same for all rows."""
        return self._initializer(numpy_helper.from_array(np.asarray(array, order="C")))

    def add(self, operation: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """One node with one output, whose name it gives."""
        node = helper.make_node(operation, inputs, ["_"], domain=domain, **attributes)
        return self._node(node)[0]

    def append(self, model: ModelProto, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """Another graph's nodes, fed with the values `given` by the names of its inputs.

        Gives the name here of each of its outputs; an input that is not given becomes one of this graph.
        """
        names = {"": "", **(given or {})}
        for value in model.graph.input:
            if value.name not in names:
                names[value.name] = self.input(value)
        for tensor in model.graph.initializer:
            names[tensor.name] = self._initializer(tensor)
        for theirs in model.graph.node:
            node = NodeProto()
            node.CopyFrom(theirs)
            node.input[:] = [names[name] for name in theirs.input]
            names.update(zip(theirs.output, self._node(node), strict=True))
            names[""] = ""  # an output that is left out
        return {value.name: names[value.name] for value in model.graph.output}

    def output(self, name: str, value: str, element: int, width: int) -> None:
        """Make a value an output [N, width] of the graph, of an ONNX element type."""
        self._graph.node.append(helper.make_node("Identity", [value], [name]))
        self._graph.output.append(helper.make_tensor_value_info(name, element, [None, width]))

    def serialized(self) -> bytes:
        """The graph as an ONNX file; raises what onnx.checker raises when it is not one."""
        machine_learning = min(_EARLIER.get(node.op_type, OPSET[ML]) for node in self._graph.node)
        opsets = [helper.make_opsetid("", OPSET[""]), helper.make_opsetid(ML, machine_learning)]
        model = helper.make_model(
            self._graph, opset_imports=opsets, producer_name="esteira", ir_version=_IR_VERSION
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _initializer(self, tensor: onnx.TensorProto) -> str:
        plain = onnx.TensorProto()
        plain.CopyFrom(tensor)
        plain.name = ""
        key = plain.SerializeToString(deterministic=True)
        if key not in self._known:
            plain.name = self._name()
            self._graph.initializer.append(plain)
            self._known[key] = [plain.name]
        return self._known[key][0]

    def _node(self, node: NodeProto) -> list[str]:
        outputs = len(node.output)
        node.name = ""
        node.output[:] = ["_"] * outputs
        key = node.SerializeToString(deterministic=True)
        if key not in self._known:
            node.output[:] = [self._name() for _ in range(outputs)]
            self._graph.node.append(node)
            self._known[key] = list(node.output)
        return self._known[key]

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"
