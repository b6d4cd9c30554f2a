"""Trains a case in a home of its own, by the library's steps."""

from __future__ import annotations

from pathlib import Path

from esteira.case import Case
from esteira.data.clean import clean
from esteira.data.raw import find
from esteira.settings import Settings
from esteira.train import steps
from esteira.train.judge import Judgement
from esteira.train.prepared import Prepared


def home(folder: Path) -> Settings:
    """Settings under which nothing is read or written outside of the folder, but for the case files."""
    return Settings(
        RAW_DATA_PATH=folder / "raw",
        PROCESSED_DATA_PATH=folder / "processed",
        ARTEFATOS_PATH=folder / "artefatos",
        ESTEIRA_HOME=folder / "home",
        MLFLOW_TRACKING_URI=f"sqlite:///{folder / 'mlflow.db'}",
    )


def judged(case: Case, now: Settings) -> tuple[Prepared, Judgement]:
    """From the raw file to a model that passed the gate; its files are still there.

    Raises RejectedError when it did not pass.
    """
    dataset = clean(case, find(case, now), now)
    prepared = steps.split_rows(case, dataset, "benchmark", now)
    fitted = steps.fit_all(case, prepared, now)
    return prepared, steps.pass_the_gate(case, prepared, fitted, now)
