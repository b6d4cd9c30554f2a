"""A candidate that was fitted and scored, as it passes from step to step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from esteira.candidates import Candidate
from esteira.train.scores import sentence
from esteira.vocabulary import Task


class Fitted(BaseModel):
    """A fitted candidate; its files lie in the training's folder."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    candidate: Candidate
    """With the parameters that it was fitted with, searched ones included."""
    scores: dict[str, float]
    """On the rows that candidates are compared on: out of fold, or the validation part."""
    seconds: float
    """How long the model took to fit, without the search and the other folds."""
    bound: str
    model: Path
    """joblib: a scikit-learn model from columns [N, p] to the target's unit, or to classes 0 … K-1."""
    graph: Path
    """ONNX: from `columns` float32 [N, p] to `prediction` [N, 1] or `probabilities` float32 [N, K]."""
    answers: Path
    """.npy: what it answers to the rows that it was scored on, float64 [M] or probabilities [M, K]."""
    study: Path | None = None
    """joblib: the Optuna study, if its parameters were searched."""
    mlflow_run_id: str | None = None

    @property
    def name(self) -> str:
        return self.candidate.kind

    def sentence(self) -> str:
        """How well it does and what it cost, for a log or a run note."""
        task: Task = "regression" if "r2" in self.scores else "classification"
        return f"{sentence(task, self.scores)}, fitted in {self.seconds:.1f} s ({self.bound})"

    def estimator(self) -> Any:
        """The fitted scikit-learn model."""
        return joblib.load(self.model)

    def answered(self) -> npt.NDArray[np.float64]:
        """What it answers to the rows that it was scored on."""
        answers: npt.NDArray[np.float64] = np.load(self.answers)
        return answers
