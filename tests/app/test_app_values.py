"""Dates, text in any case, unseen levels and missing values, as a client sends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opening import TestClient, opened

from app.words import Levels, allowed
from bundles import facts_of, files_with, tiny_bundle, tiny_graph
from esteira.bundle import publish
from esteira.columns import Category, Column, Date, Integer
from esteira.metadata import Seen
from rain import rain_bundle, rain_odds
from rents import rent, rents_bundle

WET = {"Day": "2012-06-01", "Wind_Dir": "South", "Humidity": 98, "Place": "Belém"}
FLAT = {"Area": 100, "Bairro": "Centro"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return opened(rain_bundle(tmp_path_factory.mktemp("rain")))


@pytest.fixture(scope="module")
def rents(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return opened(rents_bundle(tmp_path_factory.mktemp("rents")))


def predicted(api: TestClient, record: dict[str, Any]) -> dict[str, Any]:
    response = api.post("/predict", json=record)
    assert response.status_code == 200, response.text
    return dict(response.json())


def refused(api: TestClient, record: dict[str, Any]) -> str:
    response = api.post("/predict", json=record)
    assert response.status_code == 422, response.text
    (fault,) = response.json()["errors"]
    return str(fault["message"])


@pytest.mark.parametrize(
    "sent",
    [
        "31/12/2019",
        "2012-6-1",
        "20120601",
        "2012-W23-5",
        "2012-02-30",
        "2012-06-01T00:00:00",
        "2012-06-01 ",
        "２０１２-06-01",
        "0000-01-01",
        "",
        15_492,
        15_492.0,
        True,
        None,
        ["2012-06-01"],
    ],
)
def test_what_is_not_a_date_is_refused_with_its_form_and_range(rain: TestClient, sent: object) -> None:
    message = refused(rain, {**WET, "Day": sent})
    assert message.startswith("Day cannot be ")
    assert message.endswith("; send a date (YYYY-MM-DD) from 2000-01-01 to 2030-12-31.")


@pytest.mark.parametrize(
    ("sent", "is_allowed"), [("1999-12-31", False), ("2000-01-01", True), ("2031-01-01", False)]
)
def test_a_date_out_of_its_range_is_refused(rain: TestClient, sent: str, is_allowed: bool) -> None:
    assert rain.post("/predict", json={**WET, "Day": sent}).is_success is is_allowed


def test_a_date_that_training_did_not_see_is_answered_with_a_warning_in_dates(rain: TestClient) -> None:
    assert predicted(rain, {**WET, "Day": "2026-11-21"})["warnings"] == [
        "Day is 2026-11-21, but training saw only 2007-11-01 to 2017-06-25"
    ]


@pytest.mark.parametrize(
    "sent",
    [
        "2020-06-01",
        "2020-06-01T10:30",
        "2020-06-01T10:30:59",
        "2020-06-01T10:30:59.123456",
        "2020-06-01T10:30:59.123Z",
        "2020-06-01T10:30:59-03:00",
    ],
)
def test_a_moment_may_have_a_time_and_a_zone(rents: TestClient, sent: str) -> None:
    assert predicted(rents, {**FLAT, "Seen_at": sent})["prediction"] == rent({**FLAT, "Seen at": sent})


@pytest.mark.parametrize(
    "sent", ["2020-06-01T25:00", "2020-06-01T10", "2020-06-01 10:30", "2020-06-01T10:30+99:00", "10:30"]
)
def test_what_is_not_a_moment_is_refused_with_its_form(rents: TestClient, sent: str) -> None:
    message = refused(rents, {**FLAT, "Seen_at": sent})
    assert message.endswith("; send a moment (YYYY-MM-DDTHH:MM:SS, or YYYY-MM-DD), or null.")


@pytest.mark.parametrize(
    "sent", ["9999-12-31T23:59:59.9", "9999-12-31T23:00:00-10:00", "0001-01-01T00:00:00+10:00"]
)
def test_a_moment_that_its_zone_moves_past_the_calendars_ends_is_refused(
    rents: TestClient, sent: str
) -> None:
    assert "Seen_at cannot be" in refused(rents, {**FLAT, "Seen_at": sent})


def test_a_warning_of_a_moment_shows_its_time(rents: TestClient) -> None:
    answer = predicted(rents, {**FLAT, "Seen_at": "2019-06-01T10:30:00"})
    assert answer["warnings"] == [
        "Seen_at is 2019-06-01T10:30:00, but training saw only 2020-01-01T06:30:00 to 2020-12-31"
    ]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=st.datetimes(timezones=st.none() | st.just(UTC)) | st.dates())
def test_every_moment_is_answered_as_its_formula_says(rents: TestClient, moment: datetime) -> None:
    sent = moment.isoformat()
    expected = rent({**FLAT, "Seen at": sent})
    assert predicted(rents, {**FLAT, "Seen_at": sent})["prediction"] == pytest.approx(expected)


def test_dates_are_documented_as_dates_with_an_example(rain: TestClient, rents: TestClient) -> None:
    day = rain.get("/openapi.json").json()["components"]["schemas"]["Record"]["properties"]["Day"]
    assert (day["type"], day["format"], day["examples"]) == ("string", "date", ["2008-01-01"])
    assert day["description"] == "A date (YYYY-MM-DD) from 2000-01-01 to 2030-12-31"
    moment = rents.get("/openapi.json").json()["components"]["schemas"]["Record"]["properties"]["Seen_at"]
    assert moment["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "null"}]


@pytest.mark.parametrize("sent", ["south", "SOUTH", "sOuTh"])
def test_a_level_in_any_case_is_the_level_as_it_is_spelled(rain: TestClient, sent: str) -> None:
    assert predicted(rain, {**WET, "Wind_Dir": sent}) == predicted(rain, WET)


def test_a_level_in_no_case_is_refused_and_the_documentation_keeps_the_levels(rain: TestClient) -> None:
    message = refused(rain, {**WET, "Wind_Dir": "west"})
    assert message == 'Wind_Dir cannot be "west"; send one of North, South in any case.'
    for odd in (3, None, True, ["South"]):
        assert "Wind_Dir cannot be" in refused(rain, {**WET, "Wind_Dir": odd})
    fields = rain.get("/openapi.json").json()["components"]["schemas"]["Record"]["properties"]
    assert fields["Wind_Dir"]["enum"] == ["North", "South"]


def test_case_counts_where_the_case_does_not_say_otherwise(tmp_path: Path) -> None:
    assert "Kind cannot be" in refused(
        opened(tiny_bundle(tmp_path)), {"Living_Area": 3, "City": 1, "Kind": "B"}
    )


def test_optional_values_may_be_null_or_left_out(rain: TestClient) -> None:
    bare = {"Day": "2012-06-01", "Wind_Dir": "North"}
    left_out, null = predicted(rain, bare), predicted(rain, {**bare, "Humidity": None, "Place": None})
    assert left_out == null
    expected = rain_odds({"Day": "2012-06-01", "Wind Dir": "North"})
    assert list(null["probabilities"].values()) == pytest.approx(expected, abs=1e-7)
    assert null["warnings"] == []


def test_a_text_that_training_never_saw_is_answered_with_a_warning_that_names_it(rain: TestClient) -> None:
    assert predicted(rain, {**WET, "Place": "Manaus"})["warnings"] == [
        "Place is Manaus, but training saw only Belém, Porto Alegre"
    ]


def test_of_thousands_of_levels_a_warning_gives_the_number_and_the_nearest(rents: TestClient) -> None:
    assert predicted(rents, {**FLAT, "Bairro": "copacabanna"})["warnings"] == [
        "Bairro is copacabanna, but training saw only 5,000 values, "
        "such as Copacabana, District 0000, District 0001"
    ]
    (long,) = predicted(rents, {**FLAT, "Bairro": "z" * 1000})["warnings"]
    assert len(long) < 200
    assert "District 4997" in long


@pytest.mark.parametrize("sent", ["", "z" * 1001])
def test_a_text_of_no_or_too_many_characters_is_refused(rents: TestClient, sent: str) -> None:
    assert "a text of 1 to 1000 characters" in refused(rents, {**FLAT, "Bairro": sent})


def test_a_refusal_of_one_of_thousands_of_declared_levels_names_the_nearest(tmp_path: Path) -> None:
    levels = tuple(f"place {number:04}" for number in range(3000))
    columns: dict[str, Column] = {
        "Living Area": Integer(type="integer"),
        "Rate": Integer(type="integer"),
        "City": Category(type="category", levels=tuple(range(100, 200))),
        "Kind": Category(type="category", levels=levels),
    }
    record = {"Living Area": 3, "Rate": 1, "City": 100, "Kind": "place 0001"}
    graph = tiny_graph(columns, 0)
    seen = {"Kind": Seen(levels=levels)}
    api = opened(publish(tmp_path, facts_of("tiny", columns, seen, [record], graph), files_with(graph)))
    message = refused(api, record | {"Kind": "place 2001?"})
    assert message.endswith("; send one of 3,000 values, such as place 2001, place 2002, place 2003.")
    assert "one of 100 values, such as 197, 198, 199" in refused(api, record | {"City": 5000})
    assert "one of 100 values, such as 100, 101, 102" in refused(api, record | {"City": "197"})


def test_many_levels_are_named_by_their_neighbours_and_few_all() -> None:
    assert Levels((3, 1, 2)).named(9) == "3, 1, 2"
    many = Levels(tuple(range(1000)))
    assert many.named() == "1,000 values, such as 0, 1, 2"
    assert many.named(500) == "1,000 values, such as 499, 500, 501"
    assert many.named("500") == "1,000 values, such as 0, 1, 2"
    assert many.named(-7) == "1,000 values, such as 0, 1, 2"


def test_a_date_without_a_range_or_with_half_of_one_is_described() -> None:
    assert allowed(Date(type="date")) == "a date (YYYY-MM-DD)"
    assert allowed(Date(type="date", min="20200101")) == "a date (YYYY-MM-DD) of at least 2020-01-01"


TEXTS = st.text(st.characters(exclude_categories=()))  # lone surrogates too
DATES = st.dates().map(str) | st.datetimes().map(datetime.isoformat)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | DATES
    | st.lists(st.integers(), max_size=2)
)


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("rain", ["Day", "Wind_Dir", "Wind Dir", "Humidity", "Place"]),
        ("rents", ["Area", "Bairro", "Seen_at"]),
    ],
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_record_whatever_is_answered_with_a_server_error_for_any_task(
    request: pytest.FixtureRequest, case: str, names: list[str], data: st.DataObject
) -> None:
    api = request.getfixturevalue(case)
    good = WET if case == "rain" else FLAT
    changed = data.draw(st.dictionaries(st.sampled_from(names) | TEXTS, VALUES, max_size=3))
    body = json.dumps(data.draw(st.sampled_from([{}, good])) | changed)
    one = api.post("/predict", content=body, headers=JSON).status_code
    many = api.post("/predict/batch?strict=true", content=f"[{body}]", headers=JSON).status_code
    assert {one, many} <= {200, 400, 422}
    assert one == many or 400 in (one, many)
