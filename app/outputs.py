"""The graph's outputs: what each must be, and how it becomes a part of an answer's JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, Field, create_model

from app.values import OneOf
from esteira.metadata import Metadata

Classes = tuple[int, ...] | tuple[str, ...]

_FLOATS = frozenset({"tensor(float)", "tensor(double)"})
_PLACES = frozenset({"tensor(int64)"})
_FEW = 50
_NO_NUMBER = b"null"
"""What is written for a number that is not finite."""


class NotFiniteError(Exception):
    """The answer to row `at` (the first is 0) is not a finite number, and JSON has no word for it."""

    def __init__(self, at: int) -> None:
        super().__init__(f"the answer to row {at + 1} is not a finite number")
        self.at = at


class PredictionInterval(BaseModel):
    """Where the true value lies, for a share of `coverage` of all records."""

    low: float
    high: float
    coverage: float


@dataclass(frozen=True, kw_only=True)
class Output(ABC):
    """An output [N, width] of the graph; each row of it becomes one or more members of a JSON object."""

    name: str
    types: frozenset[str]
    """Which of ONNX Runtime's types it may have."""
    width: int
    template: str
    """The members' JSON, with a place for each of a row's values."""
    fields: Mapping[str, Any]
    """The members as `pydantic.create_model` takes them, for the documentation."""
    titles: Sequence[str]
    """What a row's values are called as columns of a table."""

    @abstractmethod
    def texts(self, rows: npt.NDArray[Any]) -> list[bytes]:
        """The JSON of every value, row by row; raises NotFiniteError at the first row that has none."""


@dataclass(frozen=True, kw_only=True)
class Numbers(Output):
    """Numbers as they are, so that no digit of the model's answer is lost."""

    def texts(self, rows: npt.NDArray[Any]) -> list[bytes]:
        values = rows.ravel()
        # an array is written faster than a list, but takes some time to begin
        content = values.astype(np.float64) if len(values) > _FEW else values.tolist()
        text = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
        texts = text[1:-1].split(b",")
        if _NO_NUMBER in text:
            raise NotFiniteError(texts.index(_NO_NUMBER) // self.width)
        return texts


@dataclass(frozen=True, kw_only=True)
class Labels(Output):
    """Places of classes, as those classes' labels."""

    labels: Sequence[bytes]
    """In JSON, in the order of their places."""

    def texts(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        labels = self.labels
        return [labels[place] for place in rows.ravel().tolist()]


class Members:
    """The members that the outputs are in the JSON of an answer."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        self._template = ",".join(output.template for output in outputs).encode()
        self._width = sum(output.width for output in outputs)

    def of_one(self, given: Sequence[npt.NDArray[Any]]) -> bytes:
        """Those of the only row; raises NotFiniteError."""
        texts = list[bytes]()
        for output, row in zip(self._outputs, given, strict=True):
            texts += output.texts(row)
        return self._template % tuple(texts)

    def of_each(self, given: Sequence[npt.NDArray[Any]]) -> list[bytes]:
        """Those of each row; raises NotFiniteError."""
        template = self._template
        return [template % row for row in zip(*[iter(self._texts(given))] * self._width, strict=True)]

    def of_all(self, given: Sequence[npt.NDArray[Any]], after: bytes) -> bytes:
        """Objects of those and of what stands `after` them, with commas between; raises NotFiniteError."""
        each = b"{%b%b}," % (self._template, after.replace(b"%", b"%%"))
        return (each * len(given[0]))[:-1] % tuple(self._texts(given))

    def _texts(self, given: Sequence[npt.NDArray[Any]]) -> list[bytes]:
        """The values of a row side by side, row by row."""
        if len(given) == 1:
            return self._outputs[0].texts(given[0])
        mixed, before = [b""] * (len(given[0]) * self._width), 0
        for output, rows in zip(self._outputs, given, strict=True):
            texts = output.texts(rows)
            for place in range(output.width):
                mixed[before + place :: self._width] = texts[place :: output.width]
            before += output.width
        return mixed


def outputs_of(metadata: Metadata) -> tuple[Output, ...]:
    """The outputs that a version's answers are made of, in the order of an answer's members."""
    if metadata.classes is None:
        return tuple(_of_regression(metadata))
    return tuple(_of_classification(metadata, metadata.classes))


def _of_regression(metadata: Metadata) -> Iterator[Output]:
    yield Numbers(
        name="prediction",
        types=_FLOATS,
        width=1,
        template='"prediction":%s',
        fields=_titled(["prediction"], float),
        titles=["prediction"],
    )
    if metadata.interval is not None:
        yield Numbers(
            name="interval",
            types=_FLOATS,
            width=2,
            template=f'"interval":{{"low":%s,"high":%s,"coverage":{metadata.interval.asked!r}}}',
            fields={"interval": (PredictionInterval, ...)},
            titles=["interval_low", "interval_high"],
        )
    if names := [compared.name for compared in metadata.compared]:
        yield Numbers(
            name="models",
            types=_FLOATS,
            width=len(names),
            template=_members(names),
            fields=_titled(names, float),
            titles=names,
        )


def _of_classification(metadata: Metadata, classes: Classes) -> Iterator[Output]:
    labels = [json.dumps(label, ensure_ascii=False).encode() for label in classes]
    label: Any = Annotated[type(classes[0]), OneOf(classes)]
    yield Labels(
        name="prediction",
        types=_PLACES,
        width=1,
        template='"prediction":%s',
        fields=_titled(["prediction"], label),
        titles=["prediction"],
        labels=labels,
    )
    yield Numbers(
        name="probabilities",
        types=_FLOATS,
        width=len(classes),
        template=f'"probabilities":{{{_members(classes)}}}',
        fields={"probabilities": (_probabilities(classes), ...)},
        titles=[f"probability_{label}" for label in classes],
    )
    if names := [compared.name for compared in metadata.compared]:
        yield Labels(
            name="models",
            types=_PLACES,
            width=len(names),
            template=_members(names),
            fields=_titled(names, label),
            titles=names,
            labels=labels,
        )


def _members(names: Iterable[str | int]) -> str:
    keys = (json.dumps(str(name), ensure_ascii=False).replace("%", "%%") for name in names)
    return ",".join(f"{key}:%s" for key in keys)


def _titled(names: Iterable[str], kind: Any) -> dict[str, Any]:
    return {name: (kind, Field(title=name)) for name in names}


def _probabilities(classes: Sequence[str | int]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        f"p{place}": (float, Field(ge=0, le=1, alias=str(label), title=str(label)))
        for place, label in enumerate(classes)
    }
    return create_model("Probabilities", __doc__="The probability of each class.", **fields)
