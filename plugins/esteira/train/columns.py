"""The columns of rows, by the graph that will be served: what is trained on is what is answered from."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
from sklearn.pipeline import Pipeline

from esteira.errors import EsteiraError
from esteira.train.features import Floats, Layout, Tensors, batch_tensors, tensors
from esteira.train.preprocessing import OUTPUT

_RUN_ROWS = 4_096  # what fits into a core's cache is computed in half the time
_TOLERANCE = 1e-6
"""How far the graph may be from scikit-learn, relative to the value where that is above one."""


class SkewError(EsteiraError):
    """The graph of the preprocessing gives other columns than scikit-learn."""


class Columns:
    """The opened graph of `preprocessing.export`."""

    def __init__(self, graph: bytes, shape: Layout) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # more would wait for the memory most of the time
        self._run = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._width: int = self._run.get_outputs()[0].shape[1]
        self._shape = shape

    def read(self, rows: pa.RecordBatch) -> Floats:
        """The columns of Arrow rows, float32 [N, p]."""
        columns = np.empty((rows.num_rows, self._width), dtype=np.float32)
        for start in range(0, rows.num_rows, _RUN_ROWS):
            run = rows.slice(start, _RUN_ROWS)
            columns[start : start + _RUN_ROWS] = self._answer(batch_tensors(run, self._shape))
        return columns

    def of(self, rows: pd.DataFrame) -> Floats:
        """The columns of rows as `features.frame` gives them, float32 [N, p]."""
        return self._answer(tensors(rows, self._shape))

    def _answer(self, feed: Tensors) -> Floats:
        columns: Floats = self._run.run([OUTPUT], feed)[0]
        return columns


def prove(given: Floats, fitted: Pipeline, rows: pd.DataFrame, names: Sequence[str]) -> None:
    """Raises SkewError when scikit-learn makes other columns of rows of `features.frame` than the graph.

    `given` are the graph's, `names` what they are called.
    """
    expected = fitted.transform(rows)
    apart = np.abs(given.astype(np.float64) - expected)
    apart /= np.maximum(np.abs(expected), 1)
    if not apart.max(initial=0.0) <= _TOLERANCE:
        worst = int(np.argmax(apart.max(axis=0)))
        raise SkewError(
            f"The preprocessing as an ONNX graph differs from scikit-learn by {apart[:, worst].max():.2g} "
            f"in {names[worst]!r}, at most {_TOLERANCE:g} is allowed; leave that column out of the case"
        )
