"""Gives each row its side by a hash of its content, so that it keeps it in every later training."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

TRAIN: Final = 0
VALIDATION: Final = 1
HOLDOUT: Final = 2

_HOLDOUT_SHARE = 10
_VALIDATION_SHARE = 10


def sides(rows: pd.DataFrame) -> npt.NDArray[np.uint8]:
    """TRAIN (80 %), VALIDATION (10 %) or HOLDOUT (10 %) for each row, from its content alone.

    Numbers are hashed as float64 and columns in the order of their names, so that neither a
    narrower type nor another order moves a row.
    """
    canonical = rows[sorted(rows.columns)]
    canonical = canonical.astype(
        {name: "float64" for name in canonical.columns if pd.api.types.is_numeric_dtype(canonical[name])}
    )
    bucket = pd.util.hash_pandas_object(canonical, index=False).to_numpy() % np.uint64(100)
    side = np.full(len(rows), TRAIN, dtype=np.uint8)
    side[bucket < _HOLDOUT_SHARE + _VALIDATION_SHARE] = VALIDATION
    side[bucket < _HOLDOUT_SHARE] = HOLDOUT
    return side
