"""The types that a case's YAML is validated by."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from esteira.candidates import Candidate
from esteira.rules import Rule
from esteira.vocabulary import Word

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
"""A case's name is a file name, a container name and a part of a DAG id."""

Metric = Literal["r2", "rmse", "mae", "mape", "medae"]
HIGHER_IS_BETTER: frozenset[str] = frozenset({"r2"})


class _Column(Word):
    description: str | None = None
    optional: bool = False


class Integer(_Column):
    """Whole numbers between `min` and `max`, both allowed."""

    type: Literal["integer"]
    min: int | None = None
    max: int | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _possible(self) -> Integer:
        _check_range(self.min, self.max)
        return self


class Number(_Column):
    """Finite real numbers between `min` and `max`, both allowed."""

    type: Literal["number"]
    min: float | None = None
    max: float | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _possible(self) -> Number:
        _check_range(self.min, self.max)
        return self


class Category(_Column):
    """One of `levels`: all whole numbers or all text; without `levels`, any text."""

    type: Literal["category"]
    levels: tuple[int, ...] | tuple[str, ...] | None = None

    @field_validator("levels")
    @classmethod
    def _distinct(cls, levels: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if levels is not None and (len(levels) == 0 or len(set(levels)) < len(levels)):
            raise ValueError("levels must be one or more different values")
        return levels

    @property
    def is_text(self) -> bool:
        """Whether the levels are text; whole-number levels travel with the numbers."""
        return self.levels is None or isinstance(self.levels[0], str)


Column = Annotated[Integer | Number | Category, Field(discriminator="type")]


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


class Train(Word):
    """Which candidates compete, and by what."""

    metric: Metric = "rmse"
    candidates: tuple[Candidate, ...] = Field(min_length=1)
    log_target: bool = False

    @field_validator("candidates")
    @classmethod
    def _once(cls, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        names = [candidate.kind for candidate in candidates]
        if len(set(names)) < len(names):
            raise ValueError("each candidate can be named once")
        return candidates


class Case(Word):
    """One prediction problem: where the data is, its columns, cleaning, candidates and gate."""

    name: str = Field(pattern=NAME_PATTERN)
    title: str
    description: str = ""
    source: Source
    target: str
    task: Literal["regression"]
    columns: dict[str, Column] = Field(min_length=1)
    clean: tuple[Rule, ...] = ()
    train: Train
    gate: dict[Metric, float] = Field(default_factory=dict)
    example: dict[str, int | float | str | None] | None = None

    @cached_property
    def features(self) -> dict[str, Column]:
        """The columns that a prediction is made from, in the case's order."""
        return {name: column for name, column in self.columns.items() if name != self.target}

    @cached_property
    def target_column(self) -> Integer | Number:
        """What the target may hold: as declared among the columns, else any number."""
        column = self.columns.get(self.target, Number(type="number"))
        assert not isinstance(column, Category)
        return column

    def reading(self, files: str | None) -> Case:
        """The same case on other raw files; None leaves it as it is."""
        if files is None:
            return self
        return self.model_copy(update={"source": self.source.model_copy(update={"files": files})})

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        target = self.columns.get(self.target)
        if isinstance(target, Category):
            raise ValueError(
                f"columns.{self.target}: the target of a regression must be an integer or a number"
            )
        if not self.features:
            raise ValueError("columns: at least one column besides the target is needed")
        _check_json_names(self.features)
        if self.train.log_target and (target is None or target.min is None or target.min <= 0):
            raise ValueError(
                f"train.log_target: the logarithm needs a positive target; "
                f"declare columns.{self.target} with a min above 0"
            )
        for place, named in self._named_columns():
            if named not in {*self.columns, self.target}:
                raise ValueError(f"{place}: there is no column {named!r} under columns")
        if self.example is not None and set(self.example) != set(self.features):
            odd = sorted(set(self.example) ^ set(self.features))
            raise ValueError(f"example: must name each column once; look at {', '.join(odd)}")
        return self

    def _named_columns(self) -> list[tuple[str, str]]:
        return [
            (f"clean.{rule.kind}.columns", name)
            for rule in self.clean
            for name in getattr(rule, "columns", ())
        ]


def _check_range(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"min {low} is above max {high}: no value fits")


def _check_json_names(features: dict[str, Column]) -> None:
    by_json: dict[str, str] = {}
    for name in features:
        twin = by_json.setdefault(json_name(name), name)
        if twin != name:
            raise ValueError(f"columns: {twin!r} and {name!r} would both be {json_name(name)!r} in JSON")
