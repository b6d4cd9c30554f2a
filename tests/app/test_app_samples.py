"""What the documentation shows of other languages does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browsing import visiting
from playwright.sync_api import Browser
from prefixed import prefixed

from app.samples import ADDRESS
from app.samples import samples as written
from tests.apis import Api
from tests.bundles import tiny_answer

LANGUAGES = ("sh", "python", "js", "r")
ODD = {"it's": 'a "quoted" `text`', "ação": None, "n": -1.5e-3}


def shown(browser: Browser, url: str) -> dict[str, str]:
    """Each language's lines, as one sees them on the documentation page below an address."""
    with visiting(browser, f"{url}/docs#/Predict/predict") as visit:
        blocks = visit.page.locator(".opblock-description pre")
        blocks.first.wait_for()
        return dict(zip(LANGUAGES, blocks.all_text_contents(), strict=True))


@pytest.fixture(scope="module", params=["alone", "behind a gateway's prefix"])
def url(request: pytest.FixtureRequest, tiny_api: Api) -> Iterator[str]:
    if request.param == "alone":
        yield tiny_api.url
    else:
        with prefixed(tiny_api) as url:
            yield url.rstrip("/")


@pytest.fixture(scope="module")
def samples(browser: Browser, url: str) -> dict[str, str]:
    """The samples, which must work as they are."""
    return shown(browser, url)


@pytest.fixture(scope="module")
def answer(tiny_api: Api) -> float:
    record: dict[str, Any] = httpx.get(f"{tiny_api.url}/model").json()["example"]
    return tiny_answer(record)


def test_each_asks_the_address_at_which_the_page_was_opened(samples: dict[str, str], url: str):
    for lines in samples.values():
        assert re.findall(r"http://[^\s\"]*", lines) == [f"{url}/predict"]


def test_who_reads_only_the_description_is_told_what_a_gateway_puts_before_the_path(tiny_api: Api):
    said = httpx.get(f"{tiny_api.url}/openapi.json").json()["paths"]["/predict"]["post"]["description"]
    assert "`/tiny/predict`" in said
    assert tuple(re.findall(r"```(\w+)\n", said)) == LANGUAGES
    addresses = set(re.findall(r"http://127[^\s\"]*", said))
    assert addresses == {"http://127.0.0.1:8000/predict"}


def test_the_shells_and_pythons_lines_print_the_answer(samples: dict[str, str], answer: float):
    for command in (["sh", "-c", samples["sh"]], [sys.executable, "-c", samples["python"]]):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert re.search(rf"\b{answer:g}\b", done.stdout), done.stdout


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_rs_lines_print_the_answer(samples: dict[str, str], answer: float):
    done = subprocess.run(["Rscript", "-"], input=samples["r"], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["[1]", f"{answer:g}"]


def test_javascripts_lines_print_the_answer(
    samples: dict[str, str], browser: Browser, url: str, answer: float
):
    said: list[str] = []
    page = browser.new_page()
    page.on("console", lambda line: said.append(line.text))
    page.goto(f"{url}/")
    page.evaluate(f"(async () => {{ {samples['js']} }})()")
    page.close()
    assert [float(line) for line in said] == [answer]


def test_odd_values_are_quoted_in_each_language():
    said = written("tiny", ODD)
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", said, re.DOTALL))
    command = blocks["sh"].replace(f"curl {ADDRESS}", "printf '%s|'")
    done = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)
    assert httpx.Response(200, content=done.stdout.split("|")[3]).json() == ODD
    (python,) = re.findall(r"json=(.*)\)", blocks["python"])
    assert eval(python) == ODD  # noqa: S307
    assert blocks["r"].count("NA") == 1
    assert '`it\'s` = "a \\"quoted\\" `text`"' in blocks["r"]
