"""Gathers everything that a version's metadata says of how it came to be."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pandas as pd

from esteira.bundle import CandidateFact, Facts, Golden, Record, Value
from esteira.candidates import parameters
from esteira.case import Case, Column, Number, is_text
from esteira.commit import git_commit
from esteira.train.features import Doubles
from esteira.train.fit import Fitted
from esteira.train.prepared import Prepared

TOLERANCE = 1e-5
"""How far ONNX may be from scikit-learn, relative to the answer or the target's deviation."""
_GOLDEN = 20
_PACKAGES = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "duckdb", "mlflow")


def gather(
    case: Case,
    prepared: Prepared,
    fitted: Sequence[Fitted],
    winner: Fitted,
    holdout: pd.DataFrame,
    answers: Doubles,
    result: dict[str, float],
    difference: float,
) -> Facts:
    golden = tuple(
        Golden(record=record, prediction=float(answer))
        for record, answer in zip(records(case, holdout.head(_GOLDEN)), answers[:_GOLDEN], strict=True)
    )
    return Facts(
        case=case.name,
        title=case.title,
        target=case.target,
        unit=case.target_column.unit,
        task=case.task,
        columns=case.features,
        seen=prepared.seen,
        example=case.example or golden[0].record,
        golden=golden,
        tolerance=TOLERANCE,
        scale=prepared.scale,
        chosen=winner.name,
        candidates=tuple(_candidate_fact(one) for one in fitted),
        scores=result,
        parity=difference,
        dataset=prepared.dataset,
        packages={"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        git_commit=git_commit(),
        mlflow_run_id=prepared.mlflow_run_id,
        training_id=prepared.training_id,
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


def records(case: Case, rows: pd.DataFrame) -> list[Record]:
    """Rows as JSON records by column name: whole numbers as int, missing values as null."""
    names = list(case.features)
    return [
        {name: _value(case.features[name], cell) for name, cell in zip(names, row, strict=True)}
        for row in rows[names].itertuples(index=False, name=None)
    ]


def _value(column: Column, cell: Any) -> Value:
    if pd.isna(cell):
        return None
    if is_text(column):
        return str(cell)
    return float(cell) if isinstance(column, Number) else int(cell)
