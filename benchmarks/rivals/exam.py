"""Sits an exam as a rival: `python exam.py flaml exam.json`, in an environment that has it.

The exam names two CSV files with the same columns, what their cells are, the target and the metric. The
answers to the holdout's rows are written as a CSV with the one column `answer`: a class, the probability
of the class `positive`, or a number in the target's unit. It is run by path, and imports nothing of Esteira.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_MOST_LEVELS = 255  # which boosting takes as categories

Exam = Mapping[str, Any]
"""train, holdout, answers: paths; texts, dates: columns; target; task; metric; positive; seconds."""


def flaml(train: pd.DataFrame, features: pd.DataFrame, exam: Exam) -> Any:
    from flaml import AutoML  # type: ignore[import-not-found,unused-ignore]

    target, positive = exam["target"], exam["positive"]
    words = {name: "category" for name in exam["texts"] if name != target}
    model = AutoML()
    model.fit(
        X_train=train.drop(columns=target).astype(words),
        y_train=train[target],
        task=exam["task"],
        metric=exam["metric"],
        time_budget=exam["seconds"],
        seed=0,
        verbose=0,
    )
    if positive is None:
        return model.predict(features.astype(words))
    return model.predict_proba(features.astype(words))[:, list(model.classes_).index(positive)]


def autogluon(train: pd.DataFrame, features: pd.DataFrame, exam: Exam) -> Any:
    from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found,unused-ignore]

    positive = exam["positive"]
    kind = exam["task"] if exam["task"] == "regression" else "multiclass" if positive is None else "binary"
    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor(
            label=exam["target"],
            problem_type=kind,
            eval_metric=exam["metric"],
            positive_class=positive,
            path=folder,
            verbosity=0,
        ).fit(train, time_limit=exam["seconds"])
        return model.predict(features) if positive is None else model.predict_proba(features)[positive]


def scikit_learn(train: pd.DataFrame, features: pd.DataFrame, exam: Exam) -> Any:
    """Histogram boosting with its defaults, on the columns as they are; texts are categories, dates days."""
    from sklearn import ensemble

    target, positive = exam["target"], exam["positive"]
    regression = exam["task"] == "regression"
    kind = ensemble.HistGradientBoostingRegressor if regression else ensemble.HistGradientBoostingClassifier
    known, asked = _as_numbers(train.drop(columns=target), features, exam)
    few = [name for name in known if name in exam["texts"] and known[name].nunique() <= _MOST_LEVELS]
    model = kind(categorical_features=few, random_state=0).fit(known, train[target])
    if positive is None:
        return model.predict(asked)
    return model.predict_proba(asked)[:, list(model.classes_).index(positive)]


def _as_numbers(train: pd.DataFrame, features: pd.DataFrame, exam: Exam) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Texts as the places of their levels in the training rows, dates as days; NaN where there is none."""
    known, asked = train.copy(), features.copy()
    for name in known.columns.intersection(exam["texts"]):
        levels = pd.Index(train[name].dropna().unique())
        for whole, table in ((known, train), (asked, features)):
            places = levels.get_indexer(table[name]).astype(float)
            whole[name] = np.where(places < 0, np.nan, places)
    for name in known.columns.intersection(exam["dates"]):
        for table in (known, asked):
            table[name] = (table[name] - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return known, asked


RIVALS: Mapping[str, Callable[[pd.DataFrame, pd.DataFrame, Exam], Any]] = {
    "flaml": flaml,
    "autogluon": autogluon,
    "scikit_learn": scikit_learn,
}


def main(rival: str, path: str) -> None:
    """Train on the one file, answer the other; a metric of the logarithm means a logarithm to train on."""
    exam = json.loads(Path(path).read_text(encoding="utf-8"))
    train, holdout = _read(exam["train"], exam), _read(exam["holdout"], exam)
    target, logarithmic = exam["target"], exam["metric"] == "r2_log"
    if logarithmic:
        train[target] = np.log(train[target])
        exam["metric"] = "r2"
    answers = RIVALS[rival](train, holdout.drop(columns=target), exam)
    told = np.exp(np.asarray(answers)) if logarithmic else list(answers)
    pd.DataFrame({"answer": told}).to_csv(exam["answers"], index=False)


def _read(path: str, exam: Exam) -> pd.DataFrame:
    """The rows of a CSV: text as it stands, an empty cell for a missing value."""
    texts = dict.fromkeys(exam["texts"], "object")
    return pd.read_csv(
        path, dtype=texts, parse_dates=exam["dates"], keep_default_na=False, na_values=[""], low_memory=False
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
