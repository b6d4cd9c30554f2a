"""What a model answers to some rows, alike from scikit-learn and from the ONNX graph."""

from dataclasses import dataclass, fields, replace
from typing import Self

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

    def of(self, rows: Whole) -> Self:
        """The answers to some of the rows [n], by their places."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(self, **{name: each[rows] for name, each in given.items() if each is not None})
