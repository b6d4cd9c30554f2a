"""The types that a case's YAML is validated by."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from esteira.candidates import Candidate, Ensemble
from esteira.days import to_days, to_text
from esteira.rules import Rule
from esteira.vocabulary import Task, Word

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
"""A case's name is a file name, a container name and a part of a DAG id."""

API_PATHS = frozenset(
    {"predict", "explain", "model", "check", "health", "metrics", "docs", "problems"}
    | {"ping", "invocations", "v2"}  # what other platforms ask
)
"""What the gateway could not tell from a path of the default case is no case's name."""

Cell = int | float | str | None
"""A value of a record in JSON."""

_EXACT = 2**53
"""Up to this a float64, which models compute with, tells every whole number from the next."""

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


class _Column(Word):
    description: str | None = None
    optional: bool = False

    def fault(self, value: Cell) -> str | None:
        """What is wrong with a record's value for this column, after the value; None where nothing is."""
        if value is None:
            return None if self.optional else "needs the column to be optional"
        return self._fault(value)

    @abstractmethod
    def _fault(self, value: float | str) -> str | None: ...


class _Numeric(_Column):
    """How a number is written in the raw file; in JSON it is always a plain number."""

    unit: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    symbol: str | None = Field(None, min_length=1)
    """A currency or percent sign that is taken off, at either end."""

    @model_validator(mode="after")
    def _different_marks(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; one of them must be another")
        return self


class Integer(_Numeric):
    """Whole numbers between `min` and `max`, both allowed."""

    type: Literal["integer"]
    min: int | None = None
    max: int | None = None

    @model_validator(mode="after")
    def _possible(self) -> Integer:
        _check_range(self.min, self.max)
        return self

    def _fault(self, value: float | str) -> str | None:
        if isinstance(value, str) or value % 1:
            return "is no whole number"
        return _outside(value, self.min, self.max)


class Number(_Numeric):
    """Finite real numbers between `min` and `max`, both allowed."""

    type: Literal["number"]
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _possible(self) -> Number:
        _check_range(self.min, self.max)
        return self

    def _fault(self, value: float | str) -> str | None:
        return "is no number" if isinstance(value, str) else _outside(value, self.min, self.max)


class Date(_Column):
    """Days, or moments, between `min` and `max` (ISO 8601), both allowed; ISO 8601 in JSON too."""

    type: Literal["date"]
    format: str | None = None
    """How the raw file writes it, in the words of strptime; by default ISO 8601."""
    time: bool = False
    """Whether the time of day counts; without it a moment is its day."""
    min: str | None = None
    max: str | None = None

    @field_validator("min", "max")
    @classmethod
    def _date(cls, text: str | None) -> str | None:
        if text is not None:
            to_days(text)
        return text

    @model_validator(mode="after")
    def _possible(self) -> Date:
        low, high = self.bounds
        _check_range(low, high)
        return self

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The first and the last day that is allowed, as days since 1970."""
        low, high = (None if text is None else to_days(text) for text in (self.min, self.max))
        return low, high

    def _fault(self, value: float | str) -> str | None:
        if not isinstance(value, str):
            return "is no date; put it in quotes"
        try:
            days = to_days(value)
        except ValueError:
            return "is no date in ISO 8601, as in '2024-12-31'"
        if not self.time and (days % 1 or to_text(days) != value):
            return "is not a day alone, as in '2024-12-31', and the column has no time"
        return _outside(days, *self.bounds)


class Category(_Column):
    """One of `levels`: all whole numbers or all text; without `levels`, any text."""

    type: Literal["category"]
    levels: tuple[int, ...] | tuple[str, ...] | None = None
    ignore_case: bool = False
    """Whether `Yes` and `yes` are the same level: the one that `levels` spells."""

    @field_validator("levels", mode="before")
    @classmethod
    def _quoted(cls, levels: Any) -> Any:
        if isinstance(levels, list) and any(isinstance(level, bool) for level in levels):
            raise ValueError("YAML reads Yes, No, on and off as true and false; put them in quotes")
        return tuple(levels) if isinstance(levels, list) else levels

    @field_validator("levels")
    @classmethod
    def _distinct(cls, levels: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if levels is not None and (len(levels) == 0 or len(set(levels)) < len(levels)):
            raise ValueError("levels must be one or more different values")
        return levels

    @model_validator(mode="after")
    def _foldable(self) -> Category:
        if self.ignore_case and not (self.levels and self.is_text):
            raise ValueError("ignore_case needs levels that are text")
        if self.ignore_case and len({str(level).casefold() for level in self.levels or ()}) < len(
            self.levels or ()
        ):
            raise ValueError("levels differ only in case, and ignore_case takes those for the same")
        return self

    @property
    def is_text(self) -> bool:
        """Whether the levels are text; whole-number levels travel with the numbers."""
        return self.levels is None or isinstance(self.levels[0], str)

    def _fault(self, value: float | str) -> str | None:
        if self.levels is None:
            return None if isinstance(value, str) else "is no text; put it in quotes"
        if isinstance(value, str) and self.ignore_case:
            known = {str(level).casefold() for level in self.levels}
            return None if value.casefold() in known else "is none of its levels"
        found = any(level == value and type(level) is type(value) for level in self.levels)
        return None if found else "is none of its levels"


Column = Annotated[Integer | Number | Category | Date, Field(discriminator="type")]


def is_text(column: Column) -> bool:
    """Whether a column's values are text, in a table, in JSON and in the ONNX graph."""
    return isinstance(column, Category) and column.is_text


def json_name(column: str) -> str:
    """The name of a column in JSON: blanks become underscores."""
    return re.sub(r"\s+", "_", column.strip())


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
    example: dict[str, Cell] | None = None

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


def _check_range(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"min {low} is above max {high}: no value fits")


def _outside(value: float, low: float | None, high: float | None) -> str | None:
    if low is not None and value < low:
        return "is below the column's min"
    return "is above the column's max" if high is not None and value > high else None


def _check_exact(columns: Mapping[str, Column]) -> None:
    for name, column in columns.items():
        for end in ("min", "max") if isinstance(column, Integer) else ():
            bound = getattr(column, end)
            if bound is not None and abs(bound) > _EXACT:
                raise ValueError(
                    f"columns.{name}.{end}: {bound} is beyond {_EXACT:,}, up to which models tell whole "
                    f"numbers apart; leave {end} out, or make a text of the column: category without levels"
                )


def _check_example(example: Mapping[str, Cell], features: Mapping[str, Column]) -> None:
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
