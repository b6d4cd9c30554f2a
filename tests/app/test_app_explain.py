"""POST /explain: what pushed an answer up or down."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper
from opening import TestClient, opened

from app.contributions import MOST_FIELDS, MOST_ROWS
from bundles import facts_of, files_with, serialized
from esteira.bundle import publish
from esteira.columns import Column, Number
from esteira.metadata import Record
from rain import CLASSES, rain_bundle, rain_odds

HOUSE = {"Living_Area": 120, "City": 2, "Kind": "b"}
WET = {"Day": "2012-06-01", "Wind_Dir": "South", "Humidity": 98, "Place": "Belém"}


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return opened(rain_bundle(tmp_path_factory.mktemp("rain")))


def explained(api: TestClient | httpx.Client, record: dict[str, Any]) -> dict[str, Any]:
    response = api.post("/explain", json=record)
    assert response.status_code == 200, response.text
    return dict(response.json())


def parts(explanation: dict[str, Any]) -> dict[str, float]:
    return {one["field"]: one["contribution"] for one in explanation["contributions"]}


def test_each_field_adds_what_it_differs_by_from_the_mean_of_the_examples(http: httpx.Client) -> None:
    golden = [example["record"] for example in http.get("/model").json()["golden"]]
    compared = [golden[0], *golden]  # the example is the first of them
    area = np.mean([record["Living Area"] for record in compared])
    city = np.mean([record["City"] for record in compared])
    kind = np.mean([record["Kind"] == "b" for record in compared])
    explanation = explained(http, HOUSE)
    assert explanation["exact"] is True
    assert explanation["compared_with"] == 21
    assert parts(explanation) == pytest.approx(
        {"Living_Area": 2 * (120 - area), "City": 2 - city, "Kind": 10 * (1 - kind), "Rate": 0}
    )


def test_base_and_contributions_are_the_prediction(http: httpx.Client) -> None:
    explanation = explained(http, HOUSE)
    assert explanation["value"] == http.post("/predict", json=HOUSE).json()["prediction"]
    total = explanation["base"] + sum(parts(explanation).values())
    assert total == pytest.approx(explanation["value"], rel=1e-12)


def test_of_classes_the_probability_of_the_predicted_one_is_explained(rain: TestClient) -> None:
    explanation, answer = explained(rain, WET), rain.post("/predict", json=WET).json()
    predicted = answer["prediction"]
    assert (explanation["prediction"], explanation["explained"]) == (predicted, "probability")
    assert explanation["value"] == answer["probabilities"][predicted]
    assert explanation["base"] + sum(parts(explanation).values()) == pytest.approx(
        explanation["value"], rel=1e-12
    )
    odds = [rain_odds(golden["record"]) for golden in rain.get("/model").json()["golden"]]
    mean = np.mean([odds[0], *odds], axis=0)[CLASSES.index(predicted)]
    assert explanation["base"] == pytest.approx(mean, abs=1e-6)


def test_the_strongest_come_first_with_their_values_as_they_are_written(rain: TestClient) -> None:
    contributions = explained(rain, WET)["contributions"]
    strengths = [abs(one["contribution"]) for one in contributions]
    assert strengths == sorted(strengths, reverse=True)
    assert {one["field"]: one["value"] for one in contributions} == WET


def test_a_missing_value_is_a_value_like_others(rain: TestClient) -> None:
    explanation = explained(rain, {**WET, "Humidity": None})
    assert explanation["base"] + sum(parts(explanation).values()) == pytest.approx(explanation["value"])


def test_the_same_question_gets_the_same_answer(rain: TestClient) -> None:
    assert explained(rain, WET) == explained(rain, WET)


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"Living_Area": -1}', 422)]
)
def test_what_predict_refuses_is_refused_with_the_same_words(
    http: httpx.Client, content: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    ours, its = (http.post(path, content=content, headers=headers) for path in ("/explain", "/predict"))
    assert (ours.status_code, ours.json()) == (its.status_code, its.json()) == (status, its.json())


def test_it_is_documented_with_the_record_and_its_source(http: httpx.Client) -> None:
    operation = http.get("/openapi.json").json()["paths"]["/explain"]["post"]
    assert "Castro" in operation["description"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Record")
    assert "503" in operation["responses"]


def wide(artefatos: Path, columns: int) -> TestClient:
    """The API of a model that multiplies the sums of its columns' two halves."""
    numbers: dict[str, Column] = {f"n{at}": Number(type="number") for at in range(columns)}
    halves = np.zeros((columns, 2))
    halves[: columns // 2, 0] = halves[columns // 2 :, 1] = 1
    nodes = [
        helper.make_node("MatMul", ["numbers", "halves"], ["sums"]),
        helper.make_node("ReduceProd", ["sums", "axes"], ["prediction"], keepdims=1),
    ]
    graph = serialized(
        helper.make_graph(
            nodes,
            "wide",
            [helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["N", columns])],
            [helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["N", 1])],
            [
                helper.make_tensor("halves", TensorProto.DOUBLE, halves.shape, halves.ravel().tolist()),
                helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
            ],
        )
    )
    random = np.random.default_rng(0)
    records: list[Record] = [
        dict(zip(numbers, random.uniform(-1, 1, columns), strict=True)) for _ in range(20)
    ]
    return opened(publish(artefatos, facts_of("wide", numbers, {}, records, graph), files_with(graph)))


def test_many_columns_are_explained_from_a_bounded_number_of_rows(tmp_path: Path) -> None:
    api = wide(tmp_path, MOST_FIELDS)
    explanation = explained(api, {f"n{at}": 1 for at in range(MOST_FIELDS)})
    assert explanation["exact"] is False
    assert MOST_ROWS // explanation["compared_with"] >= 2 * MOST_FIELDS
    assert explanation["base"] + sum(parts(explanation).values()) == pytest.approx((MOST_FIELDS // 2) ** 2)
    assert min(parts(explanation).values()) > 0


def test_more_columns_than_that_are_refused_and_still_predicted(tmp_path: Path) -> None:
    api = wide(tmp_path, MOST_FIELDS + 1)
    record = {f"n{at}": 1 for at in range(MOST_FIELDS + 1)}
    refused = api.post("/explain", json=record)
    assert refused.status_code == 422
    assert f"at most {MOST_FIELDS} columns" in refused.json()["detail"]
    assert api.post("/predict", json=record).is_success


def test_an_answer_that_is_no_number_is_refused(tmp_path: Path) -> None:
    refused = wide(tmp_path, 4).post("/explain", json={f"n{at}": 1e200 for at in range(4)})
    assert refused.status_code == 422
    assert "not a finite number" in refused.json()["detail"]


def test_too_many_at_once_are_sent_away_and_predictions_are_answered_all_the_same(tmp_path: Path) -> None:
    api = wide(tmp_path, MOST_FIELDS)
    record = {f"n{at}": 1 for at in range(MOST_FIELDS)}
    statuses: list[int] = []
    with api:
        asking = [
            threading.Thread(target=lambda: statuses.append(api.post("/explain", json=record).status_code))
            for _ in range(60)
        ]
        for thread in asking:
            thread.start()
        assert api.post("/predict", json=record).is_success
        for thread in asking:
            thread.join()
    assert set(statuses) == {200, 503}
