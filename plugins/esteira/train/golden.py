"""Golden examples: rows of the holdout with the answers that whoever serves the version must give."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from esteira.case import Case
from esteira.columns import Column, Date, Number, Value, is_text
from esteira.days import to_text
from esteira.metadata import Answer, Golden, Record
from esteira.train import features, finish
from esteira.train.answers import Answers
from esteira.train.finish import Finished
from esteira.train.prepared import Prepared

TOLERANCE = 1e-5
"""How far ONNX may be from scikit-learn, relative to the answer or the target's deviation."""
_COUNT = 20
_MARGIN = 1e-3
"""How far a golden example's probability is from where the answer would be another class."""


def choose(case: Case, prepared: Prepared, finished: Finished, answers: Answers) -> tuple[Golden, ...]:
    """Twenty rows of the holdout, or all if there are fewer; of a classification, of each class answered.

    `answers` are those to the whole holdout. None of the rows is so close to another class that the
    last digit of a probability could decide.
    """
    rows = _as_sent(case, prepared.raw("holdout").iloc[_places(answers, finished.threshold)])
    frame = features.frame(rows, features.layout(case.features))
    given = finish.answers(finished, prepared.scaler().transform(frame))
    return tuple(
        Golden(
            record=record,
            prediction=_answer(given.prediction[place], prepared.classes),
            probabilities=_row(given.probabilities, place),
            interval=_row(given.interval, place),
        )
        for place, record in enumerate(records(case, rows))
    )


def records(case: Case, rows: pd.DataFrame) -> list[Record]:
    """Rows as JSON records by column name: whole numbers as int, dates as ISO 8601, missing ones null."""
    names = list(case.features)
    return [
        {name: _value(case.features[name], cell) for name, cell in zip(names, row, strict=True)}
        for row in rows[names].itertuples(index=False, name=None)
    ]


def _places(answers: Answers, threshold: float | None) -> npt.NDArray[np.int64]:
    if answers.probabilities is None:
        return np.arange(min(_COUNT, len(answers.prediction)))
    margin = _margins(answers.probabilities, threshold)
    clear = np.flatnonzero(margin > _MARGIN)
    if not len(clear):
        clear = np.argsort(-margin, kind="stable")[:_COUNT]
    turn = pd.Series(answers.prediction[clear]).groupby(answers.prediction[clear]).cumcount()
    return np.sort(clear[np.argsort(turn.to_numpy(), kind="stable")[:_COUNT]])


def _margins(probabilities: npt.NDArray[np.float64], threshold: float | None) -> npt.NDArray[np.float64]:
    if threshold is not None:
        return np.asarray(np.abs(probabilities[:, 1] - threshold))
    highest = np.sort(probabilities, axis=1)[:, -2:]
    return np.asarray(highest[:, 1] - highest[:, 0])


def _as_sent(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as a client can send them: a moment has whole seconds."""
    dates = [name for name, column in case.features.items() if isinstance(column, Date)]
    return rows.assign(**{name: rows[name].dt.round("s") for name in dates})


def _answer(value: Any, classes: tuple[int, ...] | tuple[str, ...] | None) -> Answer:
    return float(value) if classes is None else classes[int(value)]


def _row(values: npt.NDArray[np.float64] | None, place: int) -> Any:
    return None if values is None else tuple(values[place].tolist())


def _value(column: Column, cell: Any) -> Value:
    if pd.isna(cell):
        return None
    if is_text(column):
        return str(cell)
    if isinstance(column, Date):
        return to_text(pd.Timestamp(cell).timestamp() / 86_400)
    return float(cell) if isinstance(column, Number) else int(cell)
