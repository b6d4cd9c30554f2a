"""One tiny API for all tests of the client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cliente import Cliente
from tests.apis import Api, serving
from tests.bundles import tiny_bundle


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    artefatos = tmp_path_factory.mktemp("cliente") / "artefatos"
    tiny_bundle(artefatos)
    with serving(artefatos, INSTANCE_ID="cliente") as api:
        yield api


@pytest.fixture
def api(served: Api) -> Iterator[Cliente]:
    with Cliente(served.url) as client:
        yield client
