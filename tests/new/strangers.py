"""Files as strangers send them, and a bench where they become cases and datasets for real."""

from __future__ import annotations

import gzip
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from esteira import casefile
from esteira.case import Case
from esteira.data.clean import clean
from esteira.data.dataset import Dataset
from esteira.data.raw import find
from esteira.new import write
from esteira.settings import Settings

ROWS = 200
Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Made:
    """A new case, and what cleaning makes of its file."""

    written: write.Written
    case: Case
    dataset: Dataset

    @property
    def text(self) -> str:
        return self.written.case.read_text(encoding="utf-8")

    @property
    def notes(self) -> str:
        return "\n".join(self.written.sketch.notes)

    @property
    def table(self) -> pd.DataFrame:
        return pd.read_parquet(self.dataset.path)

    def column(self, name: str) -> dict[str, object]:
        """What the case says of a column, without what goes without saying."""
        return self.case.columns[name].model_dump(exclude_defaults=True)

    def setting(self, key: str) -> object:
        return getattr(self.case.train, key)

    def reason(self, name: str) -> str:
        return " ".join(line for line in self.text.splitlines() if name in line)


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

    def put(self, content: bytes, name: str = "flats.csv") -> Path:
        path = self.folder / "raw" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    def new(self, path: Path, target: str = "price", **more: object) -> Made:
        return self._cleaned(write.new(path, target, self.settings, **more))

    def reread(self, made: Made) -> Made:
        """The same case after its YAML was changed."""
        return self._cleaned(made.written)

    def _cleaned(self, written: write.Written) -> Made:
        case = casefile.load(self.settings.CASOS_PATH, written.name)
        return Made(written, case, clean(case, find(case, self.settings), self.settings))

    def of(self, columns: Columns, target: str = "price", name: str = "flats.csv") -> Made:
        return self.new(self.put(csv(columns), name), target)


def csv(
    columns: Columns, *, delimiter: str = ",", end: str = "\n", encoding: str = "utf-8", quoted: bool = False
) -> bytes:
    """The columns as a file; a text that needs quotes must bring them."""
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    mark = '"' if quoted else ""
    written = (delimiter.join(f"{mark}{cell}{mark}" for cell in line) for line in lines)
    return "".join(line + end for line in written).encode(encoding)


def flats(**more: Sequence[object]) -> dict[str, Sequence[object]]:
    """200 flats: their price goes up with their area, and by chance; further columns go before the price."""
    chance = random.Random(7)  # noqa: S311
    area = [round(chance.uniform(20, 200), 1) for _ in range(ROWS)]
    price = [round(1000 + 20 * one + chance.gauss(0, 900), 2) for one in area]
    return {"area": area, "rooms": [chance.randint(1, 6) for _ in area], **more, "price": price}
