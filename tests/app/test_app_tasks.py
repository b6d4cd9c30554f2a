"""What is answered: classes with probabilities, numbers with an interval, models side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from onnx import TensorProto, helper
from opening import TestClient, opened

from app.modelo import ModelError, open_version
from bundles import facts_of, files_with, serialized, tiny_bundle
from esteira.bundle import Bundle, load, publish
from esteira.columns import Number
from esteira.metadata import Facts, Record
from rain import CLASSES, COLUMNS, SCORES, rain_bundle, rain_facts, rain_graph, rain_odds
from rain import COMPARED as RAIN_MODELS
from rents import COMPARED as RENT_MODELS
from rents import rent, rents_bundle

WET = {"Day": "2012-06-01", "Wind_Dir": "South", "Humidity": 98, "Place": "Belém"}
FLAT = {"Area": 100, "Bairro": "Centro", "Seen_at": "2020-01-11"}


def test_a_class_is_answered_with_the_probability_of_each_in_their_order(tmp_path: Path) -> None:
    answer = opened(rain_bundle(tmp_path)).post("/predict", json=WET).json()
    assert list(answer) == ["case", "version", "prediction", "probabilities", "warnings"]
    assert answer["prediction"] == "80% rain"
    assert list(answer["probabilities"]) == list(CLASSES)
    expected = rain_odds({**WET, "Wind Dir": "South"})
    assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-7)


def test_labels_that_are_whole_numbers_stay_whole_numbers(tmp_path: Path) -> None:
    answer = opened(rain_bundle(tmp_path, classes=(0, 5, 7))).post("/predict", json=WET).json()
    assert (answer["prediction"], type(answer["prediction"])) == (7, int)
    assert list(answer["probabilities"]) == ["0", "5", "7"]


def test_a_number_is_answered_with_its_interval_and_the_share_that_was_asked(tmp_path: Path) -> None:
    answer = opened(rents_bundle(tmp_path)).post("/predict", json=FLAT).json()
    assert answer["prediction"] == 1510 == rent({**FLAT, "Seen at": "2020-01-11"})
    assert answer["interval"] == {"low": 1460, "high": 1580, "coverage": 0.9}


def test_each_model_of_a_comparison_answers_by_its_name_beside_how_good_it_is(tmp_path: Path) -> None:
    answer = opened(rain_bundle(tmp_path, compared=RAIN_MODELS)).post("/predict", json=WET).json()
    assert (answer["DecisionTree"], answer["LogisticRegression"]) == ("80% rain", "dry")
    details = {"DecisionTree": SCORES, "LogisticRegression": SCORES | {"accuracy": 0.6}}
    assert answer["technical_details"] == details

    answer = opened(rents_bundle(tmp_path, compared=RENT_MODELS)).post("/predict", json=FLAT).json()
    assert (answer["DecisionTree"], answer["Ridge"]) == (1510, 755)
    assert answer["technical_details"]["Ridge"] == {"r2": 0.8, "rmse": 20.5, "mae": 14.0}


KINDS: list[tuple[str, Callable[[Path], Bundle], dict[str, Any]]] = [
    ("no interval", tiny_bundle, {"Living_Area": 120, "City": 3, "Kind": "b"}),
    ("classes", rain_bundle, WET),
    ("whole numbers", lambda folder: rain_bundle(folder, classes=(0, 5, 7), compared=RAIN_MODELS), WET),
    ("interval", rents_bundle, FLAT),
    ("comparison", lambda folder: rents_bundle(folder, compared=RENT_MODELS), FLAT),
]


@pytest.fixture(scope="module", params=KINDS, ids=[kind for kind, *_ in KINDS])
def kind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TestClient, dict[str, Any]]:
    _, bundle, record = request.param
    return opened(bundle(tmp_path_factory.mktemp("kind"))), record


def test_a_batch_answers_each_record_as_it_is_answered_alone(kind: tuple[TestClient, dict[str, Any]]) -> None:
    api, record = kind
    records = [record, api.get("/model").json()["example"], record]
    alone = [api.post("/predict", json=one).json() for one in records]
    together = api.post("/predict/batch", json=records).json()
    assert (together.pop("failed"), together.pop("errors")) == (0, [])
    shared = {name: value for name, value in together.items() if name != "predictions"}
    assert [shared | row for row in together["predictions"]] == alone


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_what_the_documentation_says_is_what_is_taken_and_answered(
    kind: tuple[TestClient, dict[str, Any]], path: str
) -> None:
    api, record = kind
    described = api.get("/openapi.json").json()
    operation = described["paths"][path]["post"]
    taken = operation["requestBody"]["content"]["application/json"]
    given = operation["responses"]["200"]["content"]["application/json"]
    assert api.post(path, json=taken["example"]).json() == given["example"]

    answer = api.post(path, json=record if path == "/predict" else [record]).json()
    _check(given["schema"], answer, described)
    _check(taken["schema"], taken["example"], described)
    row = answer.get("predictions", [{}])[0]
    for name, members in ((given["schema"]["$ref"].rpartition("/")[2], answer), ("Row", row)):
        assert not members or list(described["components"]["schemas"][name]["properties"]) == list(members)


def _check(schema: dict[str, Any], content: object, described: dict[str, Any]) -> None:
    jsonschema.validate(content, {**schema, "components": described["components"]})


def test_every_column_is_documented_with_a_value_that_works(kind: tuple[TestClient, dict[str, Any]]) -> None:
    api, _ = kind
    fields = api.get("/openapi.json").json()["components"]["schemas"]["Record"]["properties"]
    record = {name: about["examples"][0] for name, about in fields.items()}
    assert api.post("/predict", json=record).status_code == 200


def test_an_example_that_is_not_allowed_is_not_what_the_documentation_shows(tmp_path: Path) -> None:
    api = opened(rain_bundle(tmp_path, example=WET | {"Humidity": 101}))
    body = api.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]
    assert api.post("/predict", json=example).status_code == 200


def test_the_model_route_tells_all_that_training_found(tmp_path: Path) -> None:
    rain = opened(rain_bundle(tmp_path, compared=RAIN_MODELS, threshold=0.4)).get("/model").json()
    assert (rain["task"], rain["classes"], rain["threshold"]) == ("classification", list(CLASSES), 0.4)
    assert rain["compared"][0]["scores"] == SCORES
    assert rain["per_class"]["80% rain"]["support"] == 9
    rents = opened(rents_bundle(tmp_path)).get("/model").json()
    assert rents["interval"] == {"asked": 0.9, "coverage": 0.912, "width": 120}


def test_an_answer_that_is_not_finite_is_a_refusal_that_names_the_row(tmp_path: Path) -> None:
    node = helper.make_node("Log", ["numbers"], ["prediction"])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", 1])
        for name in (*node.input, *node.output)
    ]
    graph = serialized(helper.make_graph([node], "log", ends[:1], ends[1:]))
    facts = facts_of("log", {"x": Number(type="number")}, {}, [{"x": 1.0}], graph)
    api = opened(publish(tmp_path, facts, files_with(graph)))
    assert api.post("/predict", json={"x": 1}).json()["prediction"] == 0
    for zero_or_less in (0, -1):
        assert (
            "this record is not a finite" in api.post("/predict", json={"x": zero_or_less}).json()["detail"]
        )
    rows = [{"x": 1}] * 1500 + [{"x": 0}]
    answer = api.post("/predict/batch", json=rows).json()
    assert (answer["failed"], answer["errors"][0]["row"]) == (1, 1501)
    assert "is not a finite number" in answer["predictions"][1500]["error"]
    refusal = api.post("/predict/batch?strict=true", json=rows).json()
    assert refusal["detail"].startswith("1 of 1,501 rows cannot be used (the first row is 1): 1501")


OLDER = ("classes", "threshold", "scale", "per_class", "interval", "importances", "compared")


def test_a_version_published_before_there_were_classes_and_intervals_is_served(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path)
    facts = json.loads(bundle.metadata_path.read_text())
    for name in OLDER:
        del facts[name]
    facts["golden"] = [
        {name: golden[name] for name in ("record", "prediction")} for golden in facts["golden"]
    ]
    facts["columns"]["Living Area"] = {"type": "integer", "min": 0, "max": 1000}
    bundle.metadata_path.write_text(json.dumps(facts))
    answer = opened(bundle).post("/predict", json={"Living_Area": 120, "City": 1, "Kind": "b"}).json()
    assert (answer["prediction"], "interval" in answer) == (251, False)


def altered(facts: Facts, **golden: object) -> Facts:
    """The same facts with another answer in the second golden example."""
    first, second, *rest = facts.golden
    return facts.model_copy(update={"golden": (first, second.model_copy(update=golden), *rest)})


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ({"prediction": "80% rain"}, "the answer is 'dry', in training it was '80% rain'"),
        ({"probabilities": (0.4, 0.5, 0.1)}, "the probability of dry is 0.[0-9]+, in training it was 0.4"),
    ],
)
def test_a_class_or_a_probability_that_is_not_as_in_training_is_not_served(
    tmp_path: Path, golden: dict[str, object], said: str
) -> None:
    graph = rain_graph(with_models=False)
    publish(tmp_path, altered(rain_facts(graph), **golden), files_with(graph))
    with pytest.raises(ModelError, match=f"golden example 2: {said}"):
        open_version(tmp_path, "rain", None)


def test_an_interval_that_is_not_as_in_training_is_not_served(tmp_path: Path) -> None:
    bundle = rents_bundle(tmp_path)
    facts = Facts.model_validate({name: getattr(bundle.metadata, name) for name in Facts.model_fields})
    off = altered(facts.model_copy(update={"training_id": "another"}), interval=(0.0, 1090.0))
    publish(tmp_path, off, files_with(bundle.read("onnx")))
    with pytest.raises(
        ModelError, match=r"golden example 2: the interval's low is 607\.0, in training it was 0\.0"
    ):
        open_version(tmp_path, "rents", None)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"compared": RAIN_MODELS}, r"gives nothing .* as 'models'.*int64\) \[N, 2\]"),
        ({"classes": ("dry", "wet")}, r"\[N, 3\] as 'probabilities'.*\[N, 2\]"),
        ({"classes": None, "task": "regression"}, r"gives tensor\(int64\) \[N, 1\] as 'prediction'"),
    ],
)
def test_a_graph_that_does_not_give_what_the_metadata_says_is_not_served(
    tmp_path: Path, told: dict[str, Any], said: str
) -> None:
    graph = rain_graph(with_models=False)
    publish(tmp_path, rain_facts(graph).model_copy(update=told), files_with(graph))
    with pytest.raises(ModelError, match=rf"modelo_v1\.onnx {said}|modelo_v1\.onnx gives .*{said}"):
        open_version(tmp_path, "rain", None)


def test_the_columns_and_the_newest_version_are_those_that_were_published(tmp_path: Path) -> None:
    rain_bundle(tmp_path)
    rain_bundle(tmp_path)
    bundle = load(tmp_path, "rain")
    records: list[Record] = [golden.record for golden in bundle.metadata.golden]
    rows = opened(bundle).post("/predict/batch", json=records).json()["predictions"]
    assert [list(row["probabilities"].values()) for row in rows] == [
        pytest.approx(rain_odds(record), abs=1e-7) for record in records
    ]
    assert list(bundle.metadata.columns) == list(COLUMNS)
