"""The page's drop zone in a real Chromium: a CSV goes in, a CSV with predictions comes out."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import httpx
import pytest
from browsing import Visit, visiting
from playwright.sync_api import Browser, FilePayload

from app.tables import DELIMITERS
from tests.apis import Api

COUNTED = """
(text) => {
  const rows = new Rows();
  rows.add(new TextEncoder().encode(text));
  return [rows.all, rows.bad];
}
"""
HEAD = "Living Area,Rate,City,Kind\n"
DROP = """
([text, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  const zone = document.querySelector(".drop");
  for (const kind of ["dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}
"""


def answered(visit: Visit, text: str, name: str = "houses.csv") -> list[dict[str, str]]:
    """The rows of the file that the browser saves."""
    chooser = visit.page.locator(".drop input")
    with visit.page.expect_download() as download:
        chooser.set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=text.encode()))
    assert download.value.suggested_filename == f"{name.removesuffix('.csv')}.predictions.csv"
    return list(csv.DictReader(StringIO(Path(download.value.path()).read_text())))


def told(visit: Visit) -> str:
    return visit.page.locator("#file [role=status]").text_content() or ""


def test_a_file_comes_back_with_a_prediction_for_each_row(browser: Browser, tiny_api: Api) -> None:
    text = HEAD + "".join(f"{10 + at % 400},,{1 + at % 2},b\n" for at in range(5000))
    with visiting(browser, tiny_api.url) as visit:
        rows = answered(visit, text)
        assert [float(row["prediction"]) for row in rows] == [
            2 * (10 + at % 400) + 1 + at % 2 + 10 for at in range(5000)
        ]
        assert rows[7]["Living Area"] == "17"
        assert told(visit) == "Done: 5,000 rows in houses.predictions.csv"
        assert not visit.page.locator("progress").is_visible()
        assert visit.page.locator("#save").is_visible()


def test_the_examples_of_the_page_can_be_sent_as_they_are(browser: Browser, tiny_api: Api) -> None:
    golden = httpx.get(f"{tiny_api.url}/model", trust_env=False).json()["golden"]
    with visiting(browser, tiny_api.url) as visit:
        with visit.page.expect_download() as download:
            visit.page.get_by_role("link", name="A small CSV").click()
        rows = answered(visit, Path(download.value.path()).read_text(), "examples.csv")
        assert [float(row["prediction"]) for row in rows] == [one["prediction"] for one in golden]


def test_rows_that_cannot_be_used_are_counted_and_say_why(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, tiny_api.url) as visit:
        rows = answered(visit, HEAD + "100,,1,a\n5000,,1,a\n100,,9,a\n")
        assert [bool(row["error"]) for row in rows] == [False, True, True]
        assert told(visit).startswith("Done: 3 rows in houses.predictions.csv; 2 of them without an answer")


@pytest.mark.parametrize(("last", "is_bad"), [*((one, False) for one in DELIMITERS), ("|", True)])
def test_only_a_delimiter_that_the_api_writes_ends_a_row_without_an_error(
    browser: Browser, tiny_api: Api, last: str, is_bad: bool
) -> None:
    with visiting(browser, tiny_api.url) as visit:
        assert visit.page.evaluate(COUNTED, f"3.0{last}\n") == [1, int(is_bad)]


def test_a_file_is_dropped_and_another_language_says_so(browser: Browser, tiny_api: Api) -> None:
    with visiting(browser, tiny_api.url, locale="pt-BR") as visit:
        with visit.page.expect_download() as download:
            visit.page.evaluate(DROP, [HEAD + "100,,1,a\n" * 1200, "casas.csv"])
        assert download.value.suggested_filename == "casas.previsoes.csv"
        assert told(visit) == "Pronto: 1.200 linhas em casas.previsoes.csv"


def test_a_file_that_cannot_be_read_is_refused_in_clear_words(browser: Browser, tiny_api: Api) -> None:
    context = browser.new_context(locale="en-US")
    visit = Visit(context.new_page())
    visit.page.goto(tiny_api.url)
    payload = FilePayload(name="odd.csv", mimeType="text/csv", buffer=b"colour,size\nred,3\n")
    visit.page.locator(".drop input").set_input_files(payload)
    visit.page.locator("#file progress").wait_for(state="hidden")
    assert told(visit).startswith("odd.csv could not be answered: ")
    assert "Living" in told(visit)
    context.close()
