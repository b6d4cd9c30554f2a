"""How much of the difference between two models on the same rows is chance."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

_GROUPS = 30
_SEED = 0


def standard_error(difference: Callable[[Rows], float], rows: int) -> float:
    """The standard error of a figure of `rows` rows, which `difference` gives of any of them.

    Both models must answer the same rows in it: what is hard for both is then no difference. The rows are
    dealt into groups, and each group is left out once, which suits any smooth metric (P. S. Kott, The
    delete-a-group jackknife, Journal of Official Statistics 17, 2001). Of a single row it is infinite.
    """
    groups = min(_GROUPS, rows)
    if groups < 2:
        return float("inf")
    group = np.random.default_rng(_SEED).permutation(rows) % groups
    without = np.array([difference(np.flatnonzero(group != one)) for one in range(groups)])
    return sqrt((groups - 1) / groups * float(np.sum((without - without.mean()) ** 2)))
