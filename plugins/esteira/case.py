"""The types that a case's YAML is validated by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from esteira.candidates import Candidate, Ensemble
from esteira.columns import EXACT, Category, Column, Date, Integer, Number, Value, json_name
from esteira.rules import Rule
from esteira.vocabulary import Task, Word

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
"""A case's name is a file name, a container name and a part of a DAG id."""

API_PATHS = frozenset(
    {"predict", "explain", "model", "check", "health", "metrics", "docs", "problems"}
    | {"ping", "invocations", "v2"}  # what other platforms ask
)
"""What the gateway could not tell from a path of the default case is no case's name."""

RegressionMetric = Literal["r2", "rmse", "mae", "mape", "medae", "r2_log"]
ClassificationMetric = Literal[
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
]
Metric = RegressionMetric | ClassificationMetric
"""`r2_log` is the R² of the target's logarithm; precision, recall and f1 are means over the classes."""

METRICS: Mapping[Task, tuple[str, ...]] = {
    "regression": get_args(RegressionMetric),
    "classification": get_args(ClassificationMetric),
}
LOWER_IS_BETTER: frozenset[str] = frozenset({"rmse", "mae", "mape", "medae", "log_loss", "brier"})


class Source(Word):
    """Where the raw rows are: files under RAW_DATA_PATH (a glob; .gz is read as it is)."""

    files: str
    synthetic: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    missing: tuple[str, ...] = ("",)
    max_rejected: float = Field(0.5, gt=0, le=1)


class Search(Word):
    """A budget to search the candidates' parameters with; `trials` is the most that one candidate gets."""

    seconds: float = Field(60, gt=0)
    trials: int = Field(200, ge=1)


