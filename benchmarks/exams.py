"""One question for every side: rows to learn from, rows to answer, a metric and a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    import numpy.typing as npt

Metric = Literal["accuracy", "roc_auc", "r2_log"]
RIVALS: Mapping[str, str] = {"flaml": "FLAML", "autogluon": "AutoGluon"}
"""Each has a list of pinned packages and a function in the folder `rivals`, under this name."""
BASELINE = "scikit_learn"
"""Boosting with its defaults: a function there too, for the environment that we are in."""

_FOLDER = Path(__file__).parent / "rivals"


@dataclass(frozen=True, kw_only=True)
class Exam:
    """What `rivals/exam.py` is told; its files are CSVs, with an empty cell for a missing value."""

    train: str
    holdout: str
    answers: str
    target: str
    task: str
    metric: Metric
    positive: str | None
    """The class whose probability is asked for; None where classes or numbers are."""
    texts: tuple[str, ...]
    dates: tuple[str, ...]
    seconds: float

    def score(self, answers: npt.NDArray[Any]) -> float:
        """What answers to the held-out rows, in their order, are worth."""
        import numpy as np
        import pandas as pd
        from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

        texts = dict.fromkeys(self.texts, "object")
        rows = pd.read_csv(self.holdout, dtype=texts, keep_default_na=False, na_values=[""])
        actual = rows[self.target]
        match self.metric:
            case "accuracy":
                return float(accuracy_score(actual.astype(str), answers.astype(str)))
            case "roc_auc":
                return float(roc_auc_score(actual.astype(str) == self.positive, answers))
            case "r2_log":
                return float(r2_score(np.log(actual), np.log(answers)))


def environment(rival: str, folder: Path) -> Path:
    """The Python of a new environment with exactly what the rival's list pins."""
    uv = str(Path(sys.executable).with_name("uv"))
    done([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    pins = str(_FOLDER / f"{rival}.txt")
    told = {**os.environ, "VIRTUAL_ENV": str(folder)}
    done([uv, "pip", "install", "--quiet", "--no-deps", "--requirement", pins], told)
    return folder / "bin" / "python"


def sit(rival: str, python: Path, exam: Exam) -> float:
    """The score of a rival, which trains and answers in a process of its own."""
    import pandas as pd

    told = Path(exam.answers).with_suffix(".json")
    told.write_text(json.dumps(asdict(exam)), encoding="utf-8")
    done([str(python), str(_FOLDER / "exam.py"), rival, str(told)])
    answers = pd.read_csv(exam.answers, keep_default_na=False)["answer"]
    return exam.score(answers.to_numpy())


def done(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; raises BenchmarkError with what it said last when it fails."""
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr[-2000:]}")
