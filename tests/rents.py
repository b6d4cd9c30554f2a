"""A small regression, with a moment and thousands of districts, whose answer carries an interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from bundles import facts_of, files_with, serialized, signer_of
from esteira.bundle import Bundle, publish
from esteira.columns import Category, Column, Date, Integer
from esteira.days import to_days
from esteira.metadata import Compared, Interval, Record, Seen

COLUMNS: dict[str, Column] = {
    "Area": Integer(type="integer", min=1, max=100_000, unit="m²"),
    "Bairro": Category(type="category"),
    "Seen at": Date(type="date", time=True, optional=True),
}
DISTRICTS = ("Centro", "Copacabana", *(f"District {number:04}" for number in range(4_998)))
SEEN = {
    "Area": Seen(min=12, max=900),
    "Bairro": Seen(levels=DISTRICTS),
    "Seen at": Seen(min=to_days("2020-01-01T06:30:00"), max=to_days("2020-12-31")),
}
INTERVAL = Interval(asked=0.9, coverage=0.912, width=120)
COMPARED = (
    Compared(name="DecisionTree", kind="decision_tree", scores={"r2": 0.9, "rmse": 10.5, "mae": 7.0}),
    Compared(name="Ridge", kind="ridge", scores={"r2": 0.8, "rmse": 20.5, "mae": 14.0}),
)


def rent(record: Record) -> float:
    """10 × Area, 500 more in the Centro, and 1 more for each day of 2020 that has passed."""
    area, moment = record["Area"], record.get("Seen at")
    assert isinstance(area, int)
    passed = 0.0 if moment is None else to_days(str(moment)) - to_days("2020-01-01")
    return 10 * area + (500 if record["Bairro"] == "Centro" else 0) + passed


def rents_bundle(artefatos: Path, **known: Any) -> Bundle:
    """Publish the next version of the case `rents`; `known` takes the place of its facts."""
    graph = rents_graph(with_models="compared" in known)
    records = [_record(number) for number in range(20)]
    told = {"target": "Rent", "interval": INTERVAL}
    facts = facts_of("rents", COLUMNS, SEEN, records, graph, **(told | known))
    return publish(artefatos, facts, files_with(graph), signer_of(artefatos))


def rents_graph(*, with_models: bool) -> bytes:
    """From `numbers` [N, 2] and `texts` [N, 1] to `prediction` [N, 1] and `interval` [N, 2]."""
    extra: dict[str, Any] = {"keys_strings": ["Centro"], "values_floats": [500.0], "default_float": 0.0}
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["missing"]),
        helper.make_node("Where", ["missing", "usual", "numbers"], ["known"]),
        helper.make_node("Sub", ["known", "first"], ["passed"]),
        helper.make_node("MatMul", ["passed", "prices"], ["sum"]),
        helper.make_node("LabelEncoder", ["texts"], ["extra_32"], domain="ai.onnx.ml", **extra),
        helper.make_node("Cast", ["extra_32"], ["extra"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["sum", "extra"], ["prediction"]),
        helper.make_node("Add", ["prediction", "ends"], ["interval"]),
    ]
    widths = {"prediction": 1, "interval": 2}
    today = to_days("2020-01-01")
    constants = {
        "usual": ([1, 2], [0.0, today]),
        "first": ([1, 2], [0.0, today]),
        "prices": ([2, 1], [10.0, 1.0]),
        "ends": ([1, 2], [-50.0, 70.0]),
    }
    if with_models:
        nodes.append(helper.make_node("Mul", ["prediction", "shares"], ["models"]))
        widths["models"], constants["shares"] = 2, ([1, 2], [1.0, 0.5])
    return serialized(
        helper.make_graph(
            nodes,
            "rents",
            [_value("numbers", 2), helper.make_tensor_value_info("texts", TensorProto.STRING, ["N", 1])],
            [_value(name, width) for name, width in widths.items()],
            [helper.make_tensor(name, TensorProto.DOUBLE, *about) for name, about in constants.items()],
        )
    )


def _value(name: str, width: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", width])


def _record(number: int) -> Record:
    return {
        "Area": 12 + 40 * number,
        "Bairro": DISTRICTS[number % 3],
        "Seen at": (None, "2020-05-17", f"2020-06-01T10:{number:02}:00")[number % 3],
    }
