"""Tables sent to and got from POST /predict/batch: what is taken, what is refused and how."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opening import TestClient, opened
from test_app_batch import ARROW, CSV, JSON, PARQUET, PATH, as_arrow, as_parquet, read

from app import batches
from rain import rain_bundle
from rents import rents_bundle
from tests.bundles import tiny_bundle

HEAD = "Living Area,Rate,City,Kind\n"
GOOD = HEAD + "120,2.5,1,b\n"
RECORD = {"Living_Area": 120, "Rate": 2.5, "City": 1, "Kind": "b"}
TABLE = pa.table({name.replace("_", " "): [value] for name, value in RECORD.items()})
BODIES = {JSON: json.dumps([RECORD]).encode(), CSV: GOOD.encode()}
BODIES |= {PARQUET: as_parquet(TABLE), ARROW: as_arrow(TABLE)}


def post(http: Any, body: str | bytes, kind: str = CSV, query: str = "", **headers: str) -> httpx.Response:
    answer: httpx.Response = http.post(PATH + query, content=body, headers={"Content-Type": kind, **headers})
    return answer


def refusal(response: httpx.Response, status: int = 422) -> str:
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["detail"])


def test_an_arrow_answer_is_not_compressed_as_not_every_reader_can_undo_that(http: httpx.Client) -> None:
    rows = pa.concat_tables([TABLE] * 1_000).combine_chunks()
    answer = post(http, as_arrow(rows), ARROW)
    with pa.ipc.open_stream(answer.content) as stream:
        table = stream.read_all()
    assert table.num_rows == 1_000
    assert len(answer.content) > table.nbytes


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, None), ("*/*", None), ("application/json", JSON), ("text/csv", CSV), (PARQUET, PARQUET),
        (ARROW, ARROW), ("text/*", CSV), ("text/csv;q=0.5, application/json;q=0.9", JSON),
        ("image/png, */*;q=0.1", None), ("text/html, TEXT/CSV ; Q=0.2", CSV), ("*/*;q=0, text/csv", CSV),
        ("text/csv;q=nonsense, application/json", JSON), ("", None), (",", None),
    ],
)  # fmt: skip
def test_the_answer_has_the_type_that_is_asked_for_else_the_one_sent(
    http: httpx.Client, kind: str, accept: str | None, answered: str | None
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = post(http, BODIES[kind], kind, **headers)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == (answered or kind)
    assert response.headers["model-version"] == "1"
    if (answered or kind) == JSON:
        assert response.json()["predictions"] == [{"prediction": 251.0, "warnings": []}]
    else:
        (row,) = read(response.content, answered or kind)
        assert (float(row["prediction"]), row["error"] or None) == (251, None)


@pytest.mark.parametrize("accept", ["image/png", "text/html;q=1, text/csv;q=0", "*/*;q=0"])
def test_a_type_that_cannot_be_answered_is_refused_with_those_that_can(
    http: httpx.Client, accept: str
) -> None:
    detail = refusal(post(http, GOOD, Accept=accept), 406)
    assert all(kind in detail for kind in BODIES)


@pytest.mark.parametrize("kind", ["text/plain", "application/parquet", "", "text/csv; charset=latin-1"])
def test_a_body_of_another_type_or_encoding_is_refused(http: httpx.Client, kind: str) -> None:
    assert "must be" in refusal(post(http, GOOD, kind), 415)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEAD, "no rows; send at least one"),
        ("Living Area,Rate,Kind\n1,2,a\n", "City is missing; send one of 1, 2, 3."),
        ("Living Area,Rate,Kind,Citty\n1,2,a,1\n", "did you mean City?"),
        ("City,City,Living Area,Kind\n1,1,1,a\n", "more than one column 'City'"),
        ("Living_Area,Living Area,City,Kind\n1,1,1,a\n", "sent under two names"),
    ],
)
def test_a_table_without_the_models_columns_or_rows_is_refused(
    http: httpx.Client, body: str, said: str
) -> None:
    assert said in refusal(post(http, body))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CSV, HEAD + "1,2,1\n"), (CSV, HEAD + "1,2,1,a,5\n"), (CSV, HEAD.encode() + b"1,2,1,\xff\n"),
        (CSV, b"\x89PNG\r\n\x1a\n\x00"), (PARQUET, b""), (PARQUET, GOOD), (PARQUET, b"PAR1" * 9),
        (PARQUET, BODIES[PARQUET][:-9] + b"12345PAR1"), (ARROW, b""), (ARROW, GOOD),
        (ARROW, BODIES[ARROW][:300]),
    ],
)  # fmt: skip
def test_what_is_not_of_its_type_is_a_problem_that_says_so(
    http: httpx.Client, kind: str, body: bytes
) -> None:
    assert kind in refusal(post(http, body, kind), 400)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([[1]]), CSV), (pa.array([{"a": 1}]), CSV), (pa.array([{}], pa.struct([])), PARQUET),
        (pa.array([pa.MonthDayNano([1, 2, 3])]), PARQUET),
        (pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]), PARQUET),
    ],
)  # fmt: skip
def test_a_kept_column_that_the_answer_cannot_hold_is_refused_by_name(
    http: httpx.Client, column: pa.Array, kind: str
) -> None:
    body = as_arrow(TABLE.append_column("odd", column))
    assert f"odd is of a type that {kind} cannot hold" in refusal(
        post(http, body, ARROW, "?keep=true", Accept=kind)
    )
    assert post(http, body, ARROW, "?keep=true").status_code == 200


def test_what_stands_between_quotes_in_a_header_does_not_part_it(http: httpx.Client) -> None:
    body = 'Living Area,Rate,City,Kind,"a;b;c;d;e;f;g"\n120,2.5,1,b,x\n'
    assert post(http, body, CSV, "?keep=true").status_code == 200


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array(["12"]), "Living_Area cannot be a column of type Utf8; send a whole number from 0 to 1000"),
        (pa.array([True]), "type Boolean"),
        (pa.array([date(2020, 1, 1)]), "type Date32"),
        (pa.array([[1]]), "type List"),
    ],
)
def test_a_column_of_a_type_that_never_fits_is_refused_with_what_does(
    http: httpx.Client, column: pa.Array, said: str
) -> None:
    table = TABLE.set_column(0, "Living Area", column)
    assert said in refusal(post(http, as_parquet(table), PARQUET))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([120], pa.uint8()), pa.array([120.0], pa.float32()), pa.array([120.0]),
        pa.array([Decimal("120.00")]), pa.array([120], pa.uint64()), pa.array([120]).dictionary_encode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [PARQUET, ARROW])
def test_a_number_may_be_of_any_numeric_type(http: httpx.Client, kind: str, column: pa.Array) -> None:
    table = TABLE.set_column(0, "Living Area", column)
    body = as_parquet(table) if kind == PARQUET else as_arrow(table)
    assert post(http, body, kind, Accept=JSON).json()["predictions"] == [{"prediction": 251, "warnings": []}]


def test_what_pandas_makes_of_missing_cells_dates_and_categories_is_understood(tmp_path: Path) -> None:
    api = opened(rain_bundle(tmp_path))
    frame = pd.DataFrame(
        {
            "Day": pd.to_datetime(["2012-06-01", "2012-06-02"]),
            "Wind Dir": pd.Categorical(["South", "north"]),
            "Humidity": [98, None],
            "Place": ["Belém", None],
        }
    )
    body = as_parquet(pa.Table.from_pandas(frame, preserve_index=False))
    found = post(api, body, PARQUET, Accept=JSON).json()["predictions"]
    records = [
        {"Day": "2012-06-01", "Wind_Dir": "South", "Humidity": 98, "Place": "Belém"},
        {"Day": "2012-06-02", "Wind_Dir": "North"},
    ]
    assert found == api.post(PATH, json=records).json()["predictions"]


def test_moments_far_off_and_of_any_unit_are_as_they_are_in_json(tmp_path: Path) -> None:
    api = opened(rents_bundle(tmp_path))
    moments = [datetime(2020, 6, 1, 10, 30, 59), datetime(1960, 1, 1, 23), None]
    expected = [
        {"Area": 9, "Bairro": "Centro", "Seen_at": moment and moment.isoformat()} for moment in moments
    ]
    for unit, zone in (("s", None), ("ms", "UTC"), ("us", None), ("ns", None), ("ns", "UTC")):
        column = pa.array(moments, pa.timestamp(unit, zone))
        table = pa.table({"Area": [9] * 3, "Bairro": ["Centro"] * 3, "Seen at": column})
        found = post(api, as_arrow(table), ARROW, Accept=JSON).json()
        assert found == api.post(PATH, json=expected).json()
    never = pa.array([2**62], pa.int64()).cast(pa.timestamp("s"), safe=False)
    table = pa.table({"Area": [9], "Bairro": ["Centro"], "Seen at": never})
    assert "cannot be" in post(api, as_arrow(table), ARROW, Accept=JSON).json()["predictions"][0]["error"]


def test_bad_rows_are_told_in_a_column_of_their_own_unless_the_batch_is_strict(http: httpx.Client) -> None:
    body = HEAD + "120,,1,b\n,,1,b\n900,,1,b\nbig,nan,9,b\n120.0,1e0,+2,a\n"
    rows = read(post(http, body).content, CSV)
    assert [row["prediction"] for row in rows] == ["251.0", "", "1811.0", "", "242.0"]
    assert [row["error"] for row in rows] == [
        "",
        "Living_Area cannot be null; send a whole number from 0 to 1000 (m²).",
        "",
        'Living_Area cannot be "big"; send a whole number from 0 to 1000 (m²). '
        'Rate cannot be "nan"; send a number from 0.0 to 10.0, or null. '
        "City cannot be 9; send one of 1, 2, 3.",
        "",
    ]
    assert rows[2]["warnings"] == "Living_Area is 900, but training saw only 10 to 500"
    response = post(http, body, query="?strict=true")
    assert refusal(response) == "2 of 5 rows cannot be used (the first row is 1): 2, 4"
    assert [fault["row"] for fault in response.json()["errors"]] == [2, 4, 4, 4]
    assert post(http, GOOD, query="?strict=true").content == post(http, GOOD).content


@pytest.mark.parametrize("kind", [CSV, PARQUET, ARROW])
@pytest.mark.parametrize("strict", ["", "?strict=true"])
def test_a_table_answers_the_same_however_much_of_the_first_reading_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, strict: str
) -> None:
    rows = 40_000
    cities = pa.array([7 if row in (5, 20_000, 39_999) else 1 + row % 3 for row in range(rows)])
    areas = pa.array([row % 1001 for row in range(rows)])
    table = pa.table({"Living Area": areas, "Rate": [2.5] * rows, "City": cities, "Kind": ["a"] * rows})
    writes = {CSV: lambda it: it.to_pandas().to_csv(index=False), PARQUET: as_parquet, ARROW: as_arrow}
    answers = []
    with opened(tiny_bundle(tmp_path)) as http:
        for kept, seconds in ((batches.KEPT, batches.SOON), (200_000, 60.0), (0, 60.0), (batches.KEPT, 0.0)):
            monkeypatch.setattr(batches, "KEPT", kept)
            monkeypatch.setattr(batches, "SOON", seconds)
            answers.append(post(http, writes[kind](table), kind, strict, Accept=CSV))
    assert {answer.text for answer in answers} == {answers[0].text}
    if strict:
        assert "3 of 40,000 rows" in answers[0].text
        assert "6, 20001, 40000" in answers[0].text
    else:
        found = pd.read_csv(io.StringIO(answers[0].text))
        assert found.index[found["error"].notna()].tolist() == [5, 20_000, 39_999]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_kept_columns_come_back_before_the_answers(http: httpx.Client, delimiter: str) -> None:
    body = f"\ufeffid,{HEAD}".replace(",", delimiter) + '"x\ny",120,2.50,1,b\r\n'.replace(",", delimiter)
    kept = post(http, body, query="?keep=true").text
    assert kept.replace(delimiter, ",") == (
        "id,Living Area,Rate,City,Kind,prediction,warnings,error\n"
        '"x\ny",120,2.50,1,b,251.0,,\n'
    )  # fmt: skip
    assert "id is not a field" in refusal(post(http, body))
    table = TABLE.append_column("id", pa.array([date(2020, 1, 1)]))
    (row,) = read(post(http, as_arrow(table), ARROW, "?keep=true", Accept=PARQUET).content, PARQUET)
    assert (row["id"], row["Living Area"], row["prediction"]) == (date(2020, 1, 1), 120, 251)


def test_what_cannot_be_kept_or_switched_is_told(http: httpx.Client) -> None:
    named = post(http, GOOD.replace("Kind", "Kind,error").replace(",b\n", ",b,1\n"), query="?keep=true")
    assert "already has a column error" in refusal(named)
    assert post(http, GOOD, query="?keep=true", Accept=JSON).json() == post(http, GOOD, Accept=JSON).json()
    assert "strict must be true or false, not 'yes'" in refusal(post(http, GOOD, query="?strict=yes"))


def test_columns_of_lists_are_checked_as_a_whole(http: httpx.Client) -> None:
    lists = {name: [value] * 2 for name, value in RECORD.items()}
    for changed, said in (
        ({"Kind": ["a"]}, "Kind has 1"),
        ({"Kind": "ab"}, "Kind must be a list"),
        ({"Kynd": ["a", "a"]}, "did you mean Kind?"),
        ({name: [] for name in RECORD}, "send at least one"),
    ):
        assert said in refusal(http.post(PATH, json={**lists, **changed}))
    assert http.post(PATH, json=lists).json()["predictions"] == [{"prediction": 251, "warnings": []}] * 2


def test_a_large_json_body_that_breaks_off_is_told_where(http: httpx.Client) -> None:
    rows = ",\n".join([json.dumps(RECORD)] * 30_000)
    text = '},{"Kind":"}, {"' * 50_000
    for content, place in ((f"[{rows},\n{{]", "line 30001 column 2"), (f"[{json.dumps(text)}", "line 1")):
        response = http.post(PATH, content=content.encode(), headers={"Content-Type": JSON})
        assert place in refusal(response, 400)
    assert f"column {len(content)}" in response.json()["detail"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from([CSV, PARQUET, ARROW]))
def test_no_table_whatever_is_answered_with_a_server_error(
    http: TestClient, data: st.DataObject, kind: str
) -> None:
    content = bytearray(BODIES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for body in (bytes(content), bytes(content[:cut]), data.draw(st.binary(max_size=100))):
        assert post(http, body, kind).status_code in (200, 400, 413, 422)
