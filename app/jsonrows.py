"""Reads a batch from JSON: a list of records, or an object that has a list for each column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any

import numpy as np

from app import pieces
from app.chunks import Chunk
from app.judges import Judged, Mask, judge_of
from app.modelo import Modelo
from app.problems import Refusal
from app.titles import Titles
from app.words import cut

CHUNK = 16_384


class JsonRows:
    """Reads bodies for one model; raises Refusal where one is not what it should be."""

    def __init__(self, modelo: Modelo) -> None:
        self._titles = Titles(modelo)
        self._judges = [judge_of(column) for column in modelo.columns.values()]

    def chunks(self, content: bytes, most: int) -> Iterator[Chunk]:
        """The rows in chunks; more than `most` are refused."""
        parsed = pieces.parsed(content)
        first = next(parsed)
        if isinstance(first, dict):
            truths = b"true" in content or b"false" in content
            yield from self._of_columns(first, parsed, most, truths=truths)
        else:
            yield from self._of_lists(chain((first,), parsed), most)

    def of(self, sent: Sequence[Any] | Mapping[str, Any], most: int) -> Iterator[Chunk]:
        """The same of what has been parsed already."""
        if isinstance(sent, Mapping):
            yield from self._of_columns(dict(sent), (), most)
        else:
            yield from self._of_lists([sent], most)

    def _of_lists(self, lists: Iterable[Any], most: int) -> Iterator[Chunk]:
        rows, waiting = 0, list[Any]()
        for records in lists:
            rows += len(records)
            if rows > most:
                raise too_many(most)
            waiting += records
            whole = len(waiting) - len(waiting) % CHUNK
            for start in range(0, whole, CHUNK):
                yield self._of_records(waiting[start : start + CHUNK])
            del waiting[:whole]
        if waiting:
            yield self._of_records(waiting)

    def _of_records(self, records: list[Any]) -> Chunk:
        columns, doubtful = self._same_fields(records), None
        if columns is None:
            columns, doubtful = self._any_fields(records)
        judged = self._judged(columns, len(records))
        return Chunk(rows=len(records), columns=judged, record=records.__getitem__, doubtful=doubtful)

    def _judged(
        self, columns: Sequence[Sequence[Any] | None], rows: int, *, truths: bool = True
    ) -> list[Judged]:
        return [
            judge.absent(rows) if cells is None else judge.of_objects(cells, truths=truths)
            for judge, cells in zip(self._judges, columns, strict=True)
        ]

    def _same_fields(self, records: list[Any]) -> list[Sequence[Any] | None] | None:
        """The cells of each column, if all records have the same good fields."""
        first = records[0]
        if set(map(type, records)) != {dict} or set(map(len, records)) != {len(first)}:
            return None
        if not self._titles.fit(first):
            return None
        try:
            cells = {name: [record[name] for record in records] for name in first}
        except KeyError:
            return None
        return self._titles.ordered(cells)

    def _any_fields(self, records: list[Any]) -> tuple[list[Sequence[Any] | None], Mask]:
        """The same of any records, and which of them have other fields than the model's."""
        fit = [type(record) is dict and self._titles.fit(record) for record in records]
        rows = [
            self._titles.ordered(record if fits else {}) for record, fits in zip(records, fit, strict=True)
        ]
        return list(zip(*rows, strict=True)), ~np.array(fit)

    def _of_columns(
        self, sent: dict[str, Any], more: Iterable[Any], most: int, *, truths: bool = True
    ) -> Iterator[Chunk]:
        for part in more:
            sent |= part
        if not sent:
            raise pieces.no_batch()
        self._titles.check(sent)
        rows = _length(sent)
        if rows > most:
            raise too_many(most)
        for start in range(0, rows, CHUNK):
            cells = {name: column[start : start + CHUNK] for name, column in sent.items()}
            yield self._of_cells(cells, min(CHUNK, rows - start), truths)

    def _of_cells(self, cells: dict[str, list[Any]], rows: int, truths: bool) -> Chunk:
        def record(place: int) -> dict[str, Any]:
            return {name: column[place] for name, column in cells.items()}

        judged = self._judged(self._titles.ordered(cells), rows, truths=truths)
        return Chunk(rows=rows, columns=judged, record=record)


def too_many(most: int) -> Refusal:
    """The refusal of a batch of more rows than are allowed."""
    detail = f"More than {most:,} rows, the limit of such a batch; send several"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _length(sent: dict[str, Any]) -> int:
    for name, column in sent.items():
        if not isinstance(column, list):
            detail = f"{cut(name)} must be a list of values, one for each row"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    lengths = {name: len(column) for name, column in sent.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{cut(name)} has {length:,}" for name, length in list(lengths.items())[:20])
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"All columns must have as many values; {told}")
    return next(iter(lengths.values()), 0)
