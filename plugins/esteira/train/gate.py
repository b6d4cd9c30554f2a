"""Lets a challenger through if it keeps the case's thresholds and is no worse than the champion."""

import logging

import numpy as np
import pandas as pd

from esteira import bundle
from esteira.case import LOWER_IS_BETTER, Case
from esteira.settings import Settings
from esteira.train import features, graph
from esteira.train.scores import scores, sentence

log = logging.getLogger("esteira")

_NOISE = 1e-6
"""A difference below this, relative to the target's deviation, is not a difference."""


def gate(
    case: Case, result: dict[str, float], holdout: pd.DataFrame, scale: float, settings: Settings
) -> tuple[int | None, list[str]]:
    """The champion's version, and why the challenger does not pass: thresholds first, then the champion."""
    reasons = [
        f"{metric} is {result[metric]:.6g}, {'at least' if metric not in LOWER_IS_BETTER else 'at most'} "
        f"{limit:g} is asked"
        for metric, limit in case.gate.items()
        if (result[metric] < limit if metric not in LOWER_IS_BETTER else result[metric] > limit)
    ]
    if not bundle.versions(settings.ARTEFATOS_PATH, case.name):
        return None, reasons
    champion = bundle.load(settings.ARTEFATOS_PATH, case.name)
    if champion.metadata.target != case.target or set(champion.metadata.columns) != set(case.features):
        log.warning("Version %d has other columns: it cannot be compared on this holdout", champion.version)
        return None, reasons
    metric = case.metric
    theirs = _champion_scores(champion, holdout)
    log.info("The champion, version %d, on the same holdout: %s", champion.version, sentence(theirs))
    slack = _NOISE * (1.0 if metric in {"r2", "mape"} else scale)
    worse = (theirs[metric] - result[metric]) * (1 if metric not in LOWER_IS_BETTER else -1)
    if worse > slack:
        reasons.append(
            f"{metric} is {result[metric]:.6g}, worse than {theirs[metric]:.6g} of version {champion.version}"
        )
    return champion.version, reasons


def _champion_scores(champion: bundle.Bundle, holdout: pd.DataFrame) -> dict[str, float]:
    shape = features.layout(champion.metadata.columns)
    feed = features.tensors(features.frame(holdout, shape), shape)
    answers = graph.predict(graph.session(champion.read("onnx")), feed)
    return scores(holdout[champion.metadata.target].to_numpy(np.float64), answers)
