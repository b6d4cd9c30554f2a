"""Answers request bodies with response bodies, both as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from pydantic import ValidationError

from app import pieces
from app.chunks import MOST_LISTED, NOT_FINITE, Answered
from app.faults import Fault, faults
from app.modelo import Modelo, values_of
from app.outputs import NotFiniteError
from app.problems import Refusal
from esteira.bundle import Metadata


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
            raise _unanswerable() from None
        warnings = self._modelo.warnings(values)
        whole = f"{{{self._head},{members}{self._details},{_listed(warnings)}}}"
        return whole.encode(), len(warnings)


def head_of(metadata: Metadata) -> str:
    """The members that all answers of a version share, as JSON."""
    return _head(metadata) + _details(metadata)


def rows_of(found: Answered, modelo: Modelo) -> str:
    """The JSON of a chunk's answers, one object for each of its rows, with commas between."""
    members = modelo.members(found.outputs) if len(found.good) else []
    if not found.bad and not found.warnings:
        return "{" + ',"warnings":[]},{'.join(members) + ',"warnings":[]}'
    listed = found.warnings.get
    rows = {
        place: f"{{{answer},{_listed(listed(place, []))}}}"
        for place, answer in zip(found.good.tolist(), members, strict=True)
    }
    rows |= {place: f'{{"prediction":null,"error":{_json(found.error(place))}}}' for place in found.bad}
    return ",".join(rows[place] for place in range(found.rows))


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
        return pieces.malformed(str(first["ctx"]["error"]))
    found = faults(error, modelo.columns)
    detail = " ".join(fault.message for fault in found[:MOST_LISTED])
    return _unprocessable(detail, found)


def _unanswerable() -> Refusal:
    return _unprocessable(f"The model's answer to this record is not a finite number; send {NOT_FINITE}")


def _unprocessable(detail: str, errors: Sequence[Fault] = ()) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)
