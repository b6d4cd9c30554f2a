"""One small table of flats, and four questions about it, each answered by every candidate that can."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from esteira import settings
from esteira.candidates import Ensemble
from esteira.case import Case
from esteira.data import clean, raw
from esteira.train.ensemble import combine
from esteira.train.fit import fit
from esteira.train.fitted import Fitted
from esteira.train.prepare import prepare
from esteira.train.prepared import Prepared

_TREES = [
    {"kind": "decision_tree", "max_leaf_nodes": 40},
    {"kind": "random_forest", "trees": 8},
    {"kind": "extra_trees", "trees": 8},
    {"kind": "hist_gradient_boosting", "iterations": 20, "learning_rate": 0.2},
]
_NUMBERS = [{"kind": "linear_regression"}, {"kind": "ridge"}, *_TREES]
_CLASSES = [{"kind": "logistic_regression"}, *_TREES, {"kind": "svc", "max_rows": 300}]
_GRADES = ["A", "B", "C", "D", "E", "F", "G"]
QUESTIONS = {
    "price": {"task": "regression", "train": {"candidates": _NUMBERS}},
    "price of a ratio": {"task": "regression", "train": {"candidates": _NUMBERS, "log_target": True}},
    "cheap": {
        "task": "classification",
        "train": {"candidates": _CLASSES, "metric": "f1", "folds": 2, "imbalance": "class_weights"},
    },
    "grade": {"task": "classification", "train": {"candidates": _CLASSES}},
}


@dataclass(frozen=True)
class Answered:
    """A question's case, its prepared rows, its fitted candidates, and the ensemble of the best."""

    case: Case
    prepared: Prepared
    fitted: list[Fitted]
    ensemble: Fitted

    def by(self, kind: str) -> Fitted:
        return next(one for one in self.fitted if one.name == kind)


def answered(question: str, folder: Path) -> Answered:
    """Cleans, prepares and fits for real, in a folder of its own."""
    case, target = _case(question), question.split()[0]
    (folder / "raw").mkdir()
    _table(target).to_csv(folder / "raw" / "flats.csv", index=False)
    now = settings.load(
        {
            "RAW_DATA_PATH": str(folder / "raw"),
            "PROCESSED_DATA_PATH": str(folder / "processed"),
            "ARTEFATOS_PATH": str(folder / "artefatos"),
            "ESTEIRA_HOME": str(folder / "home"),
        }
    )
    prepared = prepare(case, clean.clean(case, raw.find(case, now), now), "questions", now)
    fitted = [fit(case, prepared, one) for one in case.train.candidates]
    return Answered(case, prepared, fitted, combine(case, prepared, Ensemble(), fitted))


def _case(question: str) -> Case:
    target = question.split()[0]
    of_target = {
        "price": {"type": "number", "min": 1000.0, "max": 60000.0},
        "cheap": {"type": "category", "levels": ["no", "yes"]},
        "grade": {"type": "category", "levels": _GRADES},
    }
    written = {
        "name": "flats",
        "title": question,
        "source": {"files": "flats.csv"},
        "target": target,
        "columns": {
            "area": {"type": "integer", "min": 1, "max": 1000},
            "age": {"type": "number", "min": 0.0, "optional": True},
            "city": {"type": "category", "levels": [1, 2, 3], "optional": True},
            "kind": {"type": "category", "optional": True},
            "sold": {"type": "date", "optional": True},
            target: of_target[target],
        },
        **QUESTIONS[question],
    }
    return Case.model_validate_json(json.dumps(written))


def _table(target: str, rows: int = 1_500) -> pd.DataFrame:
    random = np.random.default_rng(7)
    area, city = random.integers(20, 400, rows), random.integers(1, 4, rows)
    age, kind = random.uniform(0, 60, rows), random.choice(["casa", "flat", "sítio"], rows)
    base = 50 * area - 100 * age + 3000 * city + 2000 * (kind == "casa") + 8000
    price = base * random.lognormal(0, 0.1, rows)
    table = pd.DataFrame(
        {
            "area": area,
            "age": np.round(age, 2),
            "city": city,
            "kind": kind,
            "sold": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, rows), unit="D"),
            "price": np.round(np.clip(price, 1000, 60000), 2),
        }
    )
    table["cheap"] = np.where(table.price < table.price.quantile(0.2), "yes", "no")
    table["grade"] = pd.qcut(table.price, 7, labels=_GRADES).astype(str)
    for name in ("age", "kind", "sold"):
        table.loc[random.random(rows) < 0.07, name] = np.nan
    return table[["area", "age", "city", "kind", "sold", target]]
