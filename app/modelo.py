"""Opens a bundle for serving, proves that it answers as it did in training, and predicts."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort
from pydantic import BaseModel, TypeAdapter, ValidationError

from app import many
from app.faults import faults
from app.outputs import Members, NotFiniteError, outputs_of
from app.record import record_type
from app.seen import Familiarity, Values
from esteira.bundle import Bundle, BundleError, load
from esteira.columns import is_text
from esteira.golden import disagreement
from esteira.metadata import Golden, Metadata, Record

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
        self.record = record_type(self.columns, _examples(metadata))
        self.one: TypeAdapter[BaseModel] = TypeAdapter(self.record)
        familiarity = Familiarity(self.columns, metadata.seen)
        self.warnings = familiarity.warnings
        self.warnings_of_columns = familiarity.warnings_of_columns
        self.session = session
        self.outputs = outputs_of(metadata)
        self.members = Members(self.outputs)
        self._names = [output.name for output in self.outputs]
        texts = [is_text(column) for column in self.columns.values()]
        self._feeds = _feeds(texts)
        self.outputs_of_columns = many.asking(self._ask, metadata, self.columns)
        """The graph's outputs for many rows, as columns of numbers (NaN if missing) or texts ("")."""

    def answer(self, values: Values) -> bytes:
        """The members of the JSON answer to a record, whose values are in the order of `columns`.

        None stands for a missing value. Raises NotFiniteError.
        """
        return self.members.of_one(self.session.run(self._names, self._feeds((values,))))

    def _ask(self, inputs: many.Inputs) -> list[many.Array]:
        found: list[many.Array] = self.session.run(self._names, inputs)
        return found


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


def _examples(metadata: Metadata) -> Record:
    """A value of each column that has any in the examples."""
    records = [*(golden.record for golden in reversed(metadata.golden)), metadata.example]
    return {name: value for record in records for name, value in record.items() if value is not None}


def _session(bundle: Bundle) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        opened = onnxruntime.InferenceSession(
            bundle.read("onnx"), options, providers=["CPUExecutionProvider"]
        )
    except ONNX_ERRORS as error:
        raise ModelError(f"{bundle.path('onnx')} cannot be run: {error}; train again") from None
    _give_back()
    return opened


def _give_back() -> None:
    """What reading a graph took, half of the memory of a large forest, goes back to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's own
    if trim is not None:
        trim(0)


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
    found = _shapes(modelo.session.get_inputs())
    if found != wanted:
        raise ModelError(f"{bundle.path('onnx')} takes {found}, but its columns are {wanted}; train again")
    given = _shapes(modelo.session.get_outputs())
    for output in modelo.outputs:
        kind, width = given.get(output.name, ("nothing", 0))
        if kind not in output.types or width != output.width:
            raise ModelError(
                f"{bundle.path('onnx')} gives {kind} [N, {width}] as {output.name!r}; its metadata expects "
                f"{' or '.join(sorted(output.types))} [N, {output.width}]; train again"
            )


def _shapes(nodes: Sequence[onnxruntime.NodeArg]) -> dict[str, tuple[str, object]]:
    return {node.name: (node.type, node.shape[-1]) for node in nodes if len(node.shape) == 2}


def _check_golden(bundle: Bundle, modelo: Modelo, number: int, golden: Golden) -> None:
    place = f"{bundle.path('onnx')}, golden example {number}"
    try:
        record = modelo.one.validate_python(golden.record)
        members = modelo.answer(values_of(record))
    except ValidationError as error:
        raise ModelError(f"{place}: {faults(error, modelo.columns)[0].message} Train again") from None
    except (NotFiniteError, *ONNX_ERRORS) as error:
        raise ModelError(f"{place}: {error}; train again") from None
    if found := disagreement(bundle.metadata, golden, json.loads(b"{%b}" % members)):
        raise ModelError(f"{place}: {found}; do not serve this version, train again")
