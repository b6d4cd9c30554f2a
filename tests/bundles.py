"""Publishes small, valid bundles whose answers can be checked by hand."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper

from esteira import signing
from esteira.bundle import Bundle, Sign, publish
from esteira.columns import Category, Column, Date, Integer, Number, Value, is_text
from esteira.days import to_days
from esteira.metadata import Answer, CandidateFact, DatasetFact, Facts, Golden, Record, Role, Seen

NUMBERS: dict[str, Column] = {
    "Living Area": Integer(type="integer", min=0, max=1000, unit="m²", description="inside the walls"),
    "Rate": Number(type="number", min=0.0, max=10.0, optional=True),
    "City": Category(type="category", levels=(1, 2, 3)),
}
TEXTS: dict[str, Column] = {"Kind": Category(type="category", levels=("a", "b", "c"))}
SEEN = {
    "Living Area": Seen(min=10, max=500),
    "Rate": Seen(min=0.5, max=9.5),
    "City": Seen(levels=(1, 2)),
    "Kind": Seen(levels=("a", "b")),
}


def tiny_answer(record: Record, offset: float = 0) -> float:
    """What a tiny bundle answers: 2 × Living Area + City + (10 where Kind is b) + offset."""
    area, city = record["Living Area"], record["City"]
    assert isinstance(area, int)
    assert isinstance(city, int)
    return 2 * area + city + (10 if record.get("Kind") == "b" else 0) + offset


def tiny_bundle(artefatos: Path, *, case: str = "tiny", offset: float = 0, with_text: bool = True) -> Bundle:
    """Publish the next version of a case that predicts `tiny_answer`; each call is a training of its own."""
    columns = NUMBERS | (TEXTS if with_text else {})
    graph = tiny_graph(columns, offset)
    records = [_golden_record(number, columns) for number in range(20)]
    facts = facts_of(case, columns, {name: SEEN[name] for name in columns}, records, graph)
    return publish(artefatos, facts, files_with(graph), signer_of(artefatos))


def signer_of(artefatos: Path) -> Sign:
    """What signs with the key of the folder `home` beside the one of all versions."""
    return signing.signer(artefatos.parent / "home")


def files_with(graph: bytes) -> dict[Role, bytes]:
    """A bundle's files around an ONNX file."""
    return {"modelo": b"a model", "scaler": b"a scaler", "onnx": graph}


def tiny_graph(columns: dict[str, Column], offset: float) -> bytes:
    """The ONNX file of a tiny bundle: `numbers` [N, 3], perhaps `texts` [N, 1], to `prediction` [N, 1]."""
    nodes = [
        helper.make_node("Gather", ["numbers", "first"], ["area"], axis=1),
        helper.make_node("Gather", ["numbers", "third"], ["city"], axis=1),
        helper.make_node("Mul", ["area", "two"], ["doubled"]),
        helper.make_node("Add", ["doubled", "city"], ["sum"]),
    ]
    inputs = [helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["N", 3])]
    total = "sum"
    if any(map(is_text, columns.values())):
        inputs.append(helper.make_tensor_value_info("texts", TensorProto.STRING, ["N", 1]))
        nodes += _text_nodes()
        total = "sum_with_text"
    nodes.append(helper.make_node("Add", [total, "offset"], ["prediction"]))
    output = helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["N", 1])
    constants = [
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("third", TensorProto.INT64, [1], [2]),
        helper.make_tensor("two", TensorProto.DOUBLE, [1], [2.0]),
        helper.make_tensor("offset", TensorProto.DOUBLE, [1], [offset]),
    ]
    return serialized(helper.make_graph(nodes, "tiny", inputs, [output], constants))


def _text_nodes() -> list[onnx.NodeProto]:
    bonus: dict[str, Any] = {"keys_strings": ["a", "b"], "values_floats": [0.0, 10.0], "default_float": 0.0}
    return [
        helper.make_node("LabelEncoder", ["texts"], ["bonus_32"], domain="ai.onnx.ml", **bonus),
        helper.make_node("Cast", ["bonus_32"], ["bonus"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["sum", "bonus"], ["sum_with_text"]),
    ]


def serialized(graph: onnx.GraphProto) -> bytes:
    """A checked ONNX file of the graph."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def facts_of(
    case: str,
    columns: dict[str, Column],
    seen: dict[str, Seen],
    records: list[Record],
    graph: bytes,
    tolerance: float = 1e-9,
    **known: Any,
) -> Facts:
    """Everything known of a model that was never trained; the golden answers come from running the graph.

    `known` takes the place of what is written here.
    """
    chosen = CandidateFact(name="by_hand", parameters={}, scores={"r2": 1.0}, seconds=0.0, bound="no rows")
    facts: dict[str, Any] = {
        "case": case,
        "title": f"The {case} case",
        "target": "Price",
        "unit": "R$",
        "task": "regression",
        "columns": columns,
        "seen": seen,
        "example": records[0],
        "golden": golden_of(graph, columns, records, known.get("classes")),
        "tolerance": tolerance,
        "chosen": chosen.name,
        "candidates": (chosen,),
        "scores": {"r2": 1.0, "rmse": 0.0},
        "parity": 0.0,
        "dataset": DatasetFact(sha256="0" * 64, rows=100, train_rows=60, validation_rows=20, holdout_rows=20),
        "packages": {"onnxruntime": onnxruntime.__version__},
        "training_id": uuid.uuid4().hex,
    }
    return Facts(**(facts | known))


def _golden_record(number: int, columns: dict[str, Column]) -> Record:
    record: Record = {
        "Living Area": 10 + 20 * number,
        "Rate": None if number % 4 == 3 else 0.5 + number / 4,
        "City": 1 + number % 2,
        "Kind": "ab"[number % 3 % 2],
    }
    return {name: record[name] for name in columns}


def golden_of(
    graph: bytes, columns: dict[str, Column], records: list[Record], classes: tuple[Answer, ...] | None
) -> tuple[Golden, ...]:
    """Records with what an ONNX file that keeps the contract answers to them."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(names, _feeds(columns, records)), strict=True))
    predictions = [
        value if classes is None else classes[value] for (value,) in answers["prediction"].tolist()
    ]
    nothing = np.full(len(records), None)
    each = zip(
        records,
        predictions,
        answers.get("probabilities", nothing).tolist(),
        answers.get("interval", nothing).tolist(),
        strict=True,
    )
    return tuple(Golden(record=r, prediction=a, probabilities=p, interval=i) for r, a, p, i in each)


def _feeds(columns: dict[str, Column], records: list[Record]) -> dict[str, npt.NDArray[Any]]:
    texts = [name for name, column in columns.items() if is_text(column)]
    numbers = [name for name in columns if name not in texts]
    feeds: dict[str, npt.NDArray[Any]] = {}
    if numbers:
        rows = [[_number(columns[name], record[name]) for name in numbers] for record in records]
        feeds["numbers"] = np.array(rows, dtype=np.float64)
    if texts:
        rows = [[record[name] or "" for name in texts] for record in records]
        feeds["texts"] = np.array(rows, dtype=object)
    return feeds


def _number(column: Column, value: Value) -> Value:
    return to_days(value) if isinstance(column, Date) and isinstance(value, str) else value
