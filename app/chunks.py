"""Checks the rows of a batch many at a time; only those in doubt are validated one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from app.faults import Fault, faults
from app.judges import Judged, Mask
from app.modelo import Modelo, values_of

MOST_LISTED = 20
"""Of a row's faults, and of the rows whose faults are listed."""
MOST_TOLD = 5
"""Of a row's faults in the sentences that stand in its place."""
_PLACES = np.arange(1 << 14)
_SENTENCE = 500
"""Bytes that a warning or a fault takes."""
NOT_FINITE = "values nearer to those in GET /model"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows of a batch, column by column in the model's order."""

    rows: int
    columns: Sequence[Judged]
    record: Callable[[int], object]
    """What was sent as the row in that place (the first is 0), as JSON would have it."""
    doubtful: Mask | None = None
    """Rows that may be wrong in other ways than by a column's value."""
    sent: Any = None
    """The rows as they were sent, where an answer is to carry them."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answers to a chunk; places count its rows from 0."""

    rows: int
    good: npt.NDArray[np.intp]
    """The places of the rows that could be answered, in order."""
    outputs: Sequence[npt.NDArray[Any]]
    """The graph's outputs for those."""
    warnings: dict[int, list[str]]
    bad: dict[int, str]
    """What is wrong with each of the other rows, in sentences."""
    faults: Sequence[Sequence[Fault]]
    """Of the first of them, field by field."""
    sent: Any = None

    @property
    def warned(self) -> int:
        return sum(map(len, self.warnings.values()))

    @property
    def size(self) -> int:
        """About how many bytes it takes, but for what was sent."""
        sentences = len(self.bad) + self.warned
        return sum(output.nbytes for output in self.outputs) + sentences * _SENTENCE


def answered(chunks: Iterable[Chunk], modelo: Modelo, start: int = 1) -> Iterator[Answered]:
    """The answers to a batch's chunks, of which the first begins with row `start`."""
    for chunk in chunks:
        yield _answered(chunk, start, modelo)
        start += chunk.rows


def _answered(chunk: Chunk, start: int, modelo: Modelo) -> Answered:
    columns, sure, found = _checked(chunk, start, modelo)
    good = _every(chunk.rows) if sure.all() else np.flatnonzero(sure)
    if len(good) < chunk.rows:
        columns = [values[good] for values in columns]
    outputs = modelo.outputs_of_columns(columns) if len(good) else []
    finite = _finite(outputs)
    if not finite.all():
        for place in good[~finite].tolist():
            found.add(place, [_not_finite(start + place)], 1)
        good, columns, outputs = good[finite], [c[finite] for c in columns], [o[finite] for o in outputs]
    warnings = modelo.warnings_of_columns(columns) if len(good) else {}
    if len(good) < chunk.rows:
        warnings = {int(good[place]): listed for place, listed in warnings.items()}
    return Answered(
        rows=chunk.rows, good=good, outputs=outputs, warnings=warnings, bad=dict(sorted(found.told.items())),
        faults=[found.listed[place] for place in sorted(found.listed)], sent=chunk.sent,
    )  # fmt: skip


class _Found:
    """What is wrong with a chunk's rows: field by field only of the first, as there may be many."""

    def __init__(self) -> None:
        self.told: dict[int, str] = {}
        self.listed: dict[int, list[Fault]] = {}

    @property
    def wanted(self) -> int:
        """How many faults of the next row."""
        return MOST_LISTED if len(self.listed) < MOST_LISTED else MOST_TOLD

    def add(self, place: int, faults: list[Fault], count: int) -> None:
        """A bad row with those of its `count` faults that were wanted."""
        if len(self.listed) < MOST_LISTED:
            self.listed[place] = faults
        told = " ".join(fault.message for fault in faults[:MOST_TOLD])
        self.told[place] = told if count <= MOST_TOLD else f"{told} And {count - MOST_TOLD:,} more."


def _every(rows: int) -> npt.NDArray[np.intp]:
    """The places of all rows of a chunk; chunks of the usual lengths share these."""
    return _PLACES[:rows] if rows <= len(_PLACES) else np.arange(rows)


def _checked(chunk: Chunk, start: int, modelo: Modelo) -> tuple[list[npt.NDArray[Any]], Mask, _Found]:
    """The columns' values, which rows of them can be used, and what is wrong with the others."""
    columns = [judged.values for judged in chunk.columns]
    sure = np.logical_and.reduce([judged.sure for judged in chunk.columns])
    if chunk.doubtful is not None:
        sure &= ~chunk.doubtful
    doubtful, found = np.flatnonzero(~sure).tolist(), _Found()
    if not doubtful:
        return columns, sure, found
    columns = [values.copy() for values in columns]
    for place in doubtful:
        try:
            record = modelo.one.validate_python(chunk.record(place))
        except ValidationError as error:
            wrong = faults(error, modelo.columns, start + place, found.wanted)
            found.add(place, wrong, error.error_count())
        else:
            sure[place] = True
            for values, value in zip(columns, values_of(record), strict=True):
                values[place] = _missing(values) if value is None else value
    return columns, sure, found


def _missing(values: npt.NDArray[Any]) -> float | str:
    return "" if values.dtype == object else np.nan


def _finite(outputs: Sequence[npt.NDArray[Any]]) -> Mask:
    finite = np.ones(len(outputs[0]) if outputs else 0, np.bool_)
    for output in outputs:
        if output.dtype.kind == "f" and not (known := np.isfinite(output)).all():
            finite &= known.all(axis=1)
    return finite


def _not_finite(row: int) -> Fault:
    message = f"The model's answer to this record is not a finite number; send {NOT_FINITE}."
    return Fault(row=row, field="", sent="a record", allowed=NOT_FINITE, message=message)
