"""What a model answers to some rows, alike from scikit-learn and from the ONNX graph."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers to N rows."""

    prediction: Doubles | Whole
    """[N]: numbers in the target's unit (float64), or the places of classes (int64)."""
    probabilities: Doubles | None = None
    """[N, K]: of each class, for a classification."""
    interval: Doubles | None = None
    """[N, 2]: the ends of the prediction interval, for a regression."""
    models: Doubles | Whole | None = None
    """[N, M]: as `prediction`, of each candidate that is compared."""