class Train(Word):
    """Which candidates compete, on which rows and by what."""

    candidates: tuple[Candidate, ...] = Field(min_length=1)
    metric: Metric | None = None
    log_target: bool = False
    holdout: float = Field(0.1, ge=0.05, le=0.5)
    """The share of the rows that is kept for the one judgement at the end."""
    time: str | None = None
    """The date column that orders the rows: then the newest are held out, and folds go forward in time."""
    folds: int = Field(0, ge=0, le=10)
    """With 2 or more, candidates are compared by cross-validation; with 0, on a validation part (10 %)."""
    imbalance: Literal["none", "class_weights", "random", "smote"] = "none"
    search: Search | None = None
    interval: float = Field(0.9, gt=0.5, lt=1)
    """The share of true values that a regression's prediction interval should hold."""

    @field_validator("candidates")
    @classmethod
    def _once(cls, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        names = [candidate.kind for candidate in candidates]
        if len(set(names)) < len(names):
            raise ValueError("each candidate can be named once")
        return candidates

    @field_validator("candidates")
    @classmethod
    def _not_only_together(cls, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        if all(isinstance(candidate, Ensemble) for candidate in candidates):
            raise ValueError("an ensemble is made of other candidates; name two or more of them beside it")
        return candidates

    @field_validator("folds")
    @classmethod
    def _not_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one fold is none; it can be 0, or 2 to 10")
        return folds


class Serve(Word):
    """What an answer holds besides the prediction."""

    compare: bool = False
    """Whether every candidate's own answer, with its scores, stands beside the chosen one's."""


class Release(Word):
    """How a new version goes live, and what sends it back."""

    replicas: int = Field(1, ge=1, le=8)
    """How many containers serve a version side by side."""
    canary: int = Field(0, ge=0, le=50)
    """The percent of live requests that a new version gets first; 0 leaves that step out."""
    bake: float = Field(30.0, ge=1, le=86_400)
    """For how many seconds it is watched on that share."""
    errors: float = Field(0.01, ge=0, lt=1)
    """The highest share of its requests that may fail: answered 5xx, or not at all."""
    p99_ratio: float = Field(1.5, ge=1)
    """The highest p99 of its answers, as a multiple of the old version's over the same time."""
    shadow: int = Field(0, ge=0, le=100)
    """The percent of live questions that are also asked of it, unseen; 0 leaves that step out."""
    shadow_seconds: float = Field(30.0, ge=1, le=86_400)
    agreement: float | None = Field(None, gt=0, le=1)
    """The lowest share of those that both versions must answer alike; None only reports it."""
    keep: int = Field(3, ge=0, le=100)
    """How many earlier versions stay ready to go back to, stopped."""


class Case(Word):
    """One prediction problem: where the data is, its columns, cleaning, candidates and gate."""

    name: str = Field(pattern=NAME_PATTERN)
    title: str
    description: str = ""
    source: Source
    target: str
    task: Task
    columns: dict[str, Column] = Field(min_length=1)
    clean: tuple[Rule, ...] = ()
    train: Train
    gate: dict[Metric | Literal["coverage"], float] = Field(default_factory=dict)
    serve: Serve = Serve()
    release: Release = Release()
    example: dict[str, Value] | None = None

    @field_validator("name")
    @classmethod
    def _no_path(cls, name: str) -> str:
        if name in API_PATHS:
            raise ValueError(f"{name!r} is a path of the API; give the file another name")
        return name

    @cached_property
    def features(self) -> dict[str, Column]:
        """The columns that a prediction is made from, in the case's order."""
        return {name: column for name, column in self.columns.items() if name != self.target}

    @cached_property
    def target_column(self) -> Integer | Number | Category:
        """What the target may hold: as declared among the columns, else any number, or any text."""
        fallback = Number(type="number") if self.task == "regression" else Category(type="category")
        column = self.columns.get(self.target, fallback)
        assert not isinstance(column, Date)
        return column

    @property
    def metric(self) -> str:
        """What candidates are compared by."""
        return self.train.metric or ("rmse" if self.task == "regression" else "log_loss")

    def reading(self, files: str | None) -> Case:
        """The same case on other raw files, which are never made up; None or "" leaves it as it is."""
        if not files or files == self.source.files:
            return self
        other = self.source.model_copy(update={"files": files, "synthetic": None})
        return self.model_copy(update={"source": other})

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        if not self.features:
            raise ValueError("columns: at least one column besides the target is needed")
        _check_json_names(self.features)
        _check_target(self)
        _check_train(self)
        for place, named in self._named_columns():
            if named not in {*self.columns, self.target}:
                raise ValueError(f"{place}: there is no column {named!r} under columns")
            if place.startswith("clean.iqr_outliers") and not isinstance(
                self.columns.get(named, self.target_column), Integer | Number
            ):
                raise ValueError(f"{place}: {named!r} has no quartiles; name integers and numbers only")
        _check_exact(self.columns)
        if self.example is not None:
            _check_example(self.example, self.features)
        return self

    def _named_columns(self) -> list[tuple[str, str]]:
        return [
            (f"clean.{rule.kind}.columns", name)
            for rule in self.clean
            for name in getattr(rule, "columns", ())
        ]


def _check_target(case: Case) -> None:
    target = case.columns.get(case.target)
    place = f"columns.{case.target}"
    if case.task == "regression" and isinstance(target, Category | Date):
        raise ValueError(f"{place}: the target of a regression must be an integer or a number")
    if case.task == "classification" and not isinstance(target, Category | None):
        raise ValueError(f"{place}: the target of a classification must be a category")
    if isinstance(target, Category) and target.levels is not None and len(target.levels) < 2:
        raise ValueError(f"{place}.levels: a classification needs two classes or more")


def _check_train(case: Case) -> None:
    target, train = case.target_column, case.train
    for place, metric in [("train.metric", train.metric), *((f"gate.{name}", name) for name in case.gate)]:
        known = METRICS[case.task]
        if place.startswith("gate") and case.task == "regression":
            known = (*known, "coverage")
        if metric is not None and metric not in known:
            raise ValueError(f"{place}: {metric!r} is not for a {case.task}; it can be {', '.join(known)}")
    for candidate in train.candidates:
        if case.task not in candidate.tasks:
            raise ValueError(f"train.candidates: {candidate.kind!r} cannot do a {case.task}")
    positive = isinstance(target, Integer | Number) and target.min is not None and target.min > 0
    logarithm = "r2_log" in (train.metric, *case.gate)
    if (train.log_target or logarithm) and not positive:
        raise ValueError(
            f"{'train.log_target' if train.log_target else 'r2_log'}: the logarithm needs a positive target; "
            f"declare columns.{case.target} with a min above 0"
        )
    if train.time is not None and not isinstance(case.features.get(train.time), Date):
        raise ValueError(f"train.time: {train.time!r} must be one of the columns, with the type date")
    if train.imbalance != "none" and case.task == "regression":
        raise ValueError("train.imbalance: a regression has no classes; remove it")


def _check_exact(columns: Mapping[str, Column]) -> None:
    for name, column in columns.items():
        for end in ("min", "max") if isinstance(column, Integer) else ():
            bound = getattr(column, end)
            if bound is not None and abs(bound) > EXACT:
                raise ValueError(
                    f"columns.{name}.{end}: {bound} is beyond {EXACT:,}, up to which models tell whole "
                    f"numbers apart; leave {end} out, or make a text of the column: category without levels"
                )


def _check_example(example: Mapping[str, Value], features: Mapping[str, Column]) -> None:
    if set(example) != set(features):
        odd = sorted(set(example) ^ set(features))
        raise ValueError(f"example: must name each column once; look at {', '.join(odd)}")
    for name, column in features.items():
        fault = column.fault(example[name])
        if fault is not None:
            raise ValueError(f"example.{name}: {example[name]!r} {fault}")


def _check_json_names(features: dict[str, Column]) -> None:
    by_json: dict[str, str] = {}
    for name in features:
        twin = by_json.setdefault(json_name(name), name)
        if twin != name:
            raise ValueError(f"columns: {twin!r} and {name!r} would both be {json_name(name)!r} in JSON")
