"""Fits one candidate, scores it on the validation part and exports it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import joblib
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from sklearn.base import RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator

from esteira.candidates import Candidate
from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.train.prepared import Prepared
from esteira.train.scores import scores, sentence

log = logging.getLogger("esteira")


class CandidateError(EsteiraError):
    """A candidate is not one of the case's."""


class Fitted(BaseModel):
    """A candidate that was fitted and scored; its files lie in the training's folder."""

    model_config = ConfigDict(frozen=True)

    candidate: Candidate
    scores: dict[str, float]
    seconds: float
    bound: str
    model: Path
    graph: Path
    mlflow_run_id: str | None = None

    @property
    def name(self) -> str:
        return self.candidate.kind

    def sentence(self) -> str:
        return f"{sentence(self.scores)}, fitted in {self.seconds:.1f} s ({self.bound})"

    def estimator(self) -> RegressorMixin:
        """The fitted model, as it is pickled for data scientists."""
        return joblib.load(self.model)


def named(case: Case, name: str) -> Candidate:
    """The case's candidate of a name."""
    for candidate in case.train.candidates:
        if candidate.kind == name:
            return candidate
    names = ", ".join(candidate.kind for candidate in case.train.candidates)
    raise CandidateError(f"{name!r} is not a candidate of the case {case.name!r}; it has {names}")


def fit(case: Case, prepared: Prepared, candidate: Candidate) -> Fitted:
    """Fit on the training part; predict the validation part; write the model and its ONNX graph."""
    bound = candidate.bound(prepared.dataset.train_rows)
    log.info("Fitting %s: %s", candidate.kind, bound)
    started = time.monotonic()
    model = trained(case, prepared, candidate)
    seconds = time.monotonic() - started
    result = scores(prepared.target("validation"), model.predict(prepared.columns("validation")))
    model_path = prepared.folder / f"{candidate.kind}.joblib"
    graph_path = prepared.folder / f"{candidate.kind}.onnx"
    joblib.dump(model, model_path, compress=3)
    graph_path.write_bytes(_exported(case, prepared, model))
    fitted = Fitted(
        candidate=candidate,
        scores=result,
        seconds=round(seconds, 3),
        bound=bound,
        model=model_path,
        graph=graph_path,
    )
    log.info("%s on the validation part: %s", candidate.kind, fitted.sentence())
    return fitted


def sample(available: int, wanted: int) -> slice | npt.NDArray[np.int64]:
    """All rows, or which of them make an even sample: the same ones every time, in their order."""
    if wanted >= available:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(available, wanted, replace=False))


def trained(case: Case, prepared: Prepared, candidate: Candidate) -> RegressorMixin:
    """The model, fitted on its rows of the training part, which answers in the target's own unit."""
    available = prepared.dataset.train_rows
    rows = sample(available, candidate.rows(available))
    columns, target = prepared.columns("train")[rows], prepared.target("train")[rows]
    if not case.train.log_target:
        return candidate.fit(columns, target)
    inner = FrozenEstimator(candidate.fit(columns, np.log(target)))
    outer = TransformedTargetRegressor(inner, func=np.log, inverse_func=np.exp, check_inverse=False)
    return outer.fit(columns[:2], target[:2])


def _exported(case: Case, prepared: Prepared, model: RegressorMixin) -> bytes:
    from esteira.train import features, graph

    return graph.export(prepared.scaler(), model, features.layout(case.features))
