"""The notebook runs from its first cell to its last, keeps its outputs and leaves nothing behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from esteira import bundle
from esteira.settings import PROJECT, Settings

NOTEBOOK = PROJECT / "notebooks" / "model.ipynb"
Notebook = nbformat.NotebookNode


@pytest.fixture(scope="module")
def kept() -> Notebook:
    return nbformat.read(NOTEBOOK, as_version=4)


@dataclass(frozen=True)
class Run:
    """A run where nothing of the project is, with a folder of its own for what is temporary."""

    notebook: Notebook
    temporary: Path
    versions_before: list[int]


@pytest.fixture(scope="module")
def run(kept, tmp_path_factory) -> Run:
    temporary = tmp_path_factory.mktemp("temporary")
    before = bundle.versions(Settings().ARTEFATOS_PATH, "imoveis")
    cells = [nbformat.v4.new_code_cell(cell.source) for cell in code(kept)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": str(temporary)}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return Run(notebook, temporary, before)


@pytest.fixture(scope="module")
def executed(run) -> Notebook:
    return run.notebook


def code(notebook: Notebook) -> list[Notebook]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(notebook: Notebook) -> str:
    return "".join(output.get("text", "") for cell in code(notebook) for output in cell.outputs)


def kinds(notebook: Notebook) -> list[list[tuple[str, ...]]]:
    """What each cell shows: text, a table, a picture."""
    return [
        [tuple(sorted(output.get("data", {"text": ""}))) for output in cell.outputs]
        for cell in code(notebook)
    ]


def test_it_runs_and_tells_what_its_prose_promises(executed):
    assert "linear_regression wins: R² 1.0000" in said(executed)
    assert "R²: 1.000000000000" in said(executed)
    assert "20 golden examples answered as in training" in said(executed)
    assert "120 m²: 32,950.00\n" in said(executed)
    assert "400 m²: 39,950.00 Area is 400, but training saw only 1 to 249" in said(executed)


def test_the_outputs_that_are_kept_are_those_of_a_whole_run(kept, executed):
    assert [cell.execution_count for cell in code(kept)] == [*range(1, len(code(kept)) + 1)]
    assert kinds(kept) == kinds(executed)
    steady = re.compile(r"rows|R²|golden|m²:|published")
    lines = [[line for line in said(one).splitlines() if steady.search(line)] for one in (kept, executed)]
    assert lines[0] == lines[1]
    assert len(lines[0]) > 8


def test_the_file_holds_no_path_and_no_name_of_a_machine():
    found = re.findall(
        r"(?:/(?:tmp|home|root|work|Users|usr|var|opt)/|C:\\\\)[^\"\\s]*", NOTEBOOK.read_text("utf-8")
    )
    assert found == []


def test_its_prose_is_read_in_ten_minutes(kept):
    words = sum(len(cell.source.split()) for cell in kept.cells)
    assert words < 1_800


def test_a_run_leaves_the_project_and_the_machine_as_they_were(run):
    assert bundle.versions(Settings().ARTEFATOS_PATH, "imoveis") == run.versions_before
    assert not list(run.temporary.glob("esteira-notebook-*"))
