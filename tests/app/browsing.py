"""A real Chromium that notes what its pages ask for and complain about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from needs import missing

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; without one these tests say so and are skipped, and fail where CI is set."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing("there is no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that was opened, and what went wrong with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.answers: dict[str, int] = {}
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def settled(self) -> Page:
        """The page once all that it asked for is there."""
        self.page.locator(".old").wait_for(state="detached")
        self.page.wait_for_load_state("networkidle")
        return self.page

    def fill(self, name: str, value: str) -> Page:
        """Put a value in and wait for its answer and why."""
        with self.page.expect_response(
            lambda response: "part=why" in response.url or "part_=why" in response.url
        ):
            self.page.locator(f'[name="{name}"]').fill(value)
        return self.settled()

    def prediction(self) -> str:
        return str(self.page.locator("#prediction").get_attribute("value"))


@contextmanager
def visiting(browser: Browser, url: str, **how: Any) -> Iterator[Visit]:
    """A page in a fresh context, which must complain of nothing and ask no other host for anything."""
    how = {"viewport": WIDE, "locale": "en-US", "accept_downloads": True} | how
    context = browser.new_context(**how)
    try:
        visit = Visit(context.new_page())
        response = visit.page.goto(url)
        assert response is not None
        assert response.ok, response.text()
        yield visit
        assert visit.complaints == []
        assert visit.hosts == {urlsplit(url).netloc}
    finally:
        context.close()
