"""What a case's own texts can do to the documentation page: nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import visiting
from opening import opened
from playwright.sync_api import Browser

from esteira.bundle import Bundle, publish
from esteira.metadata import Record
from tests.apis import serving
from tests.bundles import NUMBERS, SEEN, facts_of, files_with, signer_of, tiny_graph

SCRIPT = "document.title = 'taken over'"
TITLE = f"Söhne & x</title><script>{SCRIPT}</script>{{script}}"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    artefatos: Path = tmp_path_factory.mktemp("titled") / "artefatos"
    graph = tiny_graph(NUMBERS, 0)
    records: list[Record] = [{"Living Area": 10 + at, "Rate": None, "City": 1} for at in range(20)]
    seen = {name: SEEN[name] for name in NUMBERS}
    facts = facts_of("titled", NUMBERS, seen, records, graph, title=TITLE)
    return publish(artefatos, facts, files_with(graph), signer_of(artefatos))


def test_a_title_is_a_text_on_the_documentation_page_whatever_is_in_it(
    browser: Browser, bundle: Bundle
) -> None:
    with (
        serving(bundle.folder.parent, case="titled") as api,
        visiting(browser, f"{api.url}/docs") as visit,
    ):
        visit.page.get_by_text("Predict many records").wait_for()
        assert visit.page.title() == TITLE
        assert visit.page.locator("script").count() == 2


def test_no_script_but_swaggers_own_may_run_on_the_documentation_page(bundle: Bundle) -> None:
    page = opened(bundle).get("/docs")
    assert len(re.findall(r"'sha256-", page.headers["content-security-policy"])) == 1
    assert page.text.count("<script") == 2
