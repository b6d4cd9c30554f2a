"""Makes the winner what production answers: calibrated, with its threshold or its interval, as one graph."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from esteira.case import Case
from esteira.columns import Integer, Number
from esteira.train import calibrate, conformal, graph
from esteira.train.answers import Answers
from esteira.train.final import FinalClassifier, FinalRegressor
from esteira.train.fitted import Fitted
from esteira.train.folds import judged_target
from esteira.train.prepared import Prepared
from esteira.train.threshold import threshold

log = logging.getLogger("esteira")

Floats = npt.NDArray[np.float32]

_OF_PROBABILITIES = frozenset({"log_loss", "brier"})
"""The metrics of a calibration itself; all others are of labels, or of an order."""


class Finished(BaseModel):
    """The winner as it would be published; its files lie in the training's folder."""

    model_config = ConfigDict(frozen=True)

    model: Path
    """joblib: a FinalRegressor or FinalClassifier, from columns [N, p] to answers."""
    graph: Path
    """ONNX: from raw features to the same answers."""
    threshold: float | None = None
    """Two classes: from this probability of the second one on, it is the answer."""
    compared: tuple[str, ...] = ()
    """The kinds of the candidates in the answers' `models`, in its order."""
    interval: float | None = None
    """What is added to a prediction for the interval's upper end; with log_target, multiplied with it."""

    def estimator(self) -> Any:
        """The finished scikit-learn model."""
        return joblib.load(self.model)


def finish(case: Case, prepared: Prepared, winner: Fitted, others: Sequence[Fitted]) -> Finished:
    """Calibrate, choose the threshold or the interval, and write the final model and its graph.

    All of it from the winner's answers to rows that it was not fitted on, those that candidates are
    compared on. `others` are the candidates that did not win; with `serve.compare` they answer too, each
    for itself, beside the winner, in the order of the case's candidates.
    """
    compared = _in_order(case, [winner, *others]) if case.serve.compare else []
    models = [one.estimator() for one in compared]
    final = (_regressor if case.task == "regression" else _classifier)(case, prepared, winner, models)
    finished = Finished(
        model=prepared.folder / "final.joblib",
        graph=prepared.folder / "final.onnx",
        threshold=final.threshold if isinstance(final, FinalClassifier) else None,
        compared=tuple(one.name for one in compared),
        interval=final.band.ends[1] if isinstance(final, FinalRegressor) else None,
    )
    joblib.dump(final, finished.model, compress=3)
    finished.graph.write_bytes(graph.assemble(prepared, final, winner.graph, [one.graph for one in compared]))
    return finished


def answers(finished: Finished, columns: Floats) -> Answers:
    """What the finished scikit-learn model answers to preprocessed columns [N, p], as its graph does."""
    found: Answers = finished.estimator().answers(columns)
    return found


def _regressor(case: Case, prepared: Prepared, winner: Fitted, models: Sequence[Any]) -> FinalRegressor:
    actual, share = judged_target(case, prepared), case.train.interval
    around = conformal.log_band if case.train.log_target else conformal.band
    band = around(actual, winner.answered(), share, _allowed(case))
    log.info("%.0f %% intervals from %s residuals: %s", 100 * share, f"{len(actual):,}", band.sentence())
    return FinalRegressor(winner.estimator(), band, models)


def _classifier(case: Case, prepared: Prepared, winner: Fitted, models: Sequence[Any]) -> FinalClassifier:
    actual, answered = judged_target(case, prepared), winner.answered()
    binary = answered.shape[1] == 2
    # A bias may turn an answer. Of two classes the threshold is chosen after it; of more it undoes what
    # weights or oversampling were asked for, which is right only where it is the probabilities that count.
    biased = binary or (case.train.imbalance != "none" and case.metric in _OF_PROBABILITIES)
    fit = calibrate.temperature_and_biases if biased else calibrate.temperature
    calibration = fit(answered, actual)
    second = calibration.apply(answered)[:, 1]
    chosen = threshold(case.metric, second, actual) if binary else None
    return FinalClassifier(winner.estimator(), calibration, chosen, models)


def _in_order(case: Case, fitted: Sequence[Fitted]) -> list[Fitted]:
    by_name = {one.name: one for one in fitted}
    return [by_name[one.kind] for one in case.train.candidates if one.kind in by_name]


def _allowed(case: Case) -> tuple[float, float]:
    column = case.target_column
    assert isinstance(column, Integer | Number)
    low = -np.inf if column.min is None else float(column.min)
    return low, np.inf if column.max is None else float(column.max)
