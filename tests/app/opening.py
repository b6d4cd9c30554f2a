"""The API of a bundle in the very process of the test: no socket and no start, but the same routes."""

from __future__ import annotations

import warnings

from app.main import create_app
from app.modelo import open_version
from esteira.bundle import Bundle

with warnings.catch_warnings():  # it asks for another httpx than the one that all else here uses
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["TestClient", "opened"]


def opened(bundle: Bundle) -> TestClient:
    """A client of the version; an error within the API is answered as it would be over HTTP."""
    modelo = open_version(bundle.folder.parent, bundle.metadata.case, bundle.version)
    return TestClient(create_app(modelo, "here"), raise_server_exceptions=False)
