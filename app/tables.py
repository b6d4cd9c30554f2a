"""Reads a batch from a CSV, a Parquet file or an Arrow stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, TypeVar

import arro3.io
from arro3.core import DataType, Field, RecordBatch, Schema

from app import cells, upload
from app.apart import Decoding
from app.chunks import Chunk
from app.jsonrows import too_many
from app.judges import judge_of
from app.media import TYPES, Kind
from app.modelo import Modelo
from app.problems import Refusal
from app.titles import Titles
from app.words import cut

if TYPE_CHECKING:
    from app.batches import Limits

CHUNK = 16_384
DELIMITERS = ",;\t"
_LONGEST_HEADER = 1_000_000

Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Table:
    """An upload whose columns are known."""

    kind: Kind
    names: list[str]
    schema: Schema
    types: Sequence[DataType]
    """Empty for a CSV, where all is text."""
    delimiter: str
    most: Limits
    read: Callable[[], Iterator[RecordBatch]]

    def batches(self) -> Iterator[RecordBatch]:
        """All of it, the same batches each time; raises Refusal when it is broken or more than it may be."""
        rows, size, reading = 0, 0, self.read()
        while (batch := _readable(self.kind, lambda: next(reading, None))) is not None:
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows > self.most.rows:
                raise too_many(self.most.rows)
            if self.types and size > self.most.bytes:
                raise _too_large(self.most.bytes)
            yield batch


def opened(file: IO[bytes], kind: Kind, most: Limits) -> Table:
    """An upload as a table, as large as `most` allows; raises Refusal when it cannot be read as such."""
    return _readable(kind, lambda: _csv(file, most) if kind == "csv" else _decoded(file, kind, most))


def _readable(kind: Kind, does: Callable[[], Read]) -> Read:
    """What it gives; what the library raises becomes a Refusal."""
    try:
        return does()
    except Refusal:
        raise
    except OSError as error:
        raise upload.no_room(error.strerror or str(error)) from None
    except BaseException as error:  # noqa: BLE001 - the library panics with an exception of its own
        raise _unreadable(kind, str(error)) from None


class TableRows:
    """Reads tables for one model."""

    def __init__(self, modelo: Modelo) -> None:
        self._titles = Titles(modelo)
        self._judges = [judge_of(column) for column in modelo.columns.values()]

    def check(self, table: Table, *, keep: bool) -> None:
        """Raise Refusal where columns are missing, twice there, of a wrong type, or unknown and not kept."""
        name, times = Counter(table.names).most_common(1)[0]
        if times > 1:
            raise _unusable(f"The table has more than one column {cut(name)!r}; keep one")
        self._titles.check([name for name in table.names if not keep or self._titles.known(name)])
        if table.types:
            types = self._titles.ordered(dict(zip(table.names, table.types, strict=True)))
            for name, kind, judge in zip(self._titles.names, types, self._judges, strict=True):
                if kind is not None:
                    cells.check_type(name, kind, judge)

    def chunk(self, part: RecordBatch, table: Table, *, keep: bool = False) -> Chunk:
        """Some rows of the table, with the batch itself where it is to be kept."""
        columns = self._titles.ordered(dict(zip(table.names, part.columns, strict=True)))
        if table.types:
            columns = [None if column is None else cells.in_time(column) for column in columns]
            judged, value = cells.judged_typed, cells.value_of_typed
        else:
            judged, value = cells.judged_text, cells.value_of_text
        known = list(zip(self._titles.names, columns, self._judges, strict=True))

        def record(place: int) -> dict[str, Any]:
            return {name: value(column, place, judge) for name, column, judge in known if column is not None}

        each = [
            judge.absent(part.num_rows) if column is None else judged(column, judge)
            for _, column, judge in known
        ]
        return Chunk(rows=part.num_rows, columns=each, record=record, sent=part if keep else None)


def _csv(file: IO[bytes], most: Limits) -> Table:
    file.seek(0)
    first = file.readline(_LONGEST_HEADER).decode()
    delimiter = _delimiter(first)
    file.seek(0)
    found = arro3.io.infer_csv_schema(file, has_header=True, max_records=0, delimiter=delimiter)
    names = [name.removeprefix("\ufeff").strip() for name in found.names]
    if not any(names):
        raise _unusable("The table is empty; its first row must name the columns")
    schema = Schema([Field(name, DataType.utf8()) for name in names])

    def read() -> Iterator[RecordBatch]:
        file.seek(0)
        return iter(arro3.io.read_csv(file, schema, has_header=True, batch_size=CHUNK, delimiter=delimiter))

    return Table(kind="csv", names=names, schema=schema, types=(), delimiter=delimiter, most=most, read=read)


def _delimiter(header: str) -> str:
    """The one that a header has most of outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _decoded(file: IO[bytes], kind: Kind, most: Limits) -> Table:
    """A table that a process apart decodes, again for each time that it is gone through."""
    begun = [Decoding(file, kind, CHUNK)]
    schema = begun[0].schema

    def read() -> Iterator[RecordBatch]:
        run = begun.pop() if begun else Decoding(file, kind, CHUNK)
        try:
            yield from run.batches()
        finally:
            run.close()

    return Table(
        kind=kind,
        names=schema.names,
        schema=schema,
        types=schema.types,
        delimiter=",",
        most=most,
        read=read,
    )


def _unreadable(kind: Kind, said: str) -> Refusal:
    reason = said.removeprefix("C Data interface error: ")[:300]
    return Refusal(HTTPStatus.BAD_REQUEST, f"The body cannot be read as {TYPES[kind]}: {reason}")


def _too_large(limit: int) -> Refusal:
    detail = f"The table takes more than {limit:,} bytes uncompressed, the limit; send fewer rows at once"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _unusable(detail: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
