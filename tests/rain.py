"""A small classification, with a date, a missing number, and text in any case, whose odds are known."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

from onnx import NodeProto, TensorProto, helper

from bundles import facts_of, files_with, serialized, signer_of
from esteira.bundle import Bundle, publish
from esteira.columns import Category, Column, Date, Number
from esteira.days import to_days
from esteira.metadata import Answer, ClassScores, Compared, Facts, Record, Seen

COLUMNS: dict[str, Column] = {
    "Day": Date(type="date", min="2000-01-01", max="2030-12-31"),
    "Wind Dir": Category(type="category", levels=("North", "South"), ignore_case=True),
    "Humidity": Number(type="number", min=0, max=100, unit="%", optional=True),
    "Place": Category(type="category", optional=True),
}
SEEN = {
    "Day": Seen(min=to_days("2007-11-01"), max=to_days("2017-06-25")),
    "Wind Dir": Seen(levels=("North", "South")),
    "Humidity": Seen(min=10, max=99),
    "Place": Seen(levels=("Belém", "Porto Alegre")),
}
CLASSES = ("dry", "a drizzle", "80% rain")
SCORES = {"accuracy": 0.9, "precision": 0.8, "recall": 0.7, "f1-score": 0.75}
COMPARED = (
    Compared(name="DecisionTree", kind="decision_tree", scores=SCORES),
    Compared(name="LogisticRegression", kind="logistic_regression", scores=SCORES | {"accuracy": 0.6}),
)
MIDDLE, SPREAD, USUAL = (15_000.0, 50.0), (1_000.0, 25.0), (15_000.0, 60.0)
WEIGHTS = ((0.1, 0.0, -0.3), (-1.0, 0.2, 1.5), (0.0, 0.7, 0.1), (-0.4, 0.0, 0.9))
"""Of the day, the humidity, a south wind and Belém, for each class."""


def rain_odds(record: Record) -> list[float]:
    """The probabilities of a record's classes: the softmax of a weighted sum."""
    day, humidity = record["Day"], record.get("Humidity")
    known = (to_days(str(day)), USUAL[1] if humidity is None else float(humidity))
    scaled = [(value - middle) / spread for value, middle, spread in zip(known, MIDDLE, SPREAD, strict=True)]
    row = [*scaled, record["Wind Dir"] == "South", record.get("Place") == "Belém"]
    exponents = [
        math.exp(sum(x * w for x, w in zip(row, of_class, strict=True)))
        for of_class in zip(*WEIGHTS, strict=True)
    ]
    return [exponent / sum(exponents) for exponent in exponents]


def rain_bundle(artefatos: Path, **known: Any) -> Bundle:
    """Publish the next version of the case `rain`; `known` takes the place of its facts."""
    compared = known.get("compared", ())
    graph = rain_graph(with_models=bool(compared))
    return publish(artefatos, rain_facts(graph, **known), files_with(graph), signer_of(artefatos))


def rain_facts(graph: bytes, **known: Any) -> Facts:
    """Everything known of the model."""
    classes: tuple[Answer, ...] = known.setdefault("classes", CLASSES)
    told = {
        "target": "Rain",
        "unit": None,
        "task": "classification",
        "scores": {"accuracy": 0.9, "log_loss": 0.3},
        "per_class": {str(label): ClassScores(precision=1, recall=1, f1=1, support=9) for label in classes},
    }
    return facts_of("rain", COLUMNS, SEEN, [_record(number) for number in range(20)], graph, **(told | known))


def rain_graph(*, with_models: bool) -> bytes:
    """From `numbers` [N, 2] and `texts` [N, 2] to `prediction` [N, 1] and `probabilities` [N, 3]."""
    flags: dict[str, Any] = {
        "keys_strings": ["South", "Belém"],
        "values_floats": [1.0, 1.0],
        "default_float": 0.0,
    }
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["missing"]),
        helper.make_node("Where", ["missing", "usual", "numbers"], ["known"]),
        helper.make_node("Sub", ["known", "middle"], ["centred"]),
        helper.make_node("Div", ["centred", "spread"], ["scaled"]),
        helper.make_node("LabelEncoder", ["texts"], ["flags_32"], domain="ai.onnx.ml", **flags),
        helper.make_node("Cast", ["flags_32"], ["flags"], to=TensorProto.DOUBLE),
        helper.make_node("Concat", ["scaled", "flags"], ["columns"], axis=1),
        helper.make_node("MatMul", ["columns", "weights"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["odds"], axis=1),
        helper.make_node("Cast", ["odds"], ["probabilities"], to=TensorProto.FLOAT),
        helper.make_node("ArgMax", ["odds"], ["prediction"], axis=1, keepdims=1),
        *(_models() if with_models else []),
    ]
    outputs = {"prediction": (TensorProto.INT64, 1), "probabilities": (TensorProto.FLOAT, 3)}
    if with_models:
        outputs["models"] = (TensorProto.INT64, 2)
    return serialized(
        helper.make_graph(
            nodes,
            "rain",
            [_value("numbers", TensorProto.DOUBLE, 2), _value("texts", TensorProto.STRING, 2)],
            [_value(name, kind, width) for name, (kind, width) in outputs.items()],
            [
                helper.make_tensor("usual", TensorProto.DOUBLE, [1, 2], USUAL),
                helper.make_tensor("middle", TensorProto.DOUBLE, [1, 2], MIDDLE),
                helper.make_tensor("spread", TensorProto.DOUBLE, [1, 2], SPREAD),
                helper.make_tensor("weights", TensorProto.DOUBLE, [4, 3], sum(WEIGHTS, ())),
            ],
        )
    )


def _models() -> list[NodeProto]:
    """One model that says what the whole says, and one that says what it thinks least likely."""
    return [
        helper.make_node("ArgMin", ["odds"], ["unlikely"], axis=1, keepdims=1),
        helper.make_node("Concat", ["prediction", "unlikely"], ["models"], axis=1),
    ]


def _value(name: str, kind: int, width: int) -> Any:
    return helper.make_tensor_value_info(name, kind, ["N", width])


def _record(number: int) -> Record:
    return {
        "Day": date(2008 + number // 3, 1 + number % 12, 1 + number).isoformat(),
        "Wind Dir": ("North", "South")[number % 2],
        "Humidity": None if number % 4 == 3 else 12.5 + 4 * number,
        "Place": (None, "Belém", "Porto Alegre")[number % 3],
    }
