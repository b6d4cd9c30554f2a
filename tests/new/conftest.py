"""A bench with folders of its own for each test."""

from pathlib import Path

import pytest
from strangers import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
