"""How good `esteira new` and a training are on real files, against FLAML, AutoGluon and plain boosting.

Each side trains on the same rows and columns for the same time, and answers the same held-out rows.
Run: `python -m benchmarks.quality`, with `--seconds 5` for a trial.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import exams, training
from benchmarks.errors import BenchmarkError
from benchmarks.exams import BASELINE, RIVALS, Exam, Metric
from esteira import casefile
from esteira.case import Case, Search
from esteira.columns import Category, Date
from esteira.settings import PROJECT, Settings
from esteira.train import features, graph
from esteira.train.judge import Judgement
from esteira.train.prepared import Prepared

SHARED = Path(os.environ.get("ESTEIRA_SHARED_DATA", PROJECT.parent / "shared" / "data"))
SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Table:
    """A real file; `reference` is the score of scikit-learn's boosting with its defaults, as `measured`."""

    name: str
    file: str
    target: str
    metric: Metric
    reference: float
    measured: str
    by_folds: bool = False
    """Whether the reference is out of fold, so that our score out of fold is its like."""


TABLES = (
    Table(
        name="obesity",
        file="ObesityDataSet_raw_and_data_sinthetic.csv",
        target="NObeyesdad",
        metric="accuracy",
        reference=0.973,
        measured="5 folds",
        by_folds=True,
    ),
    Table(
        name="weather",
        file="weatherAUS.csv.gz",
        target="RainTomorrow",
        metric="roc_auc",
        reference=0.884,
        measured="last 20 % by date",
    ),
    Table(
        name="rents",
        file="aluguel.csv",
        target="Valor",
        metric="r2_log",
        reference=0.875,
        measured="another split",
    ),
    Table(
        name="houses to rent",
        file="houses_to_rent_v2.csv",
        target="valor_aluguel",
        metric="r2_log",
        reference=0.764,
        measured="another split, without the leaks",
    ),
)
"""The references are those of the README that lies beside the files."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """One file: each side's score on the held-out rows, and how near ONNX is to scikit-learn."""

    table: Table
    train_rows: int
    holdout_rows: int
    chosen: str
    score: float
    out_of_fold: float
    """Ours on the training rows, each answered by a model that did not see it; chosen on them too."""
    baseline: float
    """That of scikit-learn's boosting with its defaults."""
    rivals: Mapping[str, float]
    parity: float


def measure(
    tables: Sequence[Table] = TABLES, seconds: float = SECONDS, pythons: Mapping[str, Path] | None = None
) -> list[Quality]:
    """Every file, one side after the other.

    The rivals' environments are made anew, unless `pythons` gives the interpreter of each. Raises
    BenchmarkError when a file is missing or a side fails, RejectedError when our own gate says no.
    """
    absent = [table.file for table in tables if not (SHARED / table.file).is_file()]
    if absent:
        raise BenchmarkError(
            f"{SHARED} has no {', '.join(absent)}; set ESTEIRA_SHARED_DATA to the folder that holds them"
        )
    with tempfile.TemporaryDirectory(prefix="esteira-quality-") as name:
        folder = Path(name)
        sides = pythons or {rival: exams.environment(rival, folder / rival) for rival in RIVALS}
        return [_contest(table, folder / f"case-{table.target}", seconds, sides) for table in tables]


def _contest(table: Table, folder: Path, seconds: float, sides: Mapping[str, Path]) -> Quality:
    now = training.home(folder).model_copy(update={"CASOS_PATH": folder / "casos", "RAW_DATA_PATH": SHARED})
    case = _searching(_new(table, now), seconds)
    prepared, judgement = training.judged(case, now)
    train, holdout = _sides(prepared, case)
    exam = _exam(table, case, judgement, folder, seconds)
    train.to_csv(exam.train, index=False)
    holdout.to_csv(exam.holdout, index=False)
    return Quality(
        table=table,
        train_rows=len(train),
        holdout_rows=len(holdout),
        chosen=judgement.winner.name,
        score=exam.score(_answers(exam, judgement, holdout)),
        out_of_fold=judgement.winner.scores[table.metric],
        baseline=exams.sit(BASELINE, Path(sys.executable), exam),
        rivals={rival: exams.sit(rival, python, exam) for rival, python in sides.items()},
        parity=judgement.facts.parity,
    )


