"""GET / as any HTTP client sees it: languages, the form without JavaScript, caching, and what it refuses."""

from __future__ import annotations

import csv
import re
from html import unescape
from pathlib import Path

import httpx
import pytest
from opening import TestClient, opened

from app.page.language import amount, chosen, percent, plain, with_unit
from hostile import EMOJI, LEVELS, SCRIPT, TITLE, hostile_bundle
from rain import COMPARED, rain_bundle
from rents import rents_bundle

HOUSE = {"Living_Area": "120", "City": "2", "Kind": "b"}
WET = {"Day": "2012-06-01", "Wind_Dir": "South", "Humidity": "98", "Place": "Belém"}
FLAT = {"Area": "100", "Bairro": "Centro"}


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return opened(rain_bundle(tmp_path_factory.mktemp("rain"), compared=COMPARED))


@pytest.fixture(scope="module")
def rents(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return opened(rents_bundle(tmp_path_factory.mktemp("rents")))


def prediction(page: httpx.Response) -> str:
    found = re.search(r'id="prediction" value="([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        (None, "en-US,en;q=0.9,pt;q=0.8", "en"),
        (None, "de,pt;q=0.3", "pt"),
        (None, "en;q=0.2, PT-pt;q=0.7", "pt"),
        (None, "pt;q=0,*;q=0.5", "en"),
        (None, "fr, *;q=0.1", "en"),
        (None, "pt;q=x,;;=,en;q=0.1", "en"),
        ("pt", "en", "pt"),
        ("xx", "pt", "pt"),
    ],
)
def test_the_language_is_the_browsers_best_or_the_one_that_is_asked_for(
    asked: str | None, accepted: str, language: str
) -> None:
    assert chosen(asked, accepted) == language


def test_numbers_are_written_as_the_language_does() -> None:
    assert [amount(12_345.678, language) for language in ("en", "pt")] == ["12,345.68", "12.345,68"]
    assert [percent(0.1234, language) for language in ("en", "pt")] == ["12.3%", "12,3 %"]
    assert [plain(1234.5, language) for language in ("en", "pt")] == ["1,234.5", "1.234,5"]
    assert [amount(value, "en") for value in (0.0, 0.5, 3e-7, 2.5e18)] == ["0", "0.5000", "3e-07", "2.5e+18"]
    assert [with_unit("-5", unit) for unit in ("R$", "m²", None)] == ["−R$ 5", "-5 m²", "-5"]


@pytest.mark.parametrize(("header", "tag", "says"), [("pt-BR", "pt-BR", "Resposta"), ("en", "en", "Answer")])
def test_the_page_speaks_the_browsers_language(http: httpx.Client, header: str, tag: str, says: str) -> None:
    page = http.get("/", headers={"Accept-Language": header})
    assert f'<html lang="{tag}">' in page.text
    assert f"<h2>{says}</h2>" in page.text
    assert (page.headers["content-language"], page.headers["vary"]) == (tag, "Accept-Language")
    assert "<h2>Resposta</h2>" in http.get("/?lang=pt", headers={"Accept-Language": header}).text


def test_at_first_the_page_answers_the_example(http: httpx.Client) -> None:
    example = http.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]
    record = example["content"]["application/json"]["example"]
    assert prediction(http.get("/")) == repr(http.post("/predict", json=record).json()["prediction"])


def test_a_form_without_javascript_is_answered_as_predict_answers(http: httpx.Client) -> None:
    page = http.get("/", params=HOUSE)
    record = {"Living_Area": 120, "City": 2, "Kind": "b"}
    assert prediction(page) == repr(http.post("/predict", json=record).json()["prediction"])
    explained = http.post("/explain", json=record).json()
    for one in explained["contributions"][:2]:
        assert f'<data value="{one["contribution"]!r}">' in page.text
    assert page.headers["cache-control"] == "no-store"


def test_classes_have_bars_and_the_models_stand_side_by_side(rain: TestClient) -> None:
    answer = rain.post("/predict", json={**WET, "Humidity": 98}).json()
    page = rain.get("/", params=WET)
    assert prediction(page) == answer["prediction"]
    for share in answer["probabilities"].values():
        assert f'<data value="{share!r}">' in page.text
    assert "LogisticRegression" in page.text
    assert answer["LogisticRegression"] in page.text


def test_a_threshold_that_decides_instead_of_the_larger_probability_is_told(tmp_path: Path) -> None:
    page = opened(rain_bundle(tmp_path, threshold=0.34)).get("/").text
    assert "From 34.0% on the answer is 80% rain" in page


def test_an_interval_is_told_and_drawn(rents: TestClient) -> None:
    page = rents.get("/", params=FLAT).text
    answer = rents.post("/predict", json={"Area": 100, "Bairro": "Centro"}).json()
    assert f"R$ {answer['interval']['low']:,.2f}" in page
    assert f"R$ {answer['interval']['high']:,.2f}" in page
    assert '<svg class="range"' in page


def test_each_kind_of_column_has_its_kind_of_field(rain: TestClient, rents: TestClient) -> None:
    page = rain.get("/").text
    assert re.search(r'name="Day"[^>]*required[^>]*min="2000-01-01" max="2030-12-31"[^>]*type="date"', page)
    assert re.search(r'type="radio" name="Wind_Dir" value="South"', page)
    assert re.search(r'name="Humidity"[^>]*step="any" min="0" max="100"[^>]*type="number"', page)
    assert not re.search(r'name="Humidity"[^>]*required', page)
    assert re.search(r'name="Place"[^>]*list="levels-3"', page)
    assert '<option value="Porto Alegre">' in page
    page = rents.get("/", params={**FLAT, "Seen_at": "2020-06-01T10:30:00"}).text
    assert re.search(r'name="Seen_at"[^>]*value="2020-06-01T10:30:00"[^>]*type="datetime-local"', page)
    assert page.count("<option") == 300


