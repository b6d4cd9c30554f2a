"""What is known of a trained model and of a published version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from esteira.columns import Column, Value
from esteira.vocabulary import Task

Role = Literal["modelo", "scaler", "onnx", "cartao"]
"""What a file of a version is."""

Record = dict[str, Value]
Answer = float | int | str
"""A number, or a class as the case spells it."""

_FIRST_SCORES: Mapping[Task, tuple[tuple[str, str], ...]] = {
    "regression": (("r2", "R² {:.4f}"), ("rmse", "RMSE {:,.4g}")),
    "classification": (("accuracy", "accuracy {:.4f}"), ("f1", "F1 {:.4f}")),
}


class _Fact(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        allow_inf_nan=False,  # JSON has no word for them: such a version could never be opened again
    )


class FileFact(_Fact):
    """One file of a bundle, its path relative to the case's folder."""

    path: str
    sha256: str
    bytes: int


class Seen(_Fact):
    """What training saw of a column: the range of a number, or of a date in days, or a category's levels."""

    min: float | None = None
    max: float | None = None
    levels: tuple[int, ...] | tuple[str, ...] | None = None


class Golden(_Fact):
    """A record (by column name; a date as ISO 8601) and the answer that the training process gave."""

    record: Record
    prediction: Answer
    probabilities: tuple[float, ...] | None = None
    """One for each of the model's classes, in their order."""
    interval: tuple[float, float] | None = None


class Interval(_Fact):
    """The prediction interval of a regression: the share that was asked, and what the holdout showed."""

    asked: float
    coverage: float
    """The share of the holdout's true values that lay inside."""
    width: float
    """The median width on the holdout, in the target's unit."""


class ClassScores(_Fact):
    """How well one class is told from the others on the holdout; `support` is its rows there."""

    precision: float
    recall: float
    f1: float
    support: int


class Compared(_Fact):
    """A candidate whose own answer stands beside the prediction, under its name."""

    name: str
    """As in `DecisionTree`."""
    kind: str
    scores: dict[str, float]
    """Its technical details on the holdout, by the names under which the API shows them."""


class CandidateFact(_Fact):
    """One candidate as it was trained: its parameters and its scores on the validation part."""

    name: str
    parameters: dict[str, Value]
    scores: dict[str, float]
    seconds: float
    bound: str
    mlflow_run_id: str | None = None


class DatasetFact(_Fact):
    """The dataset a version was trained on; the rows are those of its three parts."""

    sha256: str
    rows: int
    train_rows: int
    validation_rows: int
    holdout_rows: int
    synthetic: bool = False


class HeldOutFact(_Fact):
    """What decided which rows a version was judged on, and so never trained on."""

    share: float
    """That was asked for; by content, a smaller share's rows are all among a larger one's."""
    time: str | None = None
    """The date column whose newest rows they are; None where the rows' content decided."""
    since: float | None = None
    """If time decided: the day from which on rows are held out, counted from 1970."""


class Facts(_Fact):
    """Everything known of a trained model before it gets a version number."""

    case: str
    title: str
    target: str
    unit: str | None = None
    task: Task
    classes: tuple[int, ...] | tuple[str, ...] | None = None
    """What a classification tells apart, in the order of the probabilities."""
    threshold: float | None = None
    """Two classes: from this probability of the second one on, it is the answer."""
    columns: dict[str, Column]
    seen: dict[str, Seen]
    example: Record
    golden: tuple[Golden, ...]
    tolerance: float
    """How far an answer may be off, relative to its own size or to `scale`, whichever is larger."""
    scale: float = 1.0
    """The size of a usual answer: the target's standard deviation, in its unit; 1 for classes."""
    chosen: str
    candidates: tuple[CandidateFact, ...]
    scores: dict[str, float]
    """The chosen candidate's scores on the holdout."""
    per_class: dict[str, ClassScores] = {}
    interval: Interval | None = None
    importances: dict[str, float] = {}
    """By how much the case's metric on the holdout worsens when a column is shuffled, strongest first."""
    compared: tuple[Compared, ...] = ()
    """The candidates of the graph's output `models`, in its order."""
    parity: float
    """The largest relative difference between ONNX and scikit-learn on the holdout."""
    dataset: DatasetFact
    held_out: HeldOutFact | None = None
    """None in versions that were published before this was written down."""
    packages: dict[str, str]
    git_commit: str | None = None
    mlflow_run_id: str | None = None
    training_id: str
    """Names the training: publishing the same one again gives the version it already has."""

    def agrees(self, answer: Answer, expected: Answer) -> bool:
        """Whether a class is the expected one, or a number or probability is, within the tolerance."""
        if isinstance(answer, str) or isinstance(expected, str):
            return answer == expected
        return abs(answer - expected) <= self.tolerance * max(self.scale, abs(expected))

    def told(self) -> str:
        """The scores that people look at first, in words."""
        return told(self.task, self.scores)


class Metadata(Facts):
    """The commit record of a version."""

    version: int
    created_at: datetime
    files: dict[Role, FileFact]


def told(task: Task, scores: Mapping[str, float]) -> str:
    """The scores that people look at first, of a task, in words."""
    return ", ".join(words.format(scores[name]) for name, words in _FIRST_SCORES[task] if name in scores)
