"""A small case with everything that preprocessing has to cope with."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from esteira.case import Case

FLATS = {
    "name": "flats",
    "title": "Flats",
    "source": {"files": "flats.csv"},
    "target": "price",
    "task": "regression",
    "columns": {
        "area": {"type": "integer", "min": 1, "max": 1000, "unit": "m²"},
        "age": {"type": "number", "min": 0.0, "optional": True},
        "city": {"type": "category", "levels": [1, 2, 3]},
        "kind": {"type": "category", "optional": True},
        "price": {"type": "number", "min": 1.0, "unit": "R$"},
    },
    "train": {
        "candidates": [
            {"kind": "linear_regression"},
            {"kind": "decision_tree"},
            {"kind": "random_forest", "trees": 10},
            {"kind": "hist_gradient_boosting", "iterations": 30},
        ]
    },
    "gate": {"r2": 0.8},
}


def flats(**changes: object) -> Case:
    return Case.model_validate_json(json.dumps({**FLATS, **changes}))


def write_flats(path: Path, rows: int = 4000, seed: int = 0) -> None:
    """A price that is linear in area, age, city and kind, with a little noise and missing cells."""
    random = np.random.default_rng(seed)
    area, city = random.integers(20, 400, rows), random.integers(1, 4, rows)
    age = np.round(random.uniform(0, 60, rows), 2)
    kind = random.choice(["casa", "apartamento", "sítio"], rows)
    price = 50 * area - 20 * age + 3000 * city + 2000 * (kind == "casa") + random.normal(0, 100, rows) + 5000
    table = pd.DataFrame({"area": area, "age": age, "city": city, "kind": kind, "price": np.round(price, 2)})
    table.loc[random.random(rows) < 0.1, "age"] = np.nan
    table.loc[random.random(rows) < 0.05, "kind"] = np.nan
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)
