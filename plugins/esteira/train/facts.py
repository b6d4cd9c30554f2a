"""Gathers everything that a version's metadata says of how it came to be."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from esteira.candidates import parameters
from esteira.case import Case
from esteira.commit import git_commit
from esteira.metadata import CandidateFact, Compared, Facts, HeldOutFact, Interval
from esteira.train import golden, scores
from esteira.train.answers import Answers
from esteira.train.finish import Finished
from esteira.train.fitted import Fitted
from esteira.train.golden import TOLERANCE
from esteira.train.prepared import Prepared

_PACKAGES = (
    "scikit-learn",
    "imbalanced-learn",
    "optuna",
    "onnx",
    "onnxruntime",
    "numpy",
    "pandas",
    "duckdb",
    "mlflow",
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the final scikit-learn model answered to the holdout, and what was found out about it."""

    actual: npt.NDArray[Any]
    """[N]: numbers in the target's unit, or places of classes."""
    answers: Answers
    parity: float
    importances: Mapping[str, float]


def gather(
    case: Case,
    prepared: Prepared,
    fitted: Sequence[Fitted],
    winner: Fitted,
    finished: Finished,
    evidence: Evidence,
) -> Facts:
    """Everything known of the final model; the holdout's scores are counted here."""
    actual, answers = evidence.actual, evidence.answers
    examples = golden.choose(case, prepared, finished, answers)
    return Facts(
        case=case.name,
        title=case.title,
        target=case.target,
        unit=getattr(case.target_column, "unit", None),
        task=case.task,
        classes=prepared.classes,
        threshold=finished.threshold,
        columns=case.features,
        seen=prepared.seen,
        example=case.example or examples[0].record,
        golden=examples,
        tolerance=TOLERANCE,
        scale=prepared.scale,
        chosen=winner.name,
        candidates=tuple(_candidate_fact(one) for one in fitted),
        scores=scores.scores(case, actual, answers, prepared.classes),
        per_class=(
            scores.per_class(actual, np.asarray(answers.prediction, np.int64), prepared.classes)
            if prepared.classes
            else {}
        ),
        interval=_interval(case, evidence),
        importances=dict(evidence.importances),
        compared=_compared(case, fitted, finished, evidence),
        parity=evidence.parity,
        dataset=prepared.dataset,
        held_out=HeldOutFact(
            share=case.train.holdout,
            time=case.train.time,
            since=prepared.since[1] if prepared.since else None,
        ),
        packages={"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        git_commit=git_commit(),
        mlflow_run_id=prepared.mlflow_run_id,
        training_id=prepared.training_id,
    )


def _interval(case: Case, evidence: Evidence) -> Interval | None:
    ends = evidence.answers.interval
    if ends is None:
        return None
    covered = scores.coverage(evidence.actual, ends)
    return Interval(asked=case.train.interval, coverage=covered, width=scores.width(ends))


def _compared(
    case: Case, fitted: Sequence[Fitted], finished: Finished, evidence: Evidence
) -> tuple[Compared, ...]:
    models = evidence.answers.models
    if models is None:
        return ()
    named = {one.name: type(one.candidate).__name__ for one in fitted}
    return tuple(
        Compared(
            name=named[kind],
            kind=kind,
            scores=scores.technical_details(case, evidence.actual, models[:, place]),
        )
        for place, kind in enumerate(finished.compared)
    )


def _candidate_fact(one: Fitted) -> CandidateFact:
    return CandidateFact(
        name=one.name,
        parameters=parameters(one.candidate),
        scores=one.scores,
        seconds=one.seconds,
        bound=one.bound,
        mlflow_run_id=one.mlflow_run_id,
    )
