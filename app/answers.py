"""Answers request bodies with response bodies, both as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import chain, islice

from pydantic import BaseModel, ValidationError

from app import body
from app.faults import Fault, faults
from app.modelo import Modelo, values_of
from app.outputs import NotFiniteError
from app.problems import Refusal
from esteira.bundle import Metadata

MOST_ROWS = 100_000
MOST_LISTED = 20
CHUNK = 1000


class Answers:
    """Answers request bodies with response bodies, both as JSON."""

    def __init__(self, modelo: Modelo) -> None:
        self._modelo = modelo
        self._head, self._details = _head(modelo.metadata), _details(modelo.metadata)
        self._validate = modelo.one.validator.validate_json

    def one(self, content: bytes) -> tuple[bytes, int]:
        """The answer to one record, and how many warnings it holds; raises Refusal naming each bad field."""
        try:
            record = self._validate(content)
        except ValidationError as error:
            raise _refusal(error, self._modelo) from None
        values = values_of(record)
        try:
            (members,) = self._modelo.answer((values,))
        except NotFiniteError:
            raise _unanswerable("this record") from None
        warnings = self._modelo.warnings(values)
        whole = f"{{{self._head},{members}{self._details},{_listed(warnings)}}}"
        return whole.encode(), len(warnings)

    def many(self, content: bytes) -> tuple[bytes, int, int]:
        """The answers to a list of records, how many they are and how many warnings they hold.

        Raises Refusal naming the first bad rows and how many there are, or the limit that was passed.
        """
        bad = BadRows()
        rows: list[str] = []
        warned = start = 0
        for chunk in _chunks(body.items(content)):
            records = _valid(chunk, start, self._modelo, bad)
            start += len(chunk)
            if start > MOST_ROWS:
                raise _unprocessable(f"More than {MOST_ROWS:,} records, the limit of a batch; send several")
            if not bad.count:
                answers, warnings = self._rows(records, start - len(chunk))
                rows += answers
                warned += warnings
        bad.refuse(start)
        if not rows:
            raise _unprocessable("The list is empty; send at least one record")
        whole = f'{{{self._head}{self._details},"predictions":[{",".join(rows)}]}}'
        return whole.encode(), len(rows), warned

    def _rows(self, records: Sequence[BaseModel], start: int) -> tuple[list[str], int]:
        values = [values_of(record) for record in records]
        try:
            answers = self._modelo.answer(values)
        except NotFiniteError as error:
            raise _unanswerable(f"row {start + error.at + 1}") from None
        warnings = [self._modelo.warnings(row) for row in values]
        rows = [f"{{{members},{_listed(listed)}}}" for members, listed in zip(answers, warnings, strict=True)]
        return rows, sum(map(len, warnings))


class BadRows:
    """Counts a batch's bad rows and keeps what is wrong with the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._listed: dict[int, list[Fault]] = {}

    def add(self, row: int, error: ValidationError, modelo: Modelo) -> None:
        self.count += 1
        if self.count <= MOST_LISTED:
            self._listed[row] = faults(error, modelo.columns, row)[:MOST_LISTED]

    def refuse(self, rows: int) -> None:
        """Raises Refusal if there was a bad row."""
        if self.count:
            numbers = ", ".join(map(str, self._listed)) + (", …" if self.count > MOST_LISTED else "")
            detail = f"{self.count:,} of {rows:,} rows cannot be used (the first row is 1): {numbers}"
            raise _unprocessable(detail, list(chain.from_iterable(self._listed.values())))


def _chunks(items: Iterator[object]) -> Iterator[list[object]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def _valid(chunk: list[object], start: int, modelo: Modelo, bad: BadRows) -> list[BaseModel]:
    try:
        return modelo.many.validate_python(chunk)
    except ValidationError:
        records = []
    for row, item in enumerate(chunk, start=start + 1):
        try:
            records.append(modelo.one.validate_python(item))
        except ValidationError as error:
            bad.add(row, error, modelo)
    return records


def _head(metadata: Metadata) -> str:
    head: dict[str, str | int] = {"case": metadata.case, "version": metadata.version}
    if metadata.unit is not None:
        head["unit"] = metadata.unit
    return _json(head)[1:-1]


def _details(metadata: Metadata) -> str:
    scores = {compared.name: compared.scores for compared in metadata.compared}
    return f',"technical_details":{_json(scores)}' if scores else ""


def _listed(warnings: list[str]) -> str:
    return f'"warnings":{_json(warnings)}' if warnings else '"warnings":[]'


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _refusal(error: ValidationError, modelo: Modelo) -> Refusal:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return body.malformed(str(first["ctx"]["error"]))
    found = faults(error, modelo.columns)
    detail = " ".join(fault.message for fault in found[:MOST_LISTED])
    return _unprocessable(detail, found)


def _unanswerable(what: str) -> Refusal:
    return _unprocessable(
        f"The model's answer to {what} is not a finite number; send values nearer to those in GET /model"
    )


def _unprocessable(detail: str, errors: Sequence[Fault] = ()) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)
