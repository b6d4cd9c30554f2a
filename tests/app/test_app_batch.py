"""POST /predict/batch with every media type, as a client meets it."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opening import TestClient, opened

from rain import COMPARED, rain_bundle
from rents import rents_bundle
from tests.apis import serving
from tests.bundles import tiny_bundle

JSON, CSV = "application/json", "text/csv"
PARQUET, ARROW = "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"
PATH = "/predict/batch"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TestClient]:
    return {
        "rain": opened(rain_bundle(tmp_path_factory.mktemp("rain"), compared=COMPARED)),
        "rents": opened(rents_bundle(tmp_path_factory.mktemp("rents"))),
        "tiny": opened(tiny_bundle(tmp_path_factory.mktemp("tiny"))),
    }


def columns(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def as_csv(rows: Rows, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_arrow(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def read(content: bytes, kind: str) -> Rows:
    """The rows of a tabular answer."""
    if kind == CSV:
        return list(csv.DictReader(io.StringIO(content.decode())))
    table = pq.read_table(io.BytesIO(content)) if kind == PARQUET else pa.ipc.open_stream(content).read_all()
    return table.to_pylist()


def flat(answer: dict[str, Any]) -> dict[str, Any]:
    """One record's answer as a row of a table has it."""
    row = {name: value for name, value in answer.items() if name not in ("case", "version", "unit")}
    row.pop("technical_details", None)
    for label, odds in row.pop("probabilities", {}).items():
        row[f"probability_{label}"] = odds
    if interval := row.pop("interval", None):
        row |= {"interval_low": interval["low"], "interval_high": interval["high"]}
    return row | {"warnings": "; ".join(row["warnings"]) or None, "error": None}


def alone(api: TestClient, rows: Rows) -> Rows:
    """What each row is answered by itself, or its error."""
    found = []
    for row in rows:
        response = api.post("/predict", content=json.dumps(row), headers={"Content-Type": JSON})
        answer = response.json()
        found.append(
            flat(answer)
            if response.is_success
            else {"error": " ".join(fault["message"] for fault in answer["errors"])}
        )
    return found


def same(found: Rows, expected: Rows) -> None:
    """Whether a table's answers are those; in a CSV nothing and null are the same, and numbers are text."""
    for row, wanted in zip(found, expected, strict=True):
        for name, value in row.items():
            if isinstance(wanted.get(name), float):
                assert float(value) == wanted[name], name
            else:
                assert (value or None) == wanted.get(name), name


DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1))
NAMES = st.sampled_from(["North", "south", "SOUTH", "West", "", "a,b", 'a "b"'])
PLACES = st.none() | st.sampled_from(["Belém", "Manaus", "x", "z" * 1001, "line\nbreak", ";"])
HUMID = st.none() | st.floats(0, 100) | st.sampled_from([-1.0, 101.0, 1e300, 5e-324, 99.99999999999999])
RAIN = st.fixed_dictionaries({"Day": DAYS, "Wind_Dir": NAMES, "Humidity": HUMID, "Place": PLACES})
AREAS = st.integers(-5, 1000) | st.sampled_from([100_000, 100_001, 2**53, 2**60])
MOMENTS = st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
RENT = st.fixed_dictionaries(
    {"Area": AREAS, "Bairro": st.sampled_from(["Centro", "Leme", ""]), "Seen at": MOMENTS}
)
TABLES = st.one_of(
    st.tuples(st.just("rain"), st.lists(RAIN, min_size=1, max_size=6)),
    st.tuples(st.just("rents"), st.lists(RENT, min_size=1, max_size=6)),
)
TYPES = {
    "Day": pa.date32(), "Wind_Dir": pa.string(), "Humidity": pa.float64(), "Place": pa.string(),
    "Area": pa.int64(), "Bairro": pa.string(), "Seen at": pa.timestamp("us"),
}  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_table=TABLES,
    kind=st.sampled_from([CSV, PARQUET, ARROW]),
    accept=st.sampled_from([CSV, PARQUET, ARROW]),
)
def test_each_row_is_answered_as_it_is_alone_whatever_the_type(
    apis: dict[str, TestClient], given_table: tuple[str, Rows], kind: str, accept: str
) -> None:
    case, typed = given_table
    api = apis[case]
    rows: Rows = [{name: _json(value) for name, value in row.items()} for row in typed]
    if kind == CSV:  # an empty cell is a missing one
        rows = [
            {name: value or None if isinstance(value, str) else value for name, value in row.items()}
            for row in rows
        ]
    expected = alone(api, rows)

    for content in (rows, columns(rows)):
        answer = api.post(PATH, json=content).json()
        found = [flat(row) if "warnings" in row else {"error": row["error"]} for row in answer["predictions"]]
        assert found == expected
        assert answer["failed"] == sum(row["error"] is not None for row in expected)

    table = pa.table({name: pa.array(column, TYPES[name]) for name, column in columns(typed).items()})
    body = {CSV: lambda: as_csv(rows), PARQUET: lambda: as_parquet(table), ARROW: lambda: as_arrow(table)}
    response = api.post(PATH, content=body[kind](), headers={"Content-Type": kind, "Accept": accept})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].partition(";")[0] == accept
    same(read(response.content, accept), expected)


ODD = st.sampled_from(
    [True, False, 0, 1, 2, -1, 1.0, 2.5, 0.0, None, "1", "true", "a", "", [], {}, 2**53, 1e308]
)
CELLS = dict.fromkeys(("Living_Area", "Rate", "City", "Kind"), ODD)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=5))
def test_values_of_any_json_type_are_judged_as_they_are_alone(
    apis: dict[str, TestClient], rows: Rows
) -> None:
    expected = [row["error"] for row in alone(apis["tiny"], rows)]
    for content in (rows, columns(rows)):
        answer = apis["tiny"].post(PATH, json=content).json()
        assert [row.get("error") for row in answer["predictions"]] == expected


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def test_rows_with_many_faults_take_little_memory_and_tell_a_few_of_them(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    record = {f"unknown_{place}": place for place in range(20)}
    rows = 10_000
    body = json.dumps([record] * rows).encode()
    with serving(tmp_path / "artefatos") as running:
        process = psutil.Process(running.process.pid)
        answer = httpx.post(f"{running.url}{PATH}", content=body, timeout=120, trust_env=False).json()
        assert process.memory_info().rss < 250_000_000
    assert answer["failed"] == rows
    told = answer["predictions"][-1]["error"]
    assert told.count("unknown_") + told.count("is missing") == 5
    assert told.endswith("And 18 more.")
    listed = [fault["row"] for fault in answer["errors"]]
    assert len(answer["errors"]) == 20
    assert listed == [1] * 20
