"""The types of answers, as the documentation shows them: they are written by `answers`, not through these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, create_model

from app.faults import Fault
from app.outputs import Output
from esteira.metadata import Metadata


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """The types of the answers to one record and to many."""

    one: type[BaseModel]
    many: type[BaseModel]


class BadRow(BaseModel):
    """What stands in the place of a record that cannot be used."""

    prediction: None
    error: str
    """What is wrong with it, field by field, in sentences."""


def shapes(metadata: Metadata, outputs: Sequence[Output]) -> Shapes:
    """The types of a version's answers."""
    head: dict[str, Any] = {"case": (str, ...), "version": (int, ...)}
    if metadata.unit is not None:
        head["unit"] = (str, ...)
    answer = {name: kind for output in outputs for name, kind in output.fields.items()}
    warnings: dict[str, Any] = {"warnings": (list[str], ...)}
    details = _details(metadata)
    row = create_model("Row", __doc__="One record's answer within a batch.", **answer, **warnings)
    rows: dict[str, Any] = {
        "predictions": (list[row | BadRow], ...),
        "failed": (int, Field(description="How many of them have an error instead of an answer")),
        "errors": (list[Fault], Field(description="What is wrong with the first 20 of those")),
    }
    return Shapes(
        one=create_model(
            "Answer", __doc__="The answer to one record.", **head, **answer, **details, **warnings
        ),
        many=create_model(
            "Answers", __doc__="The answers to many records, in their order.", **head, **details, **rows
        ),
    )


def _details(metadata: Metadata) -> dict[str, Any]:
    if not metadata.compared:
        return {}
    says = "How good each of the models is, on rows that none of them saw in training."
    return {"technical_details": (dict[str, dict[str, float]], Field(description=says))}
