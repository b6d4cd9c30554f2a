"""A training whose three parts lie on disk, as it passes from step to step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from esteira.data.dataset import Dataset
from esteira.days import to_text
from esteira.metadata import DatasetFact, Seen

if TYPE_CHECKING:
    from pandas import DataFrame
    from sklearn.pipeline import Pipeline

_SAMPLE_ROWS = 2_000


class Prepared(BaseModel):
    """A training whose parts (`train`, `validation`, `holdout`) are on disk in `folder`."""

    model_config = ConfigDict(frozen=True)

    training_id: str
    folder: Path
    cleaned: Dataset
    dataset: DatasetFact
    seen: dict[str, Seen]
    scale: float
    """Standard deviation of the target in the training part; 1 for classes."""
    classes: tuple[int, ...] | tuple[str, ...] | None = None
    """Those that the training part holds, in the order of the case's levels, else sorted."""
    column_names: tuple[str, ...]
    """What each of the p columns is, for people."""
    since: tuple[float, float] | None = None
    """If time decides: the days from which on rows are of the validation part and of the holdout."""
    mlflow_run_id: str = ""
    """The training's parent run."""

    @property
    def preprocessing(self) -> Path:
        """The ONNX graph from `numbers` float64 [N, k] and `texts` [N, m] to `columns` float32 [N, p]."""
        return self.folder / "preprocessing.onnx"

    def columns(self, part: str) -> npt.NDArray[np.float32]:
        """The preprocessed columns of a part, float32 [N, p], mapped from disk."""
        columns: npt.NDArray[np.float32] = np.load(self.folder / f"{part}_X.npy", mmap_mode="r")
        return columns

    def target(self, part: str) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
        """The target of a part in its own unit, float64 [N], or the places of its classes, int64 [N]."""
        target: npt.NDArray[np.float64] | npt.NDArray[np.int64] = np.load(self.folder / f"{part}_y.npy")
        return target

    def times(self) -> npt.NDArray[np.float64] | None:
        """The moments of the training part's rows in days, float64 [N_train], NaN where there is none.

        None when the case names no time column.
        """
        path = self.folder / "train_t.npy"
        return np.load(path) if path.exists() else None

    def raw(self, part: str) -> DataFrame:
        """The raw rows of the validation or holdout part, features and target."""
        import pandas as pd

        return pd.read_parquet(self.folder / f"{part}.parquet")

    def sample(self, part: str) -> DataFrame:
        """At most 2,000 raw rows of the validation or holdout part, evenly from all of it."""
        rows = self.raw(part)
        step = -(-len(rows) // _SAMPLE_ROWS)
        return rows.iloc[::step].reset_index(drop=True)

    def scaler(self) -> Pipeline:
        """The fitted preprocessing."""
        import joblib

        return joblib.load(self.folder / "scaler.joblib")

    def sentence(self) -> str:
        """How many rows each part has, and what decided it, in plain words."""
        fact, (tested, held) = self.dataset, map(_from, self.since or (None, None))
        parts = [f"{fact.train_rows:,} rows to train", f"{fact.holdout_rows:,} held out{held}"]
        if fact.validation_rows:
            parts.insert(1, f"{fact.validation_rows:,} to validate{tested}")
        return ", ".join(parts)


def _from(day: float | None) -> str:
    return "" if day is None else f" from {to_text(day)} on"
