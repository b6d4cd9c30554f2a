"""A bench with folders of its own, on which small raw files are cleaned for real."""

from __future__ import annotations

import io
from collections.abc import Sequence
from csv import writer as csv_writer
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
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
ONE_COLUMN = """
title: One column
source: {files: flats.csv, missing: MISSING}
target: Price
task: regression
columns:
  X:     COLUMN
  Price: {type: number}
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

    def case(self, *changes: tuple[str, str], text: str = FLATS) -> Case:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "casos").mkdir(exist_ok=True)
        (self.folder / "casos" / "flats.yaml").write_text(text, encoding="utf-8")
        return casefile.load(self.folder / "casos", "flats")

    def clean(self, *changes: tuple[str, str]) -> Dataset:
        case = self.case(*changes)
        return clean(case, find(case, self.settings), self.settings)

    def read(
        self, column: str, good: str, *texts: str, missing: Sequence[str] = ()
    ) -> tuple[list[object], dict[str, str]]:
        """What a column reads from texts beside many good ones, and the reasons against those it refuses."""
        file = io.StringIO()
        csv_writer(file, lineterminator="\n").writerows(
            [["X", "Price"], *([t, 1] for t in [good] * 60 + [*texts])]
        )
        self.put(file.getvalue())
        case = self.case(("COLUMN", column), ("MISSING", repr([*missing])), text=ONE_COLUMN)
        dataset = clean(case, find(case, self.settings), self.settings)
        aside = pq.read_table(dataset.rejected_path)
        reasons = dict(zip(aside["X"].to_pylist(), aside["_reason"].to_pylist(), strict=True))
        return pq.read_table(dataset.path)["X"].to_pylist()[60:], reasons


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
