"""Writes the answers to a batch as a CSV, a Parquet file or an Arrow stream."""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Iterable, Sequence
from functools import lru_cache
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

import arro3.io
import numpy as np
import numpy.typing as npt
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema

from app import upload
from app.chunks import Answered
from app.media import TYPES, Kind
from app.outputs import Labels, Output
from app.problems import Refusal
from app.words import cut

TEXT = DataType.utf8()
ARROW = TYPES["arrow"]
BLOCK = 1 << 18
IN_MEMORY = 32_000_000
"""Bytes of a Parquet file that is written in memory; a larger one is in a temporary file."""
_END_OF_STREAM = 8
"""The length in bytes of what ends an Arrow stream."""


class Tabular:
    """How the answers of one model become a table."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        names = [title for output in outputs for title in output.titles]
        self.titles = [*names, "warnings", "error"]
        types = [_type(output) for output in outputs for _ in output.titles]
        self._fields = [Field(*each) for each in zip(self.titles, [*types, TEXT, TEXT], strict=True)]

    def check(self, kept: Schema, kind: Kind) -> None:
        """Raise Refusal when a column cannot be kept: it is called as one of the answer's, or has a type that
        no file of this kind holds.
        """
        if twice := [name for name in self.titles if name in kept.names]:
            raise _unkept(f"The table already has a column {', '.join(twice)}; rename it")
        for place in range(len(kept)):
            field = kept.field(place)
            if not _holds(kind, field):
                raise _unkept(
                    f"{cut(field.name)} is of a type that {TYPES[kind]} cannot hold; ask for {ARROW}"
                )

    def schema(self, kept: Schema | None) -> Schema:
        """The answer's columns, after those that are kept."""
        before = [] if kept is None else [kept.field(at) for at in range(len(kept))]
        return Schema([*before, *self._fields])

    def batch(self, found: Answered, schema: Schema, *, keep: bool) -> RecordBatch:
        """The answers to a chunk."""
        columns: list[Array] = list(found.sent.columns) if keep else []
        for at, output in enumerate(self._outputs):
            for place, title in enumerate(output.titles):
                kind = self._fields[self.titles.index(title)].type
                values = _values(output, found.outputs[at][:, place]) if len(found.good) else np.empty(0)
                columns.append(_spread(values, found, kind))
        warnings = {place: "; ".join(listed) for place, listed in found.warnings.items()}
        columns += [_texts(by_place, found.rows) for by_place in (warnings, found.bad)]
        return RecordBatch.from_arrays(columns, schema=schema)


def written(
    batches: Iterable[RecordBatch], schema: Schema, kind: Kind, delimiter: str
) -> Generator[bytes, None, None]:
    """A table in parts; of Parquet none comes before all batches are written."""
    if kind == "csv":
        return _csv(batches, delimiter)
    return _arrow(batches, schema) if kind == "arrow" else _parquet(batches, schema)


def _csv(batches: Iterable[RecordBatch], delimiter: str) -> Generator[bytes, None, None]:
    header = True
    for batch in batches:
        out = io.BytesIO()
        arro3.io.write_csv(batch, out, header=header, delimiter=delimiter)
        header = False
        yield out.getvalue()


def _arrow(batches: Iterable[RecordBatch], schema: Schema) -> Generator[bytes, None, None]:
    empty = _stream(schema, [])
    yield empty[:-_END_OF_STREAM]
    for batch in batches:
        yield _stream(schema, [batch])[len(empty) - _END_OF_STREAM : -_END_OF_STREAM]
    yield empty[-_END_OF_STREAM:]


def _stream(schema: Schema, batches: list[RecordBatch]) -> bytes:
    out = io.BytesIO()
    arro3.io.write_ipc_stream(RecordBatchReader.from_batches(schema, batches), out, compression=None)
    return out.getvalue()


def _parquet(batches: Iterable[RecordBatch], schema: Schema) -> Generator[bytes, None, None]:
    out = cast("IO[bytes]", SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - closed below
    try:
        _write_parquet(RecordBatchReader.from_batches(schema, batches), out)
        out.seek(0)
        while part := out.read(BLOCK):
            yield part
    finally:
        upload.close(out)


def _write_parquet(batches: RecordBatchReader, out: IO[bytes]) -> None:
    try:
        schema = batches.schema
        numbers = [
            name for name, kind in zip(schema.names, schema.types, strict=True) if DataType.is_floating(kind)
        ]
        arro3.io.write_parquet(
            batches,
            out,
            compression="snappy",
            max_row_group_size=BLOCK,
            column_dictionary_enabled=dict.fromkeys(numbers, False),  # answers hardly repeat
        )
    except BaseException as error:
        if "OSError" in str(error):  # the library's own exceptions and panics hold it as text
            raise upload.no_room("its answer does not fit") from None
        raise


def _unkept(detail: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{detail}, or leave out keep=true")


def _holds(kind: Kind, field: Field) -> bool:
    """Whether a file of this kind can have such a column."""
    if kind == "csv":
        return not DataType.is_nested(field.type)
    if kind == "arrow":
        return True
    try:
        arro3.io.write_parquet(RecordBatchReader.from_batches(Schema([field]), []), io.BytesIO())
    except BaseException:  # noqa: BLE001 - the library panics with an exception of its own
        return False
    return "Interval(" not in repr(field.type)  # which it first notices at a row


def _type(output: Output) -> DataType:
    if not isinstance(output, Labels):
        return DataType.float64()
    return TEXT if isinstance(json.loads(output.labels[0]), str) else DataType.int64()


def _values(output: Output, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if isinstance(output, Labels):
        labels: npt.NDArray[Any] = np.array([json.loads(label) for label in output.labels])
        return labels.take(values)
    return np.ascontiguousarray(values, np.float64)


def _spread(values: npt.NDArray[Any], found: Answered, kind: DataType) -> Array:
    """Values of the good rows in their places, with null in those of the bad."""
    if len(found.good) == found.rows and values.dtype.kind != "U":
        return Array.from_numpy(values)
    cells: list[Any] = [None] * found.rows
    for place, value in zip(found.good.tolist(), values.tolist(), strict=True):
        cells[place] = value
    return Array(cells, type=kind)


def _texts(by_place: dict[int, str], rows: int) -> Array:
    if not by_place:
        return _no_texts(rows)
    cells: list[str | None] = [None] * rows
    for place, text in by_place.items():
        cells[place] = text
    return Array(cells, type=TEXT)


@lru_cache(2)
def _no_texts(rows: int) -> Array:
    return Array([None] * rows, type=TEXT)
