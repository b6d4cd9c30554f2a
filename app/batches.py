"""Answers batches of any of the media types, chunk by chunk."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from time import monotonic
from typing import IO, TYPE_CHECKING

import orjson
from starlette.requests import Request

from app import media
from app.answers import head_of, rows_of
from app.chunks import MOST_LISTED, Answered, answered
from app.faults import Fault
from app.jsonrows import JsonRows
from app.metrics import Metrics
from app.modelo import Modelo
from app.problems import Refusal

if TYPE_CHECKING:
    from arro3.core import RecordBatch

    from app.tables import Table

MOST_RECORDS = 100_000
LARGEST_JSON = 64_000_000
KEPT = 32_000_000
"""Bytes of answers that are kept while a table is gone through to know that all of it can be read."""
SOON = 2.0
"""Seconds for that: an answer is begun before a slow model has answered all rows."""
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large a CSV, a Parquet file or an Arrow stream may be."""

    rows: int = 5_000_000
    bytes: int = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for, its rows aside."""

    sent: media.Kind
    wanted: media.Kind
    strict: bool
    """Whether one bad row refuses the whole batch."""
    keep: bool
    """Whether the table that was sent comes back in the one that answers; JSON is never kept."""


def asked(request: Request) -> Asked:
    """What a request asks for; raises Refusal when it cannot be."""
    sent = media.sent(request.headers)
    wanted = media.wanted(request.headers, sent)
    strict, keep = (_truth(request, name) for name in ("strict", "keep"))
    return Asked(sent=sent, wanted=wanted, strict=strict, keep=keep and "json" not in (sent, wanted))


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An upload that can be answered."""

    rows: int
    answers: Callable[[], Iterable[Answered]]
    """All of its chunks' answers, as often as they are asked for."""
    table: Table | None = None


class Batches:
    """Answers the batches of one model."""

    def __init__(self, modelo: Modelo, metrics: Metrics, limits: Limits) -> None:
        self._modelo, self._metrics, self._limits = modelo, metrics, limits
        self._head = head_of(modelo.metadata)
        self._json_rows = JsonRows(modelo)

    def largest(self, kind: media.Kind) -> int:
        """How many bytes a body may have."""
        return LARGEST_JSON if kind == "json" else self._limits.bytes

    def answer(self, file: IO[bytes], asked: Asked) -> Generator[bytes, None, None]:
        """The answer in parts; raises Refusal before the first of them, and not after."""
        found = self._of_json(file) if asked.sent == "json" else self._of_table(file, asked)
        if not found.rows:
            raise _unusable("There are no rows; send at least one")
        if asked.strict:
            refuse_bad(found.rows, found.answers())
        if asked.wanted == "json":
            return self._as_json(self._counted(found.answers()))
        return self._as_table(found, asked)

    def example(self, records: bytes) -> bytes:
        """The answer to a list of records as the documentation shows it; counted nowhere."""
        return b"".join(self._as_json(self._of_json(io.BytesIO(records)).answers()))

    def _of_json(self, file: IO[bytes]) -> Opened:
        file.seek(0)
        answers = list(answered(self._json_rows.chunks(file.read(), MOST_RECORDS), self._modelo))
        return Opened(rows=sum(one.rows for one in answers), answers=lambda: answers)

    def _of_table(self, file: IO[bytes], asked: Asked) -> Opened:
        """A table that was gone through once; its first answers are kept: small tables are read once."""
        from app.tables import TableRows, opened

        table, rows = opened(file, asked.sent, self._limits), TableRows(self._modelo)
        rows.check(table, keep=asked.keep)

        def found(batches: Iterable[RecordBatch], start: int) -> Iterator[Answered]:
            chunks = (rows.chunk(batch, table, keep=asked.keep) for batch in batches)
            return answered(chunks, self._modelo, start)

        first, count, room = list[Answered](), 0, 0 if asked.keep else KEPT
        until = monotonic() + SOON
        for batch in table.batches():
            if room > 0:
                first += found([batch], count + 1)
                room = room - first[-1].size if monotonic() < until else 0
            count += batch.num_rows

        def answers() -> Iterator[Answered]:
            yield from first
            known = sum(one.rows for one in first)
            if known < count:
                yield from found(islice(table.batches(), len(first), None), known + 1)

        return Opened(rows=count, answers=answers, table=table)

    def _as_json(self, answers: Iterable[Answered]) -> Generator[bytes, None, None]:
        before, failed, errors = b'{%b,"predictions":[' % self._head, 0, list[Fault]()
        for found in answers:
            yield before
            yield rows_of(found, self._modelo)
            before = b","
            failed += len(found.bad)
            for faults in found.faults:
                errors += faults if len(errors) < MOST_LISTED else ()
        told = orjson.dumps([fault.model_dump(exclude_none=True) for fault in errors])
        yield b'],"failed":%d,"errors":%b}' % (failed, told)

    def _as_table(self, found: Opened, asked: Asked) -> Generator[bytes, None, None]:
        from app.tabular import Tabular, written

        tabular, table = Tabular(self._modelo.outputs), found.table
        kept = table.schema if asked.keep and table else None
        if kept is not None:
            tabular.check(kept, asked.wanted)
        schema = tabular.schema(kept)
        batches = (tabular.batch(one, schema, keep=asked.keep) for one in self._counted(found.answers()))
        return written(batches, schema, asked.wanted, table.delimiter if table else ",")

    def _counted(self, answers: Iterable[Answered]) -> Iterator[Answered]:
        for found in answers:
            self._metrics.predictions.inc(len(found.good))
            self._metrics.warnings.inc(found.warned)
            yield found


def refuse_bad(rows: int, found: Iterable[Answered]) -> None:
    """Raise Refusal, naming the first of them, if there are bad rows."""
    count, errors, numbers = 0, list[Fault](), list[str]()
    for one in found:
        count += len(one.bad)
        for faults in one.faults[: MOST_LISTED - len(numbers)]:
            errors += faults
            numbers.append(str(faults[0].row))
    if count:
        named = ", ".join(numbers) + (", …" if count > MOST_LISTED else "")
        detail = f"{count:,} of {rows:,} rows cannot be used (the first row is 1): {named}"
        raise _unusable(detail, errors)


def _truth(request: Request, name: str) -> bool:
    said = request.query_params.get(name, "false")
    if said not in _TRUTH:
        raise _unusable(f"{name} must be true or false, not {said[:60]!r}")
    return _TRUTH[said]


def _unusable(detail: str, errors: Sequence[Fault] = ()) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)
