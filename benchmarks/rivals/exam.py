"""Sits an exam as FLAML or AutoGluon: `python exam.py flaml exam.json`, in an environment that has it.

The exam names two CSV files with the same columns, what their cells are, the target and the metric; what
the rival answers to the holdout's rows is written as a CSV with the one column `answer`: a class, the
probability of the class `positive`, or a number. It is run by path, so it imports nothing of this project.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd


def read(path: str, exam: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a CSV: text as it stands, an empty cell for a missing value."""
    texts = {name: "object" for name in exam["texts"]}
    return pd.read_csv(
        path, dtype=texts, parse_dates=exam["dates"], keep_default_na=False, na_values=[""], low_memory=False
    )


def flaml(train: pd.DataFrame, holdout: pd.DataFrame, exam: Mapping[str, Any]) -> Any:
    from flaml import AutoML  # type: ignore[import-not-found,unused-ignore]

    target, classes = exam["target"], exam["task"] == "classification"
    for rows in (train, holdout):
        for name in exam["texts"]:
            if name != target:
                rows[name] = rows[name].astype("category")
    model = AutoML()
    model.fit(
        X_train=train.drop(columns=target),
        y_train=train[target],
        task=exam["task"],
        metric=exam["metric"],
        time_budget=exam["seconds"],
        seed=0,
        verbose=0,
    )
    features = holdout.drop(columns=target)
    if classes and exam["positive"] is not None:
        place = list(model.classes_).index(exam["positive"])
        return model.predict_proba(features)[:, place]
    return model.predict(features)


def autogluon(train: pd.DataFrame, holdout: pd.DataFrame, exam: Mapping[str, Any]) -> Any:
    from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found,unused-ignore]

    kind = {"regression": "regression", "classification": "multiclass"}[exam["task"]]
    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor(
            label=exam["target"],
            problem_type=kind if exam["positive"] is None else "binary",
            eval_metric=exam["metric"],
            positive_class=exam["positive"],
            path=folder,
            verbosity=0,
        ).fit(train, time_limit=exam["seconds"], presets=exam["preset"])
        features = holdout.drop(columns=exam["target"])
        if exam["positive"] is not None:
            return model.predict_proba(features)[exam["positive"]]
        return model.predict(features)


RIVALS: Mapping[str, Callable[[pd.DataFrame, pd.DataFrame, Mapping[str, Any]], Any]] = {
    "flaml": flaml,
    "autogluon": autogluon,
}


def main(rival: str, path: str) -> None:
    exam = json.loads(Path(path).read_text(encoding="utf-8"))
    answers = RIVALS[rival](read(exam["train"], exam), read(exam["holdout"], exam), exam)
    pd.DataFrame({"answer": list(answers)}).to_csv(exam["answers"], index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
