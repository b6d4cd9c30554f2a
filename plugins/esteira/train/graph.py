"""Whole ONNX graphs, from raw features to answers, and how one is asked and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from esteira.errors import EsteiraError
from esteira.train.answers import Answers
from esteira.train.final import FinalClassifier, FinalRegressor, joined
from esteira.train.fitted import Fitted
from esteira.train.nodes import Nodes
from esteira.train.prepared import Prepared

_BATCH_ROWS = 1_024
"""Asked at once: a support vector machine holds rows × vectors doubles."""


class ParityError(EsteiraError):
    """The exported graph answers differently from the model it was made of."""


def whole(prepared: Prepared, fitted: Fitted) -> bytes:
    """A candidate's graph behind the preprocessing: from raw features to what its own graph answers."""
    nodes = Nodes()
    columns = _preprocessing(nodes, prepared)
    model = onnx.load(fitted.graph)
    given = nodes.append(model, {"columns": columns})
    for output in model.graph.output:
        kind = output.type.tensor_type
        nodes.output(output.name, given[output.name], kind.elem_type, kind.shape.dim[1].dim_value)
    return nodes.serialized()


def assemble(
    prepared: Prepared, final: FinalRegressor | FinalClassifier, winner: Path, compared: Sequence[Path]
) -> bytes:
    """A version's graph: preprocessing, the winner's graph, those of the compared, and the final answers."""
    nodes = Nodes()
    columns = _preprocessing(nodes, prepared)
    answer, *others = (_answer(nodes, path, columns) for path in (winner, *compared))
    final.add(nodes, answer, others)
    return nodes.serialized()


def session(graph: bytes) -> onnxruntime.InferenceSession:
    """A graph that can be asked, on the CPU."""
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, feed: dict[str, npt.NDArray[np.generic]]) -> Answers:
    """What a version's graph answers to N rows of `numbers` and `texts`, asked in batches."""
    names = [output.name for output in session.get_outputs()]
    rows = len(next(iter(feed.values())))
    parts = []
    for start in range(0, max(rows, 1), _BATCH_ROWS):
        batch = {name: tensor[start : start + _BATCH_ROWS] for name, tensor in feed.items()}
        parts.append(_answers(dict(zip(names, session.run(names, batch), strict=True))))
    return joined(parts)


def parity(answers: Answers, expected: Answers, scale: float) -> float:
    """The largest difference, relative to the expected value's size or to `scale`, whichever is larger.

    Probabilities are compared as they are; a class that is another one is infinitely different, and so
    are answers of another shape or kind.
    """
    pairs = [
        (answers.prediction, expected.prediction, scale),
        (answers.probabilities, expected.probabilities, 1.0),
        (answers.interval, expected.interval, scale),
        (answers.models, expected.models, scale),
    ]
    return max(_difference(*pair) for pair in pairs)


def _difference(
    given: npt.NDArray[np.generic] | None, expected: npt.NDArray[np.generic] | None, scale: float
) -> float:
    if given is None or expected is None:
        return 0.0 if given is expected else np.inf
    if given.dtype != expected.dtype or given.shape != expected.shape:
        return np.inf
    if np.issubdtype(expected.dtype, np.integer):
        return 0.0 if np.array_equal(given, expected) else np.inf
    wanted = expected.astype(np.float64)
    off = np.abs(given.astype(np.float64) - wanted) / np.maximum(np.abs(wanted), scale)
    return float(np.max(off, initial=0.0)) if np.isfinite(off).all() else np.inf


def _preprocessing(nodes: Nodes, prepared: Prepared) -> str:
    return nodes.append(onnx.load(prepared.preprocessing))["columns"]


def _answer(nodes: Nodes, path: Path, columns: str) -> str:
    (only,) = nodes.append(onnx.load(path), {"columns": columns}).values()
    return only


def _answers(given: dict[str, npt.NDArray[Any]]) -> Answers:
    """Of one batch; classes are int64, all other numbers become float64.

    A candidate's graph may give probabilities alone: then the likeliest class is its answer.
    """

    def wide(name: str) -> Any:
        values = given.get(name)
        return values if values is None or values.dtype == np.int64 else values.astype(np.float64)

    probabilities = wide("probabilities")
    return Answers(
        prediction=wide("prediction").ravel() if "prediction" in given else probabilities.argmax(axis=1),
        probabilities=probabilities,
        interval=wide("interval"),
        models=wide("models"),
    )
