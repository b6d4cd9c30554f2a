"""What the documentation shows of other languages does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.apis import Api
from tests.bundles import tiny_answer

ODD = {"it's": 'a "quoted" `text`', "ação": None, "n": -1.5e-3}


@pytest.fixture(scope="module")
def samples(tiny_api: Api) -> dict[str, str]:
    """Each language's lines, asking the running API."""
    said = httpx.get(f"{tiny_api.url}/openapi.json").json()["paths"]["/predict"]["post"]["description"]
    said = said.replace("http://127.0.0.1:8000/tiny", tiny_api.url)
    return dict(re.findall(r"```(\w+)\n(.*?)```", said, re.DOTALL))


@pytest.fixture(scope="module")
def answer(tiny_api: Api) -> float:
    record: dict[str, Any] = httpx.get(f"{tiny_api.url}/model").json()["example"]
    return tiny_answer(record)


def test_there_are_four_languages(samples: dict[str, str]):
    assert list(samples) == ["sh", "python", "js", "r"]


def test_the_shells_and_pythons_lines_print_the_answer(samples: dict[str, str], answer: float):
    for command in (["sh", "-c", samples["sh"]], [sys.executable, "-c", samples["python"]]):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert re.search(rf"\b{answer:g}\b", done.stdout), done.stdout


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_rs_lines_print_the_answer(samples: dict[str, str], answer: float):
    done = subprocess.run(["Rscript", "-"], input=samples["r"], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["[1]", f"{answer:g}"]


def test_javascripts_lines_print_the_answer(
    samples: dict[str, str], browser: Browser, tiny_api: Api, answer: float
):
    said: list[str] = []
    page = browser.new_page()
    page.on("console", lambda line: said.append(line.text))
    page.goto(tiny_api.url)
    page.evaluate(f"(async () => {{ {samples['js']} }})()")
    page.close()
    assert [float(line) for line in said] == [answer]


def test_odd_values_are_quoted_in_each_language():
    from app.samples import samples as written

    said = written("tiny", ODD)
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", said, re.DOTALL))
    shown = blocks["sh"].replace("curl http://127.0.0.1:8000/tiny/predict", "printf '%s|'")
    done = subprocess.run(["sh", "-c", shown], check=True, capture_output=True, text=True)
    assert httpx.Response(200, content=done.stdout.split("|")[3]).json() == ODD
    (python,) = re.findall(r"json=(.*)\)", blocks["python"])
    assert eval(python) == ODD  # noqa: S307
    assert blocks["r"].count("NA") == 1
    assert '`it\'s` = "a \\"quoted\\" `text`"' in blocks["r"]
