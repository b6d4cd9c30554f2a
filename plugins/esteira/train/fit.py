"""Fits one candidate: searches its parameters, scores it on the rounds and exports it."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from esteira.candidates import Candidate, Ensemble, Single
from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.train import imbalance
from esteira.train.export import export_model
from esteira.train.fitted import Fitted
from esteira.train.folds import judged_target, rounds
from esteira.train.learn import CandidateError, answered, learned, lesson, scored
from esteira.train.prepared import Prepared
from esteira.train.search import OnTrial, search

log = logging.getLogger("esteira")

_ALL = slice(None)


def named(case: Case, name: str) -> Candidate:
    """The case's candidate of a name; raises CandidateError when it has none."""
    for candidate in case.train.candidates:
        if candidate.kind == name:
            return candidate
    names = ", ".join(candidate.kind for candidate in case.train.candidates)
    raise CandidateError(f"{name!r} is not a candidate of the case {case.name!r}; it has {names}")


def fit(
    case: Case,
    prepared: Prepared,
    candidate: Candidate,
    seconds: float | None = None,
    on_trial: OnTrial | None = None,
) -> Fitted:
    """Search for so many seconds, if any; score on the rounds; fit on the training part and export.

    Raises CandidateError when the candidate cannot be fitted or exported, or gives no finite numbers.
    """
    if isinstance(candidate, Ensemble):
        raise CandidateError("An ensemble is put together from fitted candidates; it is not fitted on rows")
    sized = candidate.among(len(prepared.classes or ()), prepared.dataset.train_rows)
    bounded = imbalance.bounded(case, sized)
    chosen, study = _searched(case, prepared, bounded, seconds, on_trial)
    bound = chosen.bound(prepared.dataset.train_rows) + imbalance.words(case)
    log.info("Fitting %s: %s", chosen.kind, bound)
    started = time.monotonic()
    model = learned(case, chosen, lesson(case, prepared, _ALL, chosen.max_rows))
    took = time.monotonic() - started
    answers = _judged_answers(case, prepared, chosen, model)
    fitted = Fitted(
        candidate=chosen,
        scores=scored(case, prepared, judged_target(case, prepared), answers),
        seconds=round(took, 3),
        bound=bound,
        model=_file(prepared, chosen, "joblib"),
        graph=_file(prepared, chosen, "onnx"),
        answers=_file(prepared, chosen, "npy"),
        study=study,
    )
    np.save(fitted.answers, answers)
    joblib.dump(model, fitted.model, compress=3)
    fitted.graph.write_bytes(_exported(case, prepared, chosen, model))
    log.info("%s: %s", chosen.kind, fitted.sentence())
    return fitted


def _searched(
    case: Case, prepared: Prepared, candidate: Single, seconds: float | None, on_trial: OnTrial | None
) -> tuple[Single, Path | None]:
    if seconds is None or case.train.search is None or not candidate.searched:
        return candidate, None
    found = search(case, prepared, candidate, seconds, case.train.search.trials, on_trial)
    path = _file(prepared, candidate, "study.joblib")
    joblib.dump(found.study, path)
    return found.candidate, path


def _judged_answers(case: Case, prepared: Prepared, candidate: Single, final: Any) -> Any:
    """What it answers to the rows that are scored, aligned with `judged_target`.

    Without folds the final model is the one round's; else each round has a model of its own.
    """
    answers = []
    for one in rounds(case, prepared):
        model = final
        if one.part == "train":
            model = learned(case, candidate, lesson(case, prepared, one.fit, candidate.max_rows))
        answers.append(answered(prepared, candidate, model, prepared.columns(one.part)[one.score]))
    return np.concatenate(answers)


def _exported(case: Case, prepared: Prepared, candidate: Single, model: Any) -> bytes:
    try:
        return export_model(model, prepared.columns("train").shape[1], case.task)
    except EsteiraError as error:
        raise CandidateError(f"{candidate.kind} cannot be exported: {error}") from error


def _file(prepared: Prepared, candidate: Single, kind: str) -> Path:
    return prepared.folder / f"{candidate.kind}.{kind}"
