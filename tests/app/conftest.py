"""One tiny API for all tests that only ask it, and a browser for each file of those that look at pages."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from browsing import chromium
from playwright.sync_api import Browser

from tests.apis import Api, serving
from tests.bundles import tiny_bundle


@pytest.fixture(scope="session")
def tiny_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("tiny") / "artefatos"
    tiny_bundle(artefatos)
    with serving(artefatos, INSTANCE_ID="the-first") as api:
        yield api


@pytest.fixture(scope="session")
def http(tiny_api: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=tiny_api.url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found
