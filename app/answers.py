"""Answers request bodies with response bodies, both as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import orjson
from pydantic import ValidationError

from app import pieces
from app.chunks import MOST_LISTED, NOT_FINITE, Answered
from app.faults import Fault, faults
from app.modelo import Modelo, values_of
from app.outputs import NotFiniteError
from app.problems import Refusal
from esteira.metadata import Metadata


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
            members = self._modelo.answer(values)
        except NotFiniteError:
            raise _unanswerable() from None
        warnings = self._modelo.warnings(values)
        whole = b"{%b,%b%b,%b}" % (self._head, members, self._details, _listed(warnings))
        return whole, len(warnings)


def head_of(metadata: Metadata) -> bytes:
    """The members that all answers of a version share, as JSON."""
    return _head(metadata) + _details(metadata)


def rows_of(found: Answered, modelo: Modelo) -> bytes:
    """The JSON of a chunk's answers, one object for each of its rows, with commas between."""
    if not found.bad and not found.warnings:
        return modelo.members.of_all(found.outputs, b',"warnings":[]')
    members = modelo.members.of_each(found.outputs) if len(found.good) else []
    listed = found.warnings.get
    rows = {
        place: b"{%b,%b}" % (answer, _listed(listed(place, [])))
        for place, answer in zip(found.good.tolist(), members, strict=True)
    }
    rows |= {
        place: b'{"prediction":null,"error":%b}' % orjson.dumps(told) for place, told in found.bad.items()
    }
    return b",".join(rows[place] for place in range(found.rows))


def _head(metadata: Metadata) -> bytes:
    head: dict[str, str | int] = {"case": metadata.case, "version": metadata.version}
    if metadata.unit is not None:
        head["unit"] = metadata.unit
    return orjson.dumps(head)[1:-1]


def _details(metadata: Metadata) -> bytes:
    scores = {compared.name: compared.scores for compared in metadata.compared}
    return b',"technical_details":%b' % orjson.dumps(scores) if scores else b""


def _listed(warnings: list[str]) -> bytes:
    return b'"warnings":%b' % orjson.dumps(warnings) if warnings else b'"warnings":[]'


def _refusal(error: ValidationError, modelo: Modelo) -> Refusal:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return pieces.malformed(str(first["ctx"]["error"]))
    found = faults(error, modelo.columns)
    detail = " ".join(fault.message for fault in found[:MOST_LISTED])
    return _unprocessable(detail, found)


def _unanswerable() -> Refusal:
    return _unprocessable(f"The model's answer to this record is not a finite number; send {NOT_FINITE}")


def _unprocessable(detail: str, errors: Sequence[Fault] = ()) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)
