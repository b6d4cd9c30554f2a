"""Each platform's own contract, asked as that platform asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from opening import opened

from app.platforms.whole import Whole
from rain import rain_bundle
from tests.apis import serving
from tests.bundles import tiny_answer, tiny_bundle

RECORDS: list[dict[str, Any]] = [
    {"Living_Area": 120, "Rate": 1.5, "City": 2, "Kind": "a"},
    {"Living_Area": 300, "Rate": None, "City": 3, "Kind": "b"},
]
NAMES = list(RECORDS[0])
ROWS = [list(record.values()) for record in RECORDS]
COLUMNS = {name: [record[name] for record in RECORDS] for name in NAMES}
ANSWERS = [tiny_answer({**record, "Living Area": record["Living_Area"]}) for record in RECORDS]
"""What `POST /predict` answers to them."""


def test_sagemaker_pings_and_invokes_with_json_and_csv(http: httpx.Client):
    assert http.get("/ping").status_code == 200
    csv = "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in ROWS)
    for content in (
        csv,
        csv.rstrip("\n"),
        ",".join(NAMES) + "\n" + csv,
        "Living Area,Rate,City,Kind\n" + csv,
    ):
        answer = http.post("/invocations", content=content, headers={"content-type": "text/csv"})
        assert answer.json() == {"predictions": ANSWERS}, content
        lines = http.post(
            "/invocations", content=content, headers={"content-type": "text/csv", "accept": "text/csv"}
        )
        assert lines.headers["content-type"].startswith("text/csv")
        assert [float(line) for line in lines.text.splitlines()] == ANSWERS


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "data": ROWS}},
        {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in ROWS], "index": [0, 1]}},
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_records": RECORDS},
        {"instances": RECORDS},
        {"instances": ROWS},
        {"inputs": COLUMNS},
        {"inputs": ROWS, "params": {}},
        {"dataframe_records": [{**record, "City": float(record["City"])} for record in RECORDS]},
    ],
)
def test_mlflow_scores_in_each_of_its_forms(http: httpx.Client, body: Any):
    answer = http.post("/invocations", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"predictions": ANSWERS}


def test_mlflows_own_client_writes_what_is_understood(http: httpx.Client):
    import pandas as pd
    from mlflow.utils.proto_json_utils import dump_input_data

    frame = pd.DataFrame(RECORDS)
    answer = http.post(
        "/invocations", content=dump_input_data(frame), headers={"content-type": "application/json"}
    )
    assert answer.json() == {"predictions": ANSWERS}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "exactly one of dataframe_split"),
        ([1], "exactly one of"),
        ({"inputs": COLUMNS, "instances": ROWS}, "exactly one of"),
        ({"instances": []}, "a list of records"),
        ({"instances": [ROWS[0], ROWS[1][:2]]}, "Row 2 must be a list of 4 values"),
        ({"instances": [RECORDS[0], 7]}, "row"),
        ({"instances": [{**RECORDS[0], "City": 9}]}, "City"),
        ({"instances": [{**RECORDS[0], "City": 2.5}]}, "City"),
        ({"inputs": {**COLUMNS, "Colour": ["red", "red"]}}, "Colour"),
        ({"inputs": {**COLUMNS, "City": [1]}}, "as many values"),
        ({"dataframe_split": {"columns": NAMES, "data": [[1]]}}, "Row 1 of dataframe_split.data"),
        ({"dataframe_split": 5}, "columns and data"),
        ({"instances": ROWS, "params": {"a": 1}}, "no params"),
        ({"dataframe_split": {"data": []}}, "There are no rows"),
        ({"dataframe_split": {"columns": NAMES, "data": []}}, "There are no rows"),
        ({"dataframe_split": {"columns": 5, "data": []}}, "a list of the columns' names"),
        ({"dataframe_split": {"columns": [["City"]], "data": [[1]]}}, "a list of the columns' names"),
        ({"dataframe_split": {"columns": [*NAMES, "City"], "data": [[*ROWS[0], 3]]}}, "one column 'City'"),
    ],
)
def test_a_bad_invocation_is_refused_with_its_reason(http: httpx.Client, body: Any, says: str):
    answer = http.post("/invocations", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text


def test_what_is_no_json_or_no_known_type_is_refused(http: httpx.Client):
    assert (
        http.post("/invocations", content=b"{", headers={"content-type": "application/json"}).status_code
        == 400
    )
    assert http.post("/invocations", content=b"{", headers={"content-type": "image/png"}).status_code == 415
    parquet = {"content-type": "application/vnd.apache.parquet"}
    assert http.post("/invocations", content=b"{", headers=parquet).status_code == 415
    assert http.post("/v2/models/tiny/infer", content=b"[" * 100_000).status_code == 400
    assert http.post("/invocations", content=b"", headers={"content-type": "text/csv"}).status_code in (
        400,
        422,
    )


def test_vertex_asks_where_it_says(tmp_path: Path):
    tiny_bundle(tmp_path / "artefatos")
    told = {
        "AIP_HEALTH_ROUTE": "/v1/endpoints/7/deployedModels/8",
        "AIP_PREDICT_ROUTE": "/v1/endpoints/7/deployedModels/8:predict",
    }
    with serving(tmp_path / "artefatos", **told) as api:
        assert httpx.get(api.url + told["AIP_HEALTH_ROUTE"]).status_code == 200
        for instances in (RECORDS, ROWS):
            answer = httpx.post(api.url + told["AIP_PREDICT_ROUTE"], json={"instances": instances})
            assert answer.json() == {"predictions": ANSWERS}


def test_vertex_may_ask_at_predict(http: httpx.Client):
    answer = http.post("/predict", json={"instances": RECORDS})
    assert answer.json() == {"predictions": ANSWERS}
    detailed = http.post("/predict", json={"instances": RECORDS, "parameters": {"details": True}})
    assert [one["prediction"] for one in detailed.json()["predictions"]] == ANSWERS
    for bad in (
        {"instances": []},
        {"instances": RECORDS, "more": 1},
        {"instances": RECORDS, "parameters": 3},
    ):
        assert http.post("/predict", json=bad).status_code == 422
    assert "instances" not in http.post("/predict", json={"Living_Area": 1}).json()["detail"]


def _tensor(name: str, cells: list[Any], datatype: str, shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "shape": shape or [len(cells)], "datatype": datatype, "data": cells}


COLUMN_TENSORS = [
    _tensor("Living_Area", [120, 300], "INT64"),
    _tensor("Rate", [1.5, None], "FP64", [2, 1]),
    _tensor("City", [[2.0], [3.0]], "FP32", [2, 1]),
    _tensor("Kind", ["a", "b"], "BYTES"),
]


@pytest.mark.parametrize("path", ["/v2/models/tiny", "/v2/models/tiny/versions/1"])
def test_the_open_inference_protocol_describes_and_infers(http: httpx.Client, path: str):
    assert http.get("/v2").json()["name"] == "esteira"
    assert http.get("/v2/health/live").json() == {"live": True}
    assert http.get("/v2/health/ready").json() == {"ready": True}
    assert http.get(f"{path}/ready").json() == {"name": "tiny", "ready": True}
    described = http.get(path).json()
    assert described["versions"] == ["1"]
    assert [(one["name"], one["datatype"]) for one in described["inputs"]] == [
        ("Living_Area", "INT64"), ("Rate", "FP64"), ("City", "INT64"), ("Kind", "BYTES"),
    ]  # fmt: skip
    assert [one["name"] for one in described["outputs"]] == ["prediction"]
    answer = http.post(f"{path}/infer", json={"id": "42", "inputs": COLUMN_TENSORS})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "model_name": "tiny",
        "model_version": "1",
        "id": "42",
        "outputs": [{"name": "prediction", "datatype": "FP64", "shape": [2], "data": ANSWERS}],
    }


def test_a_tensor_of_all_columns_is_taken_too(tmp_path: Path):
    tiny_bundle(tmp_path / "artefatos", with_text=False)
    rows = [[120.0, 1.5, 2.0], [300.0, None, 3.0]]
    flat = [cell for row in rows for cell in row]
    with serving(tmp_path / "artefatos") as api:
        for data in (rows, flat):
            answer = httpx.post(
                f"{api.url}/v2/models/tiny/infer", json={"inputs": [_tensor("x", data, "FP64", [2, 3])]}
            )
            assert answer.json()["outputs"][0]["data"] == [242.0, 603.0]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([], "inputs, a list of tensors"),
        ([5], "name, shape, datatype and data"),
        ([{**COLUMN_TENSORS[0], "datatype": "INT65"}], "datatype must be one of"),
        ([{**COLUMN_TENSORS[0], "shape": [3]}], "data has 2 values, but shape says 3"),
        ([{**COLUMN_TENSORS[0], "shape": [1, 1, 2]}], "[N] or [N, 1]"),
        ([{**COLUMN_TENSORS[0], "data": 7}], "data must be a list"),
        ([{**COLUMN_TENSORS[0], "name": "x", "shape": [1, 2]}], "[N, 4]"),
        ([{**COLUMN_TENSORS[0], "name": "x", "shape": [0, 4], "data": []}], "There are no rows"),
        ([{**COLUMN_TENSORS[0], "datatype": ["FP64"]}], "datatype must be one of"),
        ([{**COLUMN_TENSORS[0], "shape": []}], "[N] or [N, 1]"),
        ([{**COLUMN_TENSORS[0], "shape": [10**9] * 100_000}], "[N] or [N, 1]"),
        ([{**COLUMN_TENSORS[0], "shape": [1, 10**4000]}], "more columns than there can be"),
        ([*COLUMN_TENSORS, _tensor("City", [3, 2], "INT64")], "one column 'City'"),
        (COLUMN_TENSORS[1:], "Living_Area"),
        ([*COLUMN_TENSORS[:3], _tensor("Kind", ["a", "z"], "BYTES")], "Kind"),
    ],
)
def test_a_bad_inference_is_an_error_in_the_protocols_own_form(http: httpx.Client, inputs: Any, says: str):
    answer = http.post("/v2/models/tiny/infer", json={"inputs": inputs})
    assert answer.status_code == 422, answer.text
    assert list(answer.json()) == ["error"]
    assert says in answer.json()["error"]


def test_another_model_or_version_is_not_found(http: httpx.Client):
    for path in ("/v2/models/other", "/v2/models/tiny/versions/9", "/v2/models/other/ready"):
        answer = http.get(path)
        assert answer.status_code == 404
        assert "Here is tiny, version 1" in answer.json()["error"]
    assert http.post("/v2/models/other/infer", json={"inputs": COLUMN_TENSORS}).status_code == 404
    wanted = {"inputs": COLUMN_TENSORS, "outputs": [{"name": "weather"}]}
    assert http.post("/v2/models/tiny/infer", json=wanted).status_code == 422


def test_a_tensor_of_more_rows_than_a_batch_may_have_is_too_large(http: httpx.Client):
    for rows in (100_001, 10**4000):
        tensor = {**COLUMN_TENSORS[0], "shape": [rows, rows]}
        answer = http.post("/v2/models/tiny/infer", json={"inputs": [tensor]})
        assert answer.status_code == 413, answer.text
        assert "More than 100,000 rows" in answer.json()["error"]


@pytest.mark.parametrize("more", [{"outputs": [{"name": ["prediction"]}]}, {"id": {}}, {"id": ["a"]}])
def test_what_the_protocol_wants_as_a_text_is_refused_as_anything_else(http: httpx.Client, more: Any):
    answer = http.post("/v2/models/tiny/infer", json={"inputs": COLUMN_TENSORS, **more})
    assert answer.status_code == 422, answer.text
    assert next(iter(more)) in answer.json()["error"]


def test_an_id_that_is_null_is_none(http: httpx.Client):
    answer = http.post("/v2/models/tiny/infer", json={"id": None, "inputs": COLUMN_TENSORS})
    assert answer.status_code == 200
    assert "id" not in answer.json()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {**RECORDS[0], "Kind": "\ud800"}),
        ("/predict", {"instances": [{**RECORDS[0], "Kind": "\ud800"}]}),
        ("/invocations", {"instances": [{**RECORDS[0], "Kind": "\ud800"}]}),
        ("/invocations", {"instances": [{**RECORDS[0], "\ud800": 1}]}),
        ("/v2/models/tiny/infer", {"id": "\ud800", "inputs": COLUMN_TENSORS}),
        ("/v2/models/tiny/infer", {"inputs": [_tensor("\ud800", [1], "INT64")]}),
    ],
)
def test_half_a_character_is_no_json_on_any_path(http: httpx.Client, path: str, body: Any):
    headers = {"content-type": "application/json"}
    answer = http.post(path, content=json.dumps(body), headers=headers)
    assert answer.status_code == 400, answer.text
    assert "not valid JSON" in answer.text


def test_nan_is_a_missing_value_on_every_platform(http: httpx.Client):
    row, tensors = [300, float("nan"), 3, "b"], [_tensor("Rate", [float("nan")], "FP64")]
    tensors += [_tensor(name, [ROWS[1][at]], "BYTES") for at, name in enumerate(NAMES) if name != "Rate"]
    headers = {"content-type": "application/json"}
    for path, body in (
        ("/invocations", {"dataframe_split": {"data": [row]}}),
        ("/predict", {"instances": [dict(zip(NAMES, row, strict=True))]}),
    ):
        answer = http.post(path, content=json.dumps(body), headers=headers)
        assert answer.json() == {"predictions": ANSWERS[1:]}
    answer = http.post("/v2/models/tiny/infer", content=json.dumps({"inputs": tensors}), headers=headers)
    assert answer.json()["outputs"][0]["data"] == ANSWERS[1:]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("head", [[], NAMES, ["Living Area", *NAMES[1:]]])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_with_each_delimiter_with_and_without_names(
    http: httpx.Client, delimiter: str, head: list[str], mark: str
):
    rows = [head, *([("" if cell is None else str(cell)) for cell in row] for row in ROWS)]
    content = mark + "".join(delimiter.join(row) + "\n" for row in rows if row)
    answer = http.post("/invocations", content=content.encode(), headers={"content-type": "text/csv"})
    assert answer.json() == {"predictions": ANSWERS}


def test_quoted_cells_decide_nothing_about_a_csvs_delimiter(http: httpx.Client):
    content = '"300","","3","b"\n120,1.5,2,"a"\n'
    answer = http.post("/invocations", content=content, headers={"content-type": "text/csv"})
    assert answer.json() == {"predictions": ANSWERS[::-1]}
    content = content.replace('"b"', '"b;;;;"')
    answer = http.post("/invocations", content=content, headers={"content-type": "text/csv"})
    assert answer.status_code == 422
    assert "b;;;;" in answer.text


def test_a_csv_of_one_endless_line_is_refused(http: httpx.Client):
    content = "1" * 3_000_000
    answer = http.post("/invocations", content=content, headers={"content-type": "text/csv"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/", 404),
        ("GET", "/v2/models/tiny/infer", 405),
        ("POST", "/v2", 405),
        ("POST", "/v2/models/tiny/infer", 415),
    ],
)
def test_all_that_goes_wrong_below_v2_is_an_error_in_the_protocols_own_form(
    http: httpx.Client, method: str, path: str, status: int
):
    answer = http.request(method, path, content=b"x", headers={"content-type": "text/plain"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert ("allow" in answer.headers) is (status == 405)


def test_an_error_of_the_api_itself_is_one_too_and_says_where_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the API")

    client = opened(tiny_bundle(tmp_path))
    monkeypatch.setattr(Whole, "answer", broken)
    inferred = client.post("/v2/models/tiny/infer", json={"inputs": COLUMN_TENSORS})
    assert inferred.status_code == 500
    assert list(inferred.json()) == ["error"]
    assert "its log says where, under" in inferred.json()["error"]
    invoked = client.post("/invocations", json={"instances": RECORDS})
    assert invoked.headers["content-type"] == "application/problem+json"


def test_a_case_may_be_called_as_a_word_of_the_protocol(tmp_path: Path):
    for case in ("ready", "versions", "infer"):
        client = opened(tiny_bundle(tmp_path / case, case=case))
        for path in (f"/v2/models/{case}", f"/v2/models/{case}/versions/1"):
            assert client.get(path).json()["inputs"]
            assert client.get(f"{path}/ready").json() == {"name": case, "ready": True}


def test_classes_come_as_labels_and_probabilities(tmp_path: Path):
    bundle = rain_bundle(tmp_path / "artefatos")
    record = dict(bundle.metadata.example)
    with serving(tmp_path / "artefatos", case=bundle.metadata.case) as api:
        plain = httpx.post(f"{api.url}/predict", json=record).json()
        scored = httpx.post(f"{api.url}/invocations", json={"instances": [record] * 3}).json()
        assert scored == {"predictions": [plain["prediction"]] * 3}
        tensors = [
            _tensor(name, [value], "BYTES" if isinstance(value, str) else "FP64")
            for name, value in record.items()
        ]
        inferred = httpx.post(
            f"{api.url}/v2/models/{bundle.metadata.case}/infer", json={"inputs": tensors}
        ).json()
    outputs = {one["name"]: one for one in inferred["outputs"]}
    assert outputs["prediction"]["data"] == [plain["prediction"]]
    assert outputs["probabilities"]["data"] == list(plain["probabilities"].values())
    assert outputs["probabilities"]["parameters"]["labels"] == list(plain["probabilities"])
    assert json.dumps(outputs["probabilities"]["shape"]) == f"[1, {len(plain['probabilities'])}]"