def test_dates_times_and_empty_fields_reach_the_model(rents: TestClient) -> None:
    record = {"Area": 100, "Bairro": "Centro", "Seen_at": "2020-06-01T10:30"}
    page = rents.get("/", params={**record, "Area": "100"})
    assert float(prediction(page)) == rents.post("/predict", json=record).json()["prediction"]
    page = rents.get("/", params={**record, "Seen_at": ""})
    assert float(prediction(page)) == 1500


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"Living_Area": "5000"}, "Living Area cannot be 5000; it takes a whole number 0 to 1,000"),
        ({"Living_Area": ""}, "Living Area is missing; it takes a whole number 0 to 1,000"),
        ({"Living_Area": "x&y"}, 'Living Area cannot be "x&y"; it takes a whole number'),
        ({"Living_Area": "9" * 5000}, "Living Area cannot be"),
        ({"Rate": "nan"}, "Rate cannot be NaN; it takes a number 0 to 10"),
        ({"City": "9"}, "City cannot be 9; it takes one of 1, 2, 3"),
        ({"Kind": "z"}, 'Kind cannot be "z"; it takes one of a, b, c'),
    ],
)
def test_what_cannot_be_used_is_said_beside_its_field(
    http: httpx.Client, changed: dict[str, str], says: str
) -> None:
    page = http.get("/", params=HOUSE | changed)
    assert page.status_code == 422
    assert unescape(page.text).count(says) == 2
    assert 'aria-invalid="true"' in page.text or "City" in changed or "Kind" in changed
    assert http.get("/", params={**HOUSE, **changed, "part": "answer"}).status_code == 200


def test_faults_and_warnings_are_in_the_pages_language(http: httpx.Client) -> None:
    page = unescape(http.get("/", params={**HOUSE, "Living_Area": "5000", "lang": "pt"}).text)
    assert "Living Area não pode ser 5000; aceita um número inteiro de 0 a 1.000" in page
    page = unescape(http.get("/", params={**HOUSE, "Living_Area": "900", "City": "3", "lang": "pt"}).text)
    assert "Living Area é 900, mas o treino só viu de 10 a 500" in page
    assert "City é 3, mas o treino só viu 1, 2" in page


def test_what_predict_warns_of_the_page_warns_of(http: httpx.Client) -> None:
    for record in (
        {"Living_Area": 900, "City": 3, "Kind": "c"},
        {"Living_Area": 100, "City": 1, "Kind": "a"},
    ):
        warnings = http.post("/predict", json=record).json()["warnings"]
        page = http.get("/", params={name: str(value) for name, value in record.items()}).text
        assert page.count("data-unseen=") == len(warnings)


def test_a_part_is_no_more_than_that(http: httpx.Client) -> None:
    answer, why = (http.get("/", params={**HOUSE, "part": part}).text for part in ("answer", "why"))
    assert answer.startswith("<h2>Answer</h2>")
    assert why.startswith("<h2>What pushed it up or down</h2>")
    assert "<html" not in answer + why


def test_names_and_levels_that_would_break_a_page_are_shown_as_they_are(tmp_path: Path) -> None:
    api = opened(hostile_bundle(tmp_path))
    page = api.get("/").text
    assert set(re.findall(r"<(script|img|i|u|b)\b[^>]*>", page)) == {"script", "b"}
    assert len(re.findall(r'<script src="page.js[^"]*" defer>', page)) == page.count("<script") == 1
    shown = unescape(page)
    for text in (TITLE, SCRIPT, EMOJI, *LEVELS):
        assert text in shown
    named = {"lang": "100", SCRIPT: "1", "🏠_<b>'Kind'</b>_&_{{_7_*_7_}}": LEVELS[2]}
    page = api.get("/", params={**named, "lang_": "pt", "part_": "answer"})
    assert float(prediction(page)) == 201
    assert "<h2>Resposta</h2>" in page.text


def test_the_page_is_asked_for_again_only_when_it_has_changed(http: httpx.Client) -> None:
    first = http.get("/", headers={"Accept-Language": "en"})
    assert first.headers["cache-control"] == "no-cache"
    same = {"If-None-Match": first.headers["etag"]}
    assert http.get("/", headers={"Accept-Language": "en", **same}).status_code == 304
    assert http.get("/", headers={"Accept-Language": "pt", **same}).status_code == 200


def test_it_loads_only_its_own_files_and_may_load_nothing_else(http: httpx.Client) -> None:
    page = http.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|https?://", page.text)
    loaded = re.findall(r'<(?:link|script)[^>]*(?:href|src)="(.*?)"', page.text)
    assert len(loaded) == 3
    for address in loaded:
        assert not address.startswith("/")
        assert http.get(f"/{address}").is_success
    assert "immutable" in http.get(f"/{loaded[1]}").headers["cache-control"]


def test_the_examples_can_be_had_as_a_csv(http: httpx.Client) -> None:
    answer = http.get("/example.csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(rows) == 20
    assert list(rows[0]) == ["Living Area", "Rate", "City", "Kind"]


def test_an_address_too_long_is_refused(tmp_path: Path) -> None:
    refused = opened(hostile_bundle(tmp_path)).get("/", params={"lang": "1" * 61_000})
    assert refused.status_code == 413
    assert "60,000 characters" in refused.json()["detail"]


def test_an_answer_that_is_no_number_is_said_to_be_so(http: httpx.Client, tmp_path: Path) -> None:
    page = opened(rents_bundle(tmp_path)).get("/", params={"Area": "1e5", "Bairro": "Centro"})
    assert page.status_code == 422
    assert "Area cannot be" in page.text
