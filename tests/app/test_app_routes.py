"""What the API tells of itself: the model, its documentation, its figures, its problems."""

from __future__ import annotations

import re

import httpx
import pytest

from app.samples import ADDRESS


def test_the_model_route_gives_the_metadata(http: httpx.Client) -> None:
    model = http.get("/model").json()
    assert (model["case"], model["version"], model["unit"]) == ("tiny", 1, "R$")
    assert model["columns"]["Living Area"]["max"] == 1000
    assert len(model["golden"]) == 20


def test_every_golden_example_is_answered_over_http_as_in_training(http: httpx.Client) -> None:
    golden = http.get("/model").json()["golden"]
    rows = http.post("/predict/batch", json=[example["record"] for example in golden]).json()["predictions"]
    assert [row["prediction"] for row in rows] == [example["prediction"] for example in golden]


def test_an_unknown_path_is_a_404_problem(http: httpx.Client) -> None:
    for path in ("/nope", "/predict/", "/predict/batch/x", "/%00", "/docs/../etc"):
        response = http.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), [("GET", "/predict"), ("PUT", "/predict"), ("POST", "/model")])
def test_a_wrong_method_is_a_405_problem_that_names_the_right_one(
    http: httpx.Client, method: str, path: str
) -> None:
    response = http.request(method, path)
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["allow"] in response.json()["detail"]


def test_the_documentation_has_fields_ranges_units_and_descriptions(http: httpx.Client) -> None:
    record = http.get("/openapi.json").json()["components"]["schemas"]["Record"]
    area = record["properties"]["Living_Area"]
    assert (area["minimum"], area["maximum"], area["type"]) == (0, 1000, "integer")
    assert area["description"] == "inside the walls: a whole number from 0 to 1000 (m²)"
    assert record["properties"]["City"]["enum"] == [1, 2, 3]
    assert record["required"] == ["Living_Area", "City", "Kind"]
    assert record["additionalProperties"] is False


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_the_documented_example_works(http: httpx.Client, path: str) -> None:
    operation = http.get("/openapi.json").json()["paths"][path]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert http.post(path, json=example).status_code == 200


def test_every_reference_of_the_documentation_leads_somewhere(http: httpx.Client) -> None:
    described = http.get("/openapi.json")
    names = set(re.findall(r'"#/components/schemas/(\w+)"', described.text))
    assert {"Record", "Answer", "Answers", "Problem", "Metadata"} <= names
    assert names <= set(described.json()["components"]["schemas"])
    refusal = described.json()["paths"]["/predict"]["post"]["responses"]["422"]["content"]
    assert list(refusal) == ["application/problem+json"]


def test_the_documentation_page_loads_nothing_from_elsewhere(http: httpx.Client) -> None:
    page = http.get("/docs")
    # the address in the samples, which the page replaces by its own, is no address that it loads
    code = re.sub(r"<!--.*?-->|// .*", "", page.text.replace(ADDRESS, ""))
    assert "//" not in code.replace("</", "")
    for asset in re.findall(r'(?:src|href)="(.*?)"', page.text):
        response = http.get(asset)
        assert response.status_code == 200
        assert len(response.content) > 1000


def test_requests_predictions_and_warnings_are_counted(http: httpx.Client) -> None:
    def figure(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", http.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    counted = {
        'http_requests_total{route="/predict",status="200"}': 1,
        'http_requests_total{route="/predict",status="422"}': 1,
        'http_requests_total{route="/predict/batch",status="200"}': 1,
        'http_requests_total{route="other",status="404"}': 1,
        'http_request_seconds_count{route="/predict"}': 2,
        "predictions_total": 3,
        "prediction_warnings_total": 3,
    }
    before = {name: figure(name) for name in counted}
    unseen = {"Living_Area": 900, "City": 1, "Kind": "a"}
    http.post("/predict", json=unseen)
    http.post("/predict/batch", json=[unseen, unseen])
    http.post("/predict", json={})
    http.get("/nope")
    assert {name: figure(name) - before[name] for name in counted} == counted
    assert figure('model_info{case="tiny",version="1"}') == 1
