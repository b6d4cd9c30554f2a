"""A case whose names, levels and ranges are as awkward as a case may make them."""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto, helper

from esteira.bundle import Bundle, publish
from esteira.columns import Category, Column, Date, Integer, Number
from esteira.metadata import Record
from tests.bundles import facts_of, files_with, serialized, signer_of

COLUMNS: dict[str, Column] = {
    "Área útil (m²)": Integer(type="integer", unit="m²", description='"inside" <b>walls</b>'),
    "constructor": Number(type="number", optional=True),
    "__proto__": Number(type="number", min=-1e-9, max=1e-9),
    "$ref": Integer(type="integer", min=2**53 - 3, max=2**53),
    "100%s {0}": Date(type="date"),
    "a.b/c~d": Date(type="date", time=True, optional=True),
    "level": Category(type="category", levels=(-7, 0, 7)),
    "quote'd": Category(type="category", levels=('"', "'", "\\", "é", "{}", "null", "🦆")),
    "any case": Category(type="category", levels=("Straße", "YES"), ignore_case=True),
    "free text": Category(type="category", optional=True),
}
RECORD: Record = {
    "Área útil (m²)": -(2**53),
    "constructor": 1.5e308,
    "__proto__": 0.0,
    "$ref": 2**53,
    "100%s {0}": "2024-02-29",
    "a.b/c~d": "2024-02-29T23:59:59",
    "level": 7,
    "quote'd": "\\",
    "any case": "Straße",
    "free text": "\u202e</script>\n",
}


def awkward_bundle(artefatos: Path) -> Bundle:
    """Publish the next version of the case `awkward`, which has a finite answer to every record."""
    graph = _graph()
    records: list[Record] = [RECORD, {**RECORD, "constructor": None, "a.b/c~d": None, "free text": None}]
    facts = facts_of("awkward", COLUMNS, {}, records, graph, unit=None, title="<h1>*Hostile*</h1>")
    return publish(artefatos, facts, files_with(graph), signer_of(artefatos))


def _graph() -> bytes:
    """The sum of the numbers' hyperbolic tangents, a missing one as 0."""
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "numbers"], ["known"]),
        helper.make_node("Tanh", ["known"], ["small"]),
        helper.make_node("ReduceSum", ["small", "across"], ["prediction"], keepdims=1),
    ]
    texts = sum(isinstance(one, Category) and one.levels != (-7, 0, 7) for one in COLUMNS.values())
    inputs = [
        helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["N", len(COLUMNS) - texts]),
        helper.make_tensor_value_info("texts", TensorProto.STRING, ["N", texts]),
    ]
    output = helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["N", 1])
    constants = [
        helper.make_tensor("zero", TensorProto.DOUBLE, [1], [0.0]),
        helper.make_tensor("across", TensorProto.INT64, [1], [1]),
    ]
    return serialized(helper.make_graph(nodes, "awkward", inputs, [output], constants))
