"""Gives each row its side by a hash of its content, so that it keeps it in every later training."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from esteira.train.features import doubles

TRAIN: Final = 0
VALIDATION: Final = 1
HOLDOUT: Final = 2

_HOLDOUT_SHARE = 10
_VALIDATION_SHARE = 10
_NARROW = (pa.int8(), pa.int16())

Hashes = npt.NDArray[np.uint64]


def sides(rows: pd.DataFrame | pa.RecordBatch) -> npt.NDArray[np.uint8]:
    """TRAIN (80 %), VALIDATION (10 %) or HOLDOUT (10 %) for each row, from its content alone.

    Numbers are hashed as float64 and columns in the order of their names, so that neither a
    narrower type nor another order moves a row.
    """
    batch = (
        rows if isinstance(rows, pa.RecordBatch) else pa.RecordBatch.from_pandas(rows, preserve_index=False)
    )
    names = sorted(batch.schema.names)
    bucket = _combined([_hashes(batch[name]) for name in names]) % np.uint64(100)
    side = np.full(len(bucket), TRAIN, dtype=np.uint8)
    side[bucket < _HOLDOUT_SHARE + _VALIDATION_SHARE] = VALIDATION
    side[bucket < _HOLDOUT_SHARE] = HOLDOUT
    return side


def _hashes(column: pa.Array) -> Hashes:
    """The hash of each value; narrow whole numbers are looked up, which is ten times as fast."""
    if column.type in _NARROW and not column.null_count:
        values = column.to_numpy()
        found: Hashes = _hashes_of(values.dtype)[values.view(f"u{values.dtype.itemsize}")]
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        found = np.asarray(pd.util.hash_array(doubles(column)), dtype=np.uint64)
    else:
        hashed = pd.util.hash_pandas_object(column.to_pandas(), index=False)
        found = np.asarray(hashed, dtype=np.uint64)
    return found


@cache
def _hashes_of(narrow: np.dtype[np.signedinteger]) -> Hashes:
    """The hashes of all values of a narrow type, each at its bits read as an unsigned number."""
    every = np.arange(1 << (8 * narrow.itemsize), dtype=f"u{narrow.itemsize}").view(narrow)
    return np.asarray(pd.util.hash_array(every.astype(np.float64)), dtype=np.uint64)


def _combined(columns: list[Hashes]) -> Hashes:
    """One hash for each row, as Python up to 3.7 combined those of a tuple and pandas still does."""
    multiplier = 1_000_003
    row = np.full(len(columns[0]), 0x345678, dtype=np.uint64)
    for place, hashes in enumerate(columns):
        row ^= hashes
        row *= np.uint64(multiplier)
        multiplier += 82_520 + 2 * (len(columns) - place)
    return row + np.uint64(97_531)
