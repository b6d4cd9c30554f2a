"""A training whose three parts lie on disk, as it passes from step to step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from esteira.bundle import DatasetFact, Seen
from esteira.data.dataset import Dataset

if TYPE_CHECKING:
    from pandas import DataFrame
    from sklearn.pipeline import Pipeline


class Prepared(BaseModel):
    """A training whose parts are on disk in `folder`."""

    model_config = ConfigDict(frozen=True)

    training_id: str
    folder: Path
    cleaned: Dataset
    dataset: DatasetFact
    seen: dict[str, Seen]
    scale: float
    """Standard deviation of the target in the training part."""
    mlflow_run_id: str = ""
    """The training's parent run."""

    def columns(self, part: str) -> npt.NDArray[np.float32]:
        """The preprocessed columns of a part, float32 [N, p], mapped from disk."""
        columns: npt.NDArray[np.float32] = np.load(self.folder / f"{part}_X.npy", mmap_mode="r")
        return columns

    def target(self, part: str) -> npt.NDArray[np.float64]:
        """The target of a part in its own unit, float64 [N]."""
        target: npt.NDArray[np.float64] = np.load(self.folder / f"{part}_y.npy")
        return target

    def raw(self, part: str) -> DataFrame:
        """The raw rows of the validation or holdout part, features and target."""
        import pandas as pd

        return pd.read_parquet(self.folder / f"{part}.parquet")

    def scaler(self) -> Pipeline:
        """The fitted preprocessing."""
        import joblib

        return joblib.load(self.folder / "scaler.joblib")

    def sentence(self) -> str:
        fact = self.dataset
        return (
            f"{fact.train_rows:,} rows to train, {fact.validation_rows:,} to validate, "
            f"{fact.holdout_rows:,} held out"
        )