def _new(table: Table, now: Settings) -> Case:
    """The case as `esteira new` writes it; columns that leak are left out there."""
    now.CASOS_PATH.mkdir(parents=True)
    command = [str(Path(sys.executable).with_name("esteira")), "new", str(SHARED / table.file)]
    told = {name: str(value) for name, value in now.model_dump().items()}
    exams.done([*command, "--target", table.target, "--name", "quality"], {**os.environ, **told})
    return casefile.load(now.CASOS_PATH, "quality")


def _searching(case: Case, seconds: float) -> Case:
    search = (case.train.search or Search()).model_copy(update={"seconds": seconds})
    return case.model_copy(update={"train": case.train.model_copy(update={"search": search})})


def _sides(prepared: Prepared, case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The raw rows that models may learn from, and those held out; equal rows are on one side."""
    names = [*case.features, case.target]
    everything = pd.read_parquet(prepared.cleaned.path)[names]
    holdout = prepared.raw("holdout")[names]
    held = _hashes(everything).isin(_hashes(holdout))
    if held.sum() != len(holdout):
        raise BenchmarkError(f"{held.sum()} rows of {prepared.cleaned.path} are held out, not {len(holdout)}")
    return everything[~held], holdout


def _hashes(rows: pd.DataFrame) -> pd.Series:
    return pd.util.hash_pandas_object(rows, index=False)


def _exam(table: Table, case: Case, judgement: Judgement, folder: Path, seconds: float) -> Exam:
    columns = {**case.features, case.target: case.target_column}
    classes = judgement.facts.classes
    return Exam(
        train=str(folder / "train.csv"),
        holdout=str(folder / "holdout.csv"),
        answers=str(folder / "answers.csv"),
        target=case.target,
        task=case.task,
        metric=table.metric,
        positive=str(classes[1]) if classes and table.metric == "roc_auc" else None,
        texts=tuple(name for name, column in columns.items() if isinstance(column, Category)),
        dates=tuple(name for name, column in columns.items() if isinstance(column, Date)),
        seconds=seconds,
    )


def _answers(exam: Exam, judgement: Judgement, holdout: pd.DataFrame) -> npt.NDArray[Any]:
    """What the ONNX graph answers to raw rows, in the form that the exam asks for."""
    shape = features.layout(judgement.facts.columns)
    feed = features.tensors(features.frame(holdout, shape), shape)
    found = graph.run(graph.session(judgement.finished.graph.read_bytes()), feed)
    classes = judgement.facts.classes
    if classes is None:
        return found.prediction
    if exam.positive is not None and found.probabilities is not None:
        return found.probabilities[:, 1]
    return np.array(classes)[found.prediction.astype(np.int64)]


def main() -> None:
    """Print every score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    for rival in RIVALS:
        parser.add_argument(
            f"--{rival}", type=Path, help="the Python of an environment that is there already"
        )
    asked = vars(parser.parse_args())
    pythons = {rival: asked[rival] for rival in RIVALS}
    for found in measure(seconds=asked["seconds"], pythons=pythons if all(pythons.values()) else None):
        rivals = ", ".join(f"{RIVALS[rival]} {score:.4f}" for rival, score in found.rivals.items())
        print(
            f"{found.table.name}: {found.table.metric} {found.score:.4f} by {found.chosen} on "
            f"{found.holdout_rows:,} rows, out of fold {found.out_of_fold:.4f}; "
            f"scikit-learn's defaults {found.baseline:.4f}, {rivals}; reference {found.table.reference}; "
            f"parity {found.parity:.1e}"
        )


if __name__ == "__main__":
    main()
