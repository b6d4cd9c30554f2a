"""Opens a bundle for serving, proves that it answers as it did in training, and predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.faults import faults
from app.record import record_type
from app.seen import Familiarity, Values
from esteira.bundle import Bundle, BundleError, Golden, Metadata, load
from esteira.case import is_text

ONNX_ERRORS = (
    ort.Fail,
    ort.InvalidArgument,
    ort.InvalidGraph,
    ort.InvalidProtobuf,
    ort.NotImplemented,
    ort.RuntimeException,
)


class ModelError(BundleError):
    """A version's ONNX file does not do what its metadata says."""


class Modelo:
    """One version, ready to answer; safe to use from several threads."""

    def __init__(self, metadata: Metadata, session: onnxruntime.InferenceSession) -> None:
        self.metadata = metadata
        self.columns = {name: column for name, column in metadata.columns.items() if name != metadata.target}
        self.record = record_type(self.columns)
        self.one: TypeAdapter[BaseModel] = TypeAdapter(self.record)
        self.many: TypeAdapter[list[BaseModel]] = TypeAdapter(list[self.record])  # type: ignore[name-defined]
        self.warnings = Familiarity(self.columns, metadata.seen).warnings
        self.session = session
        self._feeds = _feeds([is_text(column) for column in self.columns.values()])

    def predict(self, rows: Sequence[Values]) -> list[float]:
        """The answers to records whose values are in the order of `columns`, None where one is missing."""
        (answers,) = self.session.run(["prediction"], self._feeds(rows))
        return answers.ravel().tolist()  # type: ignore[no-any-return]


def open_version(artefatos: Path, case: str, version: int | None) -> Modelo:
    """Open a version (by default the newest) of a case.

    Raises BundleError when its ONNX file is missing, altered or not an ONNX graph over its columns,
    or when it does not give the golden examples the answers that it gave in training.
    """
    bundle = load(artefatos, case, version)
    modelo = Modelo(bundle.metadata, _session(bundle))
    _check_contract(bundle, modelo)
    for number, golden in enumerate(bundle.metadata.golden, start=1):
        _check_golden(bundle, modelo, number, golden)
    return modelo


def values_of(record: BaseModel) -> Values:
    """A record's values in the order of its columns."""
    return tuple(record.__dict__.values())


def _session(bundle: Bundle) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(bundle.read("onnx"), options, providers=["CPUExecutionProvider"])
    except ONNX_ERRORS as error:
        raise ModelError(f"{bundle.path('onnx')} cannot be run: {error}; train again") from None


def _feeds(texts: Sequence[bool]) -> Callable[[Sequence[Values]], dict[str, np.ndarray[Any, Any]]]:
    """How rows become the graph's inputs; an input without columns is absent."""
    number_at = [at for at, text in enumerate(texts) if not text]
    text_at = [at for at, text in enumerate(texts) if text]

    def only_numbers(rows: Sequence[Values]) -> dict[str, np.ndarray[Any, Any]]:
        return {"numbers": np.array(rows, dtype=np.float64)}

    def only_texts(rows: Sequence[Values]) -> dict[str, np.ndarray[Any, Any]]:
        return {"texts": np.array([[row[at] or "" for at in text_at] for row in rows], dtype=object)}

    def both(rows: Sequence[Values]) -> dict[str, np.ndarray[Any, Any]]:
        return only_numbers([tuple([row[at] for at in number_at]) for row in rows]) | only_texts(rows)

    if not text_at:
        return only_numbers
    return both if number_at else only_texts


def _check_contract(bundle: Bundle, modelo: Modelo) -> None:
    texts = sum(map(is_text, modelo.columns.values()))
    wanted = {"numbers": ("tensor(double)", len(modelo.columns) - texts), "texts": ("tensor(string)", texts)}
    wanted = {name: (kind, width) for name, (kind, width) in wanted.items() if width}
    session = modelo.session
    found = {node.name: (node.type, node.shape[-1]) for node in session.get_inputs() if len(node.shape) == 2}
    outputs = [node.name for node in session.get_outputs()]
    if found != wanted or "prediction" not in outputs:
        raise ModelError(
            f"{bundle.path('onnx')} takes {found} and gives {outputs}, but its columns are {wanted} "
            f"and 'prediction' is expected; train again"
        )


def _check_golden(bundle: Bundle, modelo: Modelo, number: int, golden: Golden) -> None:
    place = f"{bundle.path('onnx')}, golden example {number}"
    try:
        record = modelo.one.validate_python(golden.record)
        (answer,) = modelo.predict([values_of(record)])
    except ValidationError as error:
        raise ModelError(f"{place}: {faults(error, modelo.columns)[0].message} Train again") from None
    except ONNX_ERRORS as error:
        raise ModelError(f"{place}: {error}; train again") from None
    if not bundle.metadata.agrees(answer, golden.prediction):
        raise ModelError(
            f"{place}: the answer is {answer!r}, in training it was {golden.prediction!r} "
            f"(tolerance {bundle.metadata.tolerance:g}); do not serve this version, train again"
        )
