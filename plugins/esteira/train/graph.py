"""Preprocessing and model as one ONNX graph, and the proof that it answers as scikit-learn does."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import ModelProto, TensorProto, helper
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxConcat, OnnxGather, OnnxIsNaN, OnnxWhere
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from skl2onnx.sklapi import CastTransformer
from sklearn.base import RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from esteira.errors import EsteiraError
from esteira.train.features import Doubles, Layout

_OPSET = {"": 21, "ai.onnx.ml": 3}
OUTPUT = "prediction"


class ParityError(EsteiraError):
    """The exported graph answers differently from the model it was made of."""


def export(scaler: Pipeline, model: RegressorMixin, shape: Layout) -> bytes:
    """The graph from raw features to `prediction` [N, 1], as serialized ONNX.

    A linear model calculates in double precision, as scikit-learn does.
    """
    inputs = []
    if shape.numbers:
        inputs.append(("numbers", DoubleTensorType([None, len(shape.numbers)])))
    if shape.texts:
        inputs.append(("texts", StringTensorType([None, len(shape.texts)])))
    inner = model.regressor_.estimator if isinstance(model, TransformedTargetRegressor) else model
    double = [("double", CastTransformer(dtype=np.float64))] if hasattr(inner, "coef_") else []
    single = ("float32", CastTransformer(dtype=np.float32))  # the scaler's last step, in words of ONNX
    pipeline = Pipeline([*scaler.steps[:-1], single, *double, ("model", inner)])
    graph = to_onnx(pipeline, initial_types=inputs, target_opset=_OPSET)
    _finish(graph, "Identity" if inner is model else "Exp")
    return bytes(graph.SerializeToString())


def session(graph: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def predict(run: onnxruntime.InferenceSession, feed: dict[str, npt.NDArray[np.generic]]) -> Doubles:
    """The graph's answers, float64 [N]."""
    return np.asarray(run.run([OUTPUT], feed)[0], dtype=np.float64).ravel()


def parity(answers: Doubles, expected: Doubles, scale: float) -> float:
    """The largest difference, relative to the answer's size or to `scale`, whichever is larger."""
    return float(np.max(np.abs(answers - expected) / np.maximum(np.abs(expected), scale), initial=0.0))


def _finish(model: ModelProto, operation: str) -> None:
    """End the graph with `operation` (the inverse of the target's transformation), named `prediction`."""
    (last,) = model.graph.output
    model.graph.node.append(helper.make_node(operation, [last.name], [OUTPUT], name="target"))
    element = last.type.tensor_type.elem_type
    model.graph.output.pop()
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, element, [None, 1]))


def _imputer_shape(operator: Any) -> None:
    imputer: SimpleImputer = operator.raw_operator
    given = operator.inputs[0].type
    columns = len(imputer.statistics_) + len(imputer.indicator_.features_)
    operator.outputs[0].type = type(given)([operator.inputs[0].get_first_dimension(), columns])


def _imputer_nodes(scope: Any, operator: Any, container: Any) -> None:
    imputer: SimpleImputer = operator.raw_operator
    values, version = operator.inputs[0], operator.target_opset
    missing = OnnxIsNaN(values, op_version=version)
    filled = OnnxWhere(missing, imputer.statistics_.astype(np.float64)[None, :], values, op_version=version)
    which = imputer.indicator_.features_.astype(np.int64)
    flags = OnnxCast(
        OnnxGather(missing, which, axis=1, op_version=version), to=TensorProto.DOUBLE, op_version=version
    )
    both = OnnxConcat(filled, flags, axis=1, op_version=version, output_names=operator.outputs)
    both.add_to(scope, container)


# skl2onnx's own converter knows neither the indicator nor double precision.
update_registered_converter(SimpleImputer, "EsteiraImputer", _imputer_shape, _imputer_nodes, overwrite=True)
