"""Small made-up tables, cleaned and prepared for real, to fit candidates on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from esteira import settings
from esteira.case import Case
from esteira.data import clean, raw
from esteira.train.prepare import prepare
from esteira.train.prepared import Prepared

ROWS = 900
SHARES = {"common": 0.7, "rare": 0.25, "scarce": 0.05}
_NUMBERS = ["length", "width", "depth"]


def board_case(target: str, **train: object) -> Case:
    """The `price` of a board, or its `grade`, out of its measures, its wood and the day it was cut."""
    columns: dict[str, object] = {name: {"type": "number"} for name in _NUMBERS}
    columns |= {"wood": {"type": "category", "optional": True}, "cut": {"type": "date"}}
    columns["price"] = {"type": "number", "min": 1.0}
    columns["grade"] = {"type": "category", "levels": list(SHARES)}
    task = {"price": "regression", "grade": "classification"}[target]
    named = {"candidates": [{"kind": "decision_tree"}], **train}
    kept = {
        name: column for name, column in columns.items() if name == target or name not in {"price", "grade"}
    }
    written = {"name": "boards", "title": "Boards", "source": {"files": "boards.csv"}, "columns": kept}
    return Case.model_validate_json(json.dumps({**written, "target": target, "task": task, "train": named}))


def boards(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    table = pd.DataFrame({name: random.normal(size=rows).round(4) for name in _NUMBERS})
    table["wood"] = random.choice(["oak", "pine", "fir", None], rows)
    table["cut"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        np.sort(random.integers(0, 500, rows)), unit="D"
    )
    noise = (table["wood"] == "oak") + random.normal(0, 0.2, rows)
    quality = 1.5 * table["length"] + 0.3 * table["width"] ** 2 + noise
    table["price"] = np.exp(0.5 * quality + 3).round(2)
    ends = quality.quantile(np.cumsum(list(SHARES.values())))
    table["grade"] = np.array(list(SHARES))[np.searchsorted(ends, quality)]
    return table


def prepared_boards(case: Case, folder: Path, table: pd.DataFrame | None = None) -> Prepared:
    """The boards as a training's parts, written to a folder."""
    kept = (boards() if table is None else table)[list(case.columns)]
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    kept.to_csv(folder / "raw" / "boards.csv", index=False)
    now = settings.load(
        {
            "RAW_DATA_PATH": str(folder / "raw"),
            "PROCESSED_DATA_PATH": str(folder / "processed"),
            "ARTEFATOS_PATH": str(folder / "artefatos"),
            "ESTEIRA_HOME": str(folder / "home"),
        }
    )
    return prepare(case, clean.clean(case, raw.find(case, now), now), "boards", now)
