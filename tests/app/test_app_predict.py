"""POST /predict and /predict/batch, as a client meets them."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apis import Api
from tests.bundles import tiny_answer

GOOD: dict[str, Any] = {"Living_Area": 120, "Rate": 2.5, "City": 1, "Kind": "b"}
JSON = {"Content-Type": "application/json"}
STRICT = "/predict/batch?strict=true"
PROBLEM = "application/problem+json"


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem that a response must be; never a trace of the code behind it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    assert "Traceback" not in response.text
    content = response.json()
    assert content["status"] == status
    assert content["detail"]
    return dict(content)


def test_a_record_is_answered_with_case_version_and_prediction(http: httpx.Client) -> None:
    answer = http.post("/predict", json=GOOD).json()
    assert answer == {"case": "tiny", "version": 1, "unit": "R$", "prediction": 251.0, "warnings": []}


def test_a_name_with_a_blank_is_accepted_either_way(http: httpx.Client) -> None:
    spaced = {"Living Area": 120, **{name: value for name, value in GOOD.items() if name != "Living_Area"}}
    assert http.post("/predict", json=spaced).json() == http.post("/predict", json=GOOD).json()


def test_both_spellings_at_once_are_refused(http: httpx.Client) -> None:
    found = problem(http.post("/predict", json={**GOOD, "Living Area": 3}), 422)
    assert "two names" in found["detail"]


@pytest.mark.parametrize("record", [{**GOOD, "Rate": None}, {k: v for k, v in GOOD.items() if k != "Rate"}])
def test_an_optional_column_may_be_null_or_absent(http: httpx.Client, record: dict[str, Any]) -> None:
    assert http.post("/predict", json=record).json()["prediction"] == 251


def test_a_value_outside_what_training_saw_is_answered_with_a_warning(http: httpx.Client) -> None:
    answer = http.post("/predict", json={"Living_Area": 900, "Rate": 9.9, "City": 3, "Kind": "c"}).json()
    assert answer["prediction"] == 1803
    assert answer["warnings"] == [
        "Living_Area is 900, but training saw only 10 to 500",
        "Rate is 9.9, but training saw only 0.5 to 9.5",
        "City is 3, but training saw only 1, 2",
        "Kind is c, but training saw only a, b",
    ]


BAD_FIELDS = [
    ("Living_Area", "120", "a whole number from 0 to 1000"),
    ("Living_Area", float(2**53 + 2), "a whole number from 0 to 1000"),
    ("Living_Area", 120.5, "a whole number from 0 to 1000"),
    ("Living_Area", True, "a whole number from 0 to 1000"),
    ("Living_Area", 1001, "a whole number from 0 to 1000"),
    ("Living_Area", -1, "a whole number from 0 to 1000"),
    ("Living_Area", 10**18, "a whole number from 0 to 1000"),
    ("Living_Area", None, "a whole number from 0 to 1000"),
    ("Living_Area", [1], "a whole number from 0 to 1000"),
    ("Living_Area", {"a": 1}, "a whole number from 0 to 1000"),
    ("Rate", "2.5", "a number from 0.0 to 10.0 or null"),
    ("Rate", False, "a number from 0.0 to 10.0 or null"),
    ("Rate", 10.01, "a number from 0.0 to 10.0 or null"),
    ("City", 4, "one of 1, 2, 3"),
    ("City", True, "one of 1, 2, 3"),
    ("City", 1.0, "one of 1, 2, 3"),
    ("City", "1", "one of 1, 2, 3"),
    ("Kind", "z", "one of a, b, c"),
    ("Kind", 1, "one of a, b, c"),
    ("Kind", "\ud800", "one of a, b, c"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_FIELDS)
def test_a_bad_value_is_named_with_what_is_allowed(
    http: httpx.Client, name: str, value: object, allowed: str
) -> None:
    body = json.dumps({**GOOD, name: value})
    response = http.post("/predict", content=body, headers=JSON)
    if value == "\ud800":
        problem(response, 400)
        return
    (fault,) = problem(response, 422)["errors"]
    assert fault["field"] == name
    assert allowed.removesuffix(" or null") in fault["allowed"]
    assert fault["message"].startswith(f"{name} cannot be ")
    strict = http.post(STRICT, content=f"[{body}]", headers=JSON)
    assert problem(strict, 422)["errors"] == [{**fault, "row": 1}]
    answer = http.post("/predict/batch", content=f"[{body}]", headers=JSON).json()
    assert answer["predictions"] == [{"prediction": None, "error": fault["message"]}]
    assert (answer["failed"], answer["errors"]) == (1, [{**fault, "row": 1}])


def test_a_whole_number_beyond_all_bounds_is_named_as_large_as_it_is(http: httpx.Client) -> None:
    body = json.dumps({**GOOD, "Living_Area": 10**300})
    (fault,) = problem(http.post("/predict", content=body, headers=JSON), 422)["errors"]
    assert fault["sent"].startswith("10000")
    (in_batch,) = problem(http.post(STRICT, content=f"[{body}]", headers=JSON), 422)["errors"]
    assert in_batch["message"] == ("Living_Area cannot be 1e+300; send a whole number from 0 to 1000 (m²).")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", ["Living_Area", "Rate"])
def test_what_is_not_finite_is_refused(http: httpx.Client, name: str, word: str) -> None:
    body = json.dumps({**GOOD, name: 0}).replace(f'"{name}": 0', f'"{name}": {word}')
    for path, content in (("/predict", body), (STRICT, f"[{body}]")):
        (fault,) = problem(http.post(path, content=content, headers=JSON), 422)["errors"]
        assert fault["field"] == name


def test_every_missing_and_unknown_field_is_listed(http: httpx.Client) -> None:
    found = problem(http.post("/predict", json={"Kynd": "a", "City": 9}), 422)
    messages = [fault["message"] for fault in found["errors"]]
    assert messages == [
        "Living_Area is missing; send a whole number from 0 to 1000 (m²).",
        "City cannot be 9; send one of 1, 2, 3.",
        "Kind is missing; send one of a, b, c.",
        "Kynd is not a field of this model; did you mean Kind?",
    ]
    assert all(message in found["detail"] for message in messages)


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[",
        b"[{},",
        b"\xff\xfe",
        b'{"City": 1,}',
        b"nonsense",
        b"[" * 100_000,
        b'[{"City":' * 50_000,
        b"[1] 2",
        b"[" + b"9" * 5000 + b"]",
        b'["\xff"]',
        "[{}]".encode("utf-16"),
    ],
)
def test_malformed_json_is_a_problem_with_its_position(http: httpx.Client, path: str, body: bytes) -> None:
    found = problem(http.post(path, content=body, headers=JSON), 400)
    assert "not valid JSON" in found["detail"]


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "3", "true"])
def test_a_record_must_be_an_object(http: httpx.Client, body: str) -> None:
    assert "object" in problem(http.post("/predict", content=body, headers=JSON), 422)["detail"]


@pytest.mark.parametrize("body", ["{}", "null", '"x"', "3"])
def test_a_batch_must_be_a_list(http: httpx.Client, body: str) -> None:
    assert "list" in problem(http.post("/predict/batch", content=body, headers=JSON), 422)["detail"]


def test_a_thousand_unknown_fields_are_refused_quickly(http: httpx.Client) -> None:
    start = time.monotonic()
    found = problem(http.post("/predict", json={f"unknown {n}": n for n in range(30_000)}), 422)
    assert len(found["errors"]) <= 100
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_is_refused(http: httpx.Client, kind: str) -> None:
    response = http.post("/predict", content=json.dumps(GOOD), headers={"Content-Type": kind})
    assert "application/json" in problem(response, 415)["detail"]


@pytest.mark.parametrize(
    ("path", "size", "limit"),
    [("/predict", 10**7, "1,000,000"), ("/predict/batch", 64 * 10**6, "64,000,000")],
)
def test_a_body_over_the_limit_is_refused_with_and_without_a_declared_length(
    http: httpx.Client, path: str, size: int, limit: str
) -> None:
    def streamed() -> Any:
        for _ in range(0, size + 1, 100_000):
            yield b" " * 100_000

    for content in (b" " * (size + 1), streamed()):
        assert limit in problem(http.post(path, content=content, headers=JSON), 413)["detail"]


def test_an_empty_batch_is_refused(http: httpx.Client) -> None:
    assert (
        "at least one" in problem(http.post("/predict/batch", content=" [ ] ", headers=JSON), 422)["detail"]
    )


def test_a_batch_is_answered_in_its_order(http: httpx.Client) -> None:
    records = [{**GOOD, "Living_Area": area, "Kind": "ab"[area % 2]} for area in range(500, 0, -1)] * 5
    answer = http.post("/predict/batch", json=records).json()
    expected = [tiny_answer({**record, "Living Area": record["Living_Area"]}) for record in records]
    assert [row["prediction"] for row in answer["predictions"]] == expected
    assert answer["version"] == 1


def test_bad_rows_of_a_batch_are_numbered_and_counted(http: httpx.Client) -> None:
    records = [GOOD] * 3000
    for row in range(7, 3000, 100):
        records[row - 1] = {**GOOD, "City": 9}
    found = problem(http.post(STRICT, json=records), 422)
    assert found["detail"].startswith("30 of 3,000 rows cannot be used")
    assert [fault["row"] for fault in found["errors"]] == list(range(7, 2000, 100))


def test_a_batch_of_more_rows_than_the_limit_is_refused(http: httpx.Client) -> None:
    body = b"[" + b"{}," * 2_000_000 + b"{}]"
    start = time.monotonic()
    assert "100,000" in problem(http.post("/predict/batch", content=body, headers=JSON), 413)["detail"]
    assert time.monotonic() - start < 5


def test_a_batch_of_100_000_rows_does_not_keep_others_waiting(tiny_api: Api, http: httpx.Client) -> None:
    body = json.dumps([GOOD] * 100_000).encode()
    waits = []
    with ThreadPoolExecutor() as pool, httpx.Client(base_url=tiny_api.url, trust_env=False) as other:
        batch = pool.submit(http.post, "/predict/batch", content=body, headers=JSON)
        while not batch.done():
            start = time.monotonic()
            assert other.get("/health/live").status_code == 200
            waits.append(time.monotonic() - start)
            time.sleep(0.01)
    answer = batch.result()
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 100_000
    assert max(waits) < 0.5


TEXTS = st.text(st.characters(exclude_categories=()))  # lone surrogates too
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["Living_Area", "Living Area", "Rate", "City", "Kind"]) | TEXTS


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=st.dictionaries(NAMES, JSON_VALUES, max_size=6))
def test_no_record_whatever_is_answered_with_a_server_error(
    http: httpx.Client, record: dict[str, Any]
) -> None:
    body = json.dumps(record)
    one = http.post("/predict", content=body, headers=JSON)
    many = http.post(STRICT, content=f"[{body}]", headers=JSON)
    assert one.status_code in (200, 400, 422)
    assert many.status_code in (200, 400, 422)
    if 400 not in (one.status_code, many.status_code):
        assert one.status_code == many.status_code


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    area=st.integers(0, 1000),
    rate=st.none() | st.floats(0, 10),
    city=st.sampled_from([1, 2, 3]),
    kind=st.sampled_from("abc"),
)
def test_every_allowed_record_is_answered_as_its_formula_says(
    http: httpx.Client, area: int, rate: float | None, city: int, kind: str
) -> None:
    record = {"Living Area": area, "Rate": rate, "City": city, "Kind": kind}
    assert http.post("/predict", json=record).json()["prediction"] == tiny_answer(record)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_no_body_whatever_is_answered_with_a_server_error(http: httpx.Client, body: bytes) -> None:
    for path in ("/predict", "/predict/batch"):
        assert http.post(path, content=body, headers=JSON).status_code < 500


@pytest.mark.parametrize("written", ["120.0", "1.2e2", "120"])
def test_a_whole_number_is_one_however_it_is_written(http: httpx.Client, written: str) -> None:
    body = json.dumps({**GOOD, "Living_Area": -1}).replace("-1", written)
    usual = http.post("/predict", json={**GOOD, "Living_Area": 120})
    assert http.post("/predict", content=body, headers=JSON).content == usual.content
