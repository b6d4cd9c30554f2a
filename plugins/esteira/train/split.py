"""Gives each row its side, by time or by a hash of its content: then it keeps it in every later training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.train import features
from esteira.train.features import Doubles, doubles

TRAIN: Final = 0
VALIDATION: Final = 1
HOLDOUT: Final = 2
LEFT_OUT: Final = 3
"""In no part: a class that the training part lacks cannot be judged."""

_VALIDATION_SHARE = 0.1
_BUCKETS = 100_000
_NARROW = (pa.int8(), pa.int16())
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp)

Hashes = npt.NDArray[np.uint64]
Sides = npt.NDArray[np.uint8]
Values = TypeVar("Values", Doubles, Sides)


class SplitError(EsteiraError):
    """The dataset cannot be split into parts that a model can be trained and judged on."""


@dataclass(frozen=True)
class Cuts:
    """From which value on a row is of the validation part and, further up, of the holdout."""

    validation: float
    holdout: float

    def sides(self, order: Doubles) -> Sides:
        """The side of each value; one that is missing (NaN) is of the training part."""
        side = np.full(len(order), TRAIN, dtype=np.uint8)
        side[order >= self.validation] = VALIDATION
        side[order >= self.holdout] = HOLDOUT
        return side


@dataclass(frozen=True)
class Split:
    """A dataset with the side of each of its rows; `cuts` are days, if it was split by time."""

    path: Path
    sides: Sides
    cuts: Cuts | None

    def batches(self, columns: list[str]) -> Iterator[tuple[pa.RecordBatch, Sides]]:
        """The dataset's rows in its order, with their sides."""
        at = 0
        for rows in features.batches(self.path, columns):
            yield rows, self.sides[at : at + rows.num_rows]
            at += rows.num_rows

    def size(self, side: int) -> int:
        return int(np.count_nonzero(self.sides == side))

    def without(self, rows: npt.NDArray[np.bool_]) -> "Split":
        """The same with some rows in no part."""
        return Split(self.path, np.where(rows, np.uint8(LEFT_OUT), self.sides), self.cuts)


def divide(case: Case, path: Path) -> Split:
    """Split a dataset by its content or, if the case names a time column, by that.

    By time the newest rows are held out; one moment never spans two parts, and rows without a time are of
    the training part. The validation part is 10 % of all rows, and empty when the case asks for folds.
    Raises SplitError when fewer rows, or moments, differ than there are parts.
    """
    holdout, validation = case.train.holdout, 0.0 if case.train.folds else _VALIDATION_SHARE
    if case.train.time is not None:
        moments = _read(path, [case.train.time], lambda rows: doubles(rows[0]))
        cuts = _cuts(moments, holdout, validation, f"{path} holds {{}} moments in {case.train.time!r}")
        return Split(path, cuts.sides(moments), cuts)
    columns, cuts = [*case.features, case.target], _content_cuts(holdout, validation)
    side = _read(path, columns, lambda rows: cuts.sides(-_buckets(rows)))
    if len(np.unique(side)) < (3 if validation else 2):
        order = -_read(path, columns, _buckets)
        side = _cuts(order, holdout, validation, f"{path} holds {{}} different rows").sides(order)
    return Split(path, side, None)


def sides(rows: pd.DataFrame | pa.RecordBatch, holdout: float = 0.1) -> Sides:
    """TRAIN, VALIDATION (10 %) or HOLDOUT for each row, from its content alone.

    Numbers are hashed as float64, dates as their days, and columns in the order of their names, so
    that neither a narrower type nor another order moves a row.
    """
    batch = (
        rows if isinstance(rows, pa.RecordBatch) else pa.RecordBatch.from_pandas(rows, preserve_index=False)
    )
    return _content_cuts(holdout, _VALIDATION_SHARE).sides(-_buckets(batch))


def _read(path: Path, columns: list[str], value: Callable[[pa.RecordBatch], Values]) -> Values:
    return np.concatenate([value(rows) for rows in features.batches(path, columns)])


def _content_cuts(holdout: float, validation: float) -> Cuts:
    """On buckets turned negative: the lowest ones are held out, the next ones validate."""
    held = round(holdout * _BUCKETS)
    return Cuts(validation=1 - held - round(validation * _BUCKETS), holdout=1 - held)


def _cuts(order: Doubles, holdout: float, validation: float, found: str) -> Cuts:
    """Cuts between different values, as near to the shares as they can be without an empty part."""
    values, rows = np.unique(order[~np.isnan(order)], return_counts=True)
    parts = 3 if validation else 2
    if len(values) < parts:
        raise SplitError(
            f"{found.format(len(values))}, too few for {parts} parts, one to train on and the rest to judge "
            f"by; a few hundred different ones are needed for a model worth having"
        )
    newest = np.cumsum(rows[::-1])
    held = tested = _nearest(newest[: 1 - parts], holdout * len(order))
    if validation:
        tested += _nearest(newest[held:-1] - newest[held - 1], validation * len(order))
    return Cuts(validation=float(values[-tested]), holdout=float(values[-held]))


def _nearest(rows: npt.NDArray[np.int64], wanted: float) -> int:
    """How many of the values, one at least, hold about so many rows."""
    return 1 + int(np.argmin(np.abs(rows - wanted)))


def _buckets(rows: pa.RecordBatch) -> Doubles:
    """A whole number below 100,000 for each row, from its content.

    Its thousands are the hash's last two digits, which alone decided when all shares were whole percents:
    no row of those moves.
    """
    row = _combined([rows[name] for name in sorted(rows.schema.names)])
    hundred, thousand = np.uint64(100), np.uint64(1000)
    return np.asarray(row % hundred * thousand + row // hundred % thousand, dtype=np.float64)


def _hashes(column: pa.Array) -> Hashes:
    """The hash of each value; narrow whole numbers are looked up, which is ten times as fast."""
    if column.type in _NARROW and not column.null_count:
        values = column.to_numpy()
        found: Hashes = _hashes_of(values.dtype)[values.view(f"u{values.dtype.itemsize}")]
    elif any(numeric(column.type) for numeric in _NUMERIC):
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


def _combined(columns: list[pa.Array]) -> Hashes:
    """One hash for each row, as Python up to 3.7 combined those of a tuple and pandas still does."""
    multiplier = 1_000_003
    row = np.full(len(columns[0]), 0x345678, dtype=np.uint64)
    for place, column in enumerate(columns):
        row ^= _hashes(column)
        row *= np.uint64(multiplier)
        multiplier += 82_520 + 2 * (len(columns) - place)
    return row + np.uint64(97_531)
