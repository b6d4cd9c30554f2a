"""The page in a real Chromium: while one types, on a phone, in the dark, by keyboard, behind a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import onnx
import pytest
from browsing import PHONE, Visit, visiting
from playwright.sync_api import Browser, Page
from prefixed import prefixed

from esteira.bundle import publish
from esteira.columns import Column, Number
from esteira.metadata import Record
from hostile import LEVELS, SCRIPT, TITLE, hostile_bundle
from rain import COMPARED, rain_bundle
from rents import rents_bundle
from tests.apis import Api, serving
from tests.bundles import SEEN, facts_of, files_with, signer_of, tiny_graph

WET = {"Day": "2012-06-01", "Wind_Dir": "South", "Humidity": 98, "Place": "Belém"}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


BUNDLES = {"rents": rents_bundle, "rain": partial(rain_bundle, compared=COMPARED), "hostile": hostile_bundle}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Api]]:
    """An API for each of BUNDLES."""
    with ExitStack() as serving_them:
        apis = {}
        for case, publish in BUNDLES.items():
            artefatos = tmp_path_factory.mktemp(case) / "artefatos"
            publish(artefatos)
            apis[case] = serving_them.enter_context(serving(artefatos, case=case))
        yield apis


def asked(api: Api, path: str, record: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(f"{api.url}{path}", json=record, trust_env=False)
    return dict(answer.raise_for_status().json())


def shares(page: Page) -> list[float]:
    return [
        float(value) for value in page.locator("#why data").evaluate_all("all => all.map(one => one.value)")
    ]


def test_the_answer_follows_what_is_typed_and_is_that_of_predict(browser: Browser, tiny_api: Api) -> None:
    record = {"Living_Area": 123, "Rate": 1, "City": 2, "Kind": "b"}
    with visiting(browser, tiny_api.url) as visit:
        visit.fill("Rate", "1")
        visit.page.get_by_label("2", exact=True).check(force=True)
        visit.page.get_by_label("b", exact=True).check(force=True)
        visit.fill("Living_Area", "123")
        assert float(visit.prediction()) == asked(tiny_api, "/predict", record)["prediction"]
        assert "Living_Area=123" in visit.page.url
        visit.page.reload()
        assert float(visit.settled().locator("#prediction").get_attribute("value") or 0) == 258


def test_what_pushed_it_adds_up_to_the_answer(browser: Browser, tiny_api: Api, cases: dict[str, Api]) -> None:
    with visiting(browser, tiny_api.url) as visit:
        page = visit.fill("Living_Area", "321")
        record = {"Living_Area": 321, "Rate": 0.5, "City": 1, "Kind": "a"}
        explained = asked(tiny_api, "/explain", record)
        assert explained["base"] + sum(shares(page)) == pytest.approx(float(visit.prediction()))
    with visiting(browser, cases["rain"].url) as visit:
        explained = asked(cases["rain"], "/explain", WET)
        page = visit.page
        page.locator('[name="Day"]').fill(WET["Day"])
        page.get_by_label("South").check(force=True)
        visit.fill("Humidity", "98")
        page = visit.fill("Place", "Belém")
        assert sum(shares(page)) == pytest.approx(explained["value"] - explained["base"])
        classes = page.locator("#answer .classes data").evaluate_all("all => all.map(one => +one.value)")
        assert sorted(classes) == sorted(asked(cases["rain"], "/predict", WET)["probabilities"].values())


def test_a_slider_moves_its_field_and_the_answer(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, tiny_api.url) as visit:
        slider = visit.page.locator('.field:has([name="Living_Area"]) input[type="range"]')
        assert [slider.get_attribute(name) for name in ("min", "max", "step")] == ["10", "500", "1"]
        with visit.page.expect_response(lambda response: "part=answer" in response.url):
            slider.fill("222")
        visit.settled()
        assert visit.page.locator('[name="Living_Area"]').input_value() == "222"
        assert float(visit.prediction()) == 2 * 222 + 1


def test_a_value_that_cannot_be_is_said_beside_its_field_and_aloud(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, tiny_api.url) as visit:
        page = visit.fill("Living_Area", "5000")
        says = "Living Area cannot be 5000; it takes a whole number 0 to 1,000"
        field = page.locator('[name="Living_Area"]')
        assert field.get_attribute("aria-invalid") == "true"
        assert page.locator("#fault-0").text_content() == says
        assert says in (page.locator("#told").text_content() or "")
        page = visit.fill("Living_Area", "900")
        assert field.get_attribute("aria-invalid") is None
        assert page.locator("#fault-0").text_content() == ""
        assert "training saw only 10 to 500" in (page.locator("#told").text_content() or "")


@pytest.mark.parametrize("case", BUNDLES)
@pytest.mark.parametrize("locale", ["en-US", "pt-BR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_stands_out_of_the_window(
    browser: Browser, cases: dict[str, Api], case: str, locale: str, scheme: str
) -> None:
    how = {"viewport": PHONE, "is_mobile": True, "has_touch": True, "locale": locale, "color_scheme": scheme}
    with visiting(browser, cases[case].url, **how) as visit:
        page = visit.settled()
        assert page.evaluate(OVERFLOW) <= 0
        targets = page.locator(
            "form input:not([type=range]):not([type=hidden]), select, button:visible"
        ).all()
        assert min(box["height"] for one in targets if (box := one.bounding_box())) >= 40


def test_on_a_phone_the_answer_stays_in_sight_while_one_fills_in(
    browser: Browser, cases: dict[str, Api]
) -> None:
    how = {"viewport": {"width": 360, "height": 480}, "is_mobile": True, "has_touch": True}
    with visiting(browser, cases["rents"].url, **how) as visit:
        now = visit.page.locator("#now")
        visit.fill("Area", "50")
        assert now.text_content() == (visit.page.locator(".prediction").text_content() or "").replace(
            "\n", " "
        )
        assert now.is_visible()
        now.tap()
        now.wait_for(state="hidden")


def luminance(colour: str) -> float:
    channels = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


COLOURS = """
() => [...document.querySelectorAll("body *")].filter(one => one.checkVisibility() &&
  [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())).map(one => {
  let behind = one;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
  return [getComputedStyle(one).color, getComputedStyle(behind).backgroundColor, one.textContent.trim()];
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, cases: dict[str, Api], scheme: str
) -> None:
    with visiting(browser, cases["rain"].url, color_scheme=scheme) as visit:
        visit.fill("Place", "Manaus")
        warned = visit.page.evaluate(COLOURS)
        visit.fill("Humidity", "9000")
        for ink, paper, text in [*warned, *visit.page.evaluate(COLOURS)]:
            lighter, darker = sorted([luminance(ink), luminance(paper)], reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, text
        paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (luminance(paper) < 0.1) is (scheme == "dark")


def test_the_keyboard_alone_is_enough(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, tiny_api.url) as visit:
        page, focused = visit.page, "document.activeElement.name || document.activeElement.textContent.trim()"
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == "Skip to the answer"
        for _ in range(4):
            page.keyboard.press("Tab")
        assert page.evaluate(focused) == "Living_Area"
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("50")
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == "Rate"
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.value") == "2"
        with page.expect_response(lambda response: "part=why" in response.url):
            page.keyboard.press("Enter")
        assert float(visit.settled().locator("#prediction").get_attribute("value") or 0) == 102
        assert page.evaluate("document.activeElement.id") == "answer"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "file"
        outline = page.evaluate("getComputedStyle(document.activeElement.closest('.drop')).outlineStyle")
        assert outline == "solid"


def test_every_field_has_a_name_for_those_who_cannot_see_it(browser: Browser, cases: dict[str, Api]) -> None:
    with visiting(browser, cases["hostile"].url) as visit:
        tree = visit.page.locator("form").aria_snapshot()
        assert 'spinbutton "lang"' in tree
        assert "group" in tree
        unnamed = visit.page.locator(
            "form :is(input, select):not([type=hidden]):not([aria-hidden])"
        ).evaluate_all("all => all.filter(one => !one.labels.length).length")
        assert unnamed == 0


def test_the_language_is_switched_and_what_was_put_in_is_kept(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, f"{tiny_api.url}/?Living_Area=77&City=2&Kind=b", locale="pt-BR") as visit:
        page = visit.page
        assert page.locator("#answer h2").text_content() == "Resposta"
        page.get_by_role("link", name="English").click()
        assert page.locator("#answer h2").text_content() == "Answer"
        assert float(visit.prediction()) == 2 * 77 + 2 + 10
        visit.fill("Living_Area", "78")
        assert page.locator("#answer h2").text_content() == "Answer"


def test_without_javascript_the_form_is_sent_and_answered(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, tiny_api.url, java_script_enabled=False) as visit:
        page = visit.page
        assert not page.locator("#file").is_visible()
        page.locator('[name="Living_Area"]').fill("200")
        page.get_by_role("button", name="Predict").click()
        assert float(visit.prediction()) == 401
        assert page.locator("#why data").count() > 0


def test_hostile_names_and_levels_are_texts_like_others(browser: Browser, cases: dict[str, Api]) -> None:
    with visiting(browser, cases["hostile"].url) as visit:
        page = visit.page
        assert page.title() == TITLE
        assert page.locator("h1").text_content() == TITLE
        assert page.locator("img, i, u, main b i").count() == 0
        assert page.locator("legend", has_text=SCRIPT).count() == 1
        with page.expect_response(lambda response: "part_=why" in response.url):
            page.locator("select").select_option(LEVELS[2])
        assert visit.settled().locator("#why li", has_text=LEVELS[2][:20]).count() <= 1
        visit.fill("lang", "7")
        assert float(visit.prediction()) == 2 * 7 + 1
        page.get_by_role("link", name="Português").click()
        assert page.locator("#answer h2").text_content() == "Resposta"


MEMBERS = (
    *(
        "dataset",
        "action",
        "method",
        "elements",
        "reset",
        "submit",
        "id",
        "name",
        "length",
        "target",
        "classList",
    ),
    *("querySelectorAll", "addEventListener", "setAttribute", "noValidate", "form", "children", "0"),
)
"""What scripts know a form by: an input of such a name takes its place."""


@pytest.fixture(scope="module")
def forms_members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("members") / "artefatos"
    columns: dict[str, Column] = {name: Number(type="number") for name in MEMBERS}
    graph = onnx.load_from_string(tiny_graph(columns, 0))
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_value = len(columns)
    records: list[Record] = [dict.fromkeys(MEMBERS, float(at)) for at in range(20)]
    seen = dict.fromkeys(MEMBERS, SEEN["Living Area"])
    content = graph.SerializeToString()
    publish(
        artefatos,
        facts_of("members", columns, seen, records, content),
        files_with(content),
        signer_of(artefatos),
    )
    with serving(artefatos, case="members") as api:
        yield api


def test_a_column_may_be_called_as_any_member_of_a_form(browser: Browser, forms_members: Api) -> None:
    with visiting(browser, forms_members.url) as visit:
        page = visit.fill("dataset", "30")
        assert page.locator("input[type=range]").count() == len(MEMBERS)
        assert float(visit.prediction()) == 2 * 30
        visit.fill("method", "5")
        assert float(visit.prediction()) == 2 * 30 + 5
        page.get_by_role("button", name="Predict").click()
        assert page.evaluate("document.activeElement.id") == "answer"
        assert page.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_behind_a_prefix_it_works_as_at_the_root(browser: Browser, tiny_api: Api) -> None:
    with prefixed(tiny_api) as url, visiting(browser, url) as visit:
        visit.fill("Living_Area", "40")
        assert float(visit.prediction()) == 81
        page = visit.page
        page.get_by_role("link", name="Português").click()
        assert page.url.startswith(url)
        page.get_by_role("link", name="Voltar ao exemplo").click()
        page.get_by_role("link", name="API para programas").click()
        page.wait_for_selector("text=/predict")


def test_an_api_that_is_gone_is_told(browser: Browser, tmp_path: Path) -> None:
    rents_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", case="rents") as api:
        context = browser.new_context(locale="pt-BR")
        visit = Visit(context.new_page())
        visit.page.goto(api.url)
        api.stop()
        visit.page.locator('[name="Area"]').fill("50")
        visit.page.wait_for_selector("#answer .faults")
        assert "A API não responde agora" in (visit.page.locator("#answer").text_content() or "")
        context.close()
