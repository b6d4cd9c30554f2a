"""A table with every kind of column, missing cells among them, as cleaning would leave it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from esteira.case import Case
from esteira.data.dataset import Dataset

COLUMNS = {
    "area": {"type": "integer", "min": 1},
    "age": {"type": "number", "optional": True},
    "city": {"type": "category", "levels": [1, 2, 3], "optional": True},
    "zone": {"type": "category", "levels": list(range(100, 150)), "optional": True},
    "kind": {"type": "category", "optional": True},
    "street": {"type": "category", "optional": True},
    "built": {"type": "date", "optional": True},
    "seen": {"type": "date", "time": True, "optional": True},
}
TARGETS = {
    "price": {"type": "number", "min": 0.01},
    "sold": {"type": "category", "levels": ["yes", "no"]},
    "grade": {"type": "category"},
}


def mixed(target: str = "price", columns: tuple[str, ...] = tuple(COLUMNS), **train: object) -> Case:
    """A case on the table: a regression of `price`, or a classification of `sold` (2) or `grade` (7)."""
    task = "regression" if target == "price" else "classification"
    case = {
        "name": "mixed",
        "title": "Mixed",
        "source": {"files": "mixed.csv"},
        "target": target,
        "task": task,
        "columns": {name: COLUMNS[name] for name in columns} | {target: TARGETS[target]},
        "train": {"candidates": [{"kind": "decision_tree"}], **train},
    }
    return Case.model_validate_json(json.dumps(case))


def table(rows: int = 3_000, seed: int = 0) -> pa.Table:
    """Rows with all columns and all targets; a tenth of the cells of each optional column is missing."""
    random = np.random.default_rng(seed)
    street, zone = random.integers(0, 300, rows), random.integers(100, 150, rows)
    area, age = random.integers(20, 400, rows), np.round(random.uniform(0, 60, rows), 2)
    price = np.exp(0.003 * area + 0.01 * street + 0.02 * (zone - 100) + random.normal(0, 0.1, rows) + 5)
    grade = np.digitize(price, np.quantile(price, np.arange(1, 7) / 7))
    days = random.integers(-40_000, 40_000, rows).astype("datetime64[D]").astype("datetime64[us]")
    moments = random.integers(10**15, 17 * 10**14, rows) // 10**6 * 10**6
    frame = pd.DataFrame(
        {
            "area": area.astype(np.int16),
            "age": age,
            "city": random.integers(1, 4, rows),
            "zone": zone,
            "kind": random.choice(["casa", "apartamento", "sítio"], rows),
            "street": np.char.add("Rua ", street.astype(str)),
            "built": days,
            "seen": moments.astype("datetime64[us]"),
            "price": np.round(price, 2),
            "sold": np.where(price > np.median(price), "yes", "no"),
            "grade": np.char.add("g", grade.astype(str)),
        }
    )
    for name, column in COLUMNS.items():
        if column.get("optional"):
            kept = random.random(rows) > 0.1
            frame[name] = frame[name].astype("Int64") if name in ("city", "zone") else frame[name]
            frame[name] = frame[name].where(kept)
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def cleaned(path: Path, rows: pa.Table) -> Dataset:
    """A dataset of these rows."""
    pq.write_table(rows, path)
    return Dataset(
        case="mixed",
        sha=path.stem,
        path=path,
        report_path=path,
        page_path=path,
        rejected_path=path,
        rows_in=len(rows),
        rows_out=len(rows),
        rejected=0,
        duplicates=0,
        synthetic=True,
        seconds=0.0,
    )
