"""A bench with folders of its own, on which small raw files are cleaned for real."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from esteira import casefile
from esteira.case import Case
from esteira.data.clean import clean
from esteira.data.dataset import Dataset
from esteira.data.raw import find
from esteira.settings import Settings

FLATS = """
title: Flats
source: {files: flats.csv}
target: Price
task: regression
columns:
  Area:  {type: integer, min: 1, max: 1000}
  City:  {type: category, levels: [1, 2, 3]}
  Kind:  {type: category, levels: [flat, house]}
  Fee:   {type: number, min: 0, optional: true}
  Price: {type: number, min: 0, max: 1000000}
train: {candidates: [linear_regression]}
"""
HEADER = "Area,City,Kind,Fee,Price"


@dataclass(frozen=True)
class Bench:
    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings(
            CASOS_PATH=self.folder / "casos",
            RAW_DATA_PATH=self.folder / "raw",
            PROCESSED_DATA_PATH=self.folder / "processed",
        )

    @property
    def processed(self) -> Path:
        return self.folder / "processed" / "flats"

    def put(self, content: str | bytes, name: str = "flats.csv") -> Path:
        path = self.folder / "raw" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def case(self, *changes: tuple[str, str]) -> Case:
        text = FLATS
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "casos").mkdir(exist_ok=True)
        (self.folder / "casos" / "flats.yaml").write_text(text, encoding="utf-8")
        return casefile.load(self.folder / "casos", "flats")

    def clean(self, *changes: tuple[str, str]) -> Dataset:
        case = self.case(*changes)
        return clean(case, find(case, self.settings), self.settings)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def flats() -> list[str]:
    """Sixty good rows, all different."""
    return [
        f"{20 + place},{1 + place % 3},{('flat', 'house')[place % 2]},{place}.5,{1000 + place}"
        for place in range(60)
    ]


def csv(lines: list[str], header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


@pytest.fixture(name="csv")
def csv_fixture():
    return csv
