"""An image serves the version that it was built with, or nothing."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.apis import free_port, launch, serving
from tests.bundles import tiny_bundle


@pytest.fixture
def artefatos(tmp_path: Path) -> Path:
    return tmp_path / "artefatos"


def refused(artefatos: Path, sha256: str) -> str:
    api = launch(artefatos, artefatos.parent / "log", free_port(), BUNDLE_SHA256=sha256)
    assert api.process.wait(30) == 2
    said = api.log.read_text()
    assert "Traceback" not in said
    assert said.count("\n") == 1
    return said


def test_the_version_of_the_hash_is_served(artefatos: Path) -> None:
    bundle = tiny_bundle(artefatos)
    with serving(artefatos, BUNDLE_SHA256=bundle.sha256) as api:
        assert httpx.get(f"{api.url}/check", trust_env=False).json()["version"] == 1


def test_another_metadata_file_ends_it_with_both_hashes(artefatos: Path) -> None:
    bundle = tiny_bundle(artefatos)
    said = refused(artefatos, "a" * 64)
    assert (
        f"metadados_v1.json is not the file that the image was built with: its SHA-256 is {bundle.sha256}"
        in said
    )
    assert f"BUNDLE_SHA256 is {'a' * 64}" in said


def test_an_altered_graph_ends_it(artefatos: Path) -> None:
    bundle = tiny_bundle(artefatos)
    with bundle.path("onnx").open("ab") as graph:
        graph.write(b"x")
    assert "modelo_v1.onnx is not the file that was published" in refused(artefatos, bundle.sha256)


@pytest.mark.parametrize("role", ["onnx", "metadata"])
def test_a_missing_file_ends_it(artefatos: Path, role: str) -> None:
    bundle = tiny_bundle(artefatos)
    sha256 = bundle.sha256
    (bundle.path("onnx") if role == "onnx" else bundle.metadata_path).unlink()
    assert "This is not what the image was built with" in refused(artefatos, sha256)


def test_a_hash_that_is_none_ends_it(artefatos: Path) -> None:
    tiny_bundle(artefatos)
    assert "BUNDLE_SHA256='abc' cannot be used" in refused(artefatos, "abc")
