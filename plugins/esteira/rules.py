"""The cleaning rules that a case may name: a new one is one class here and one line in `Rule`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from esteira.vocabulary import Word


class DropDuplicates(Word):
    """Keep one of each set of rows that are equal in every column."""

    kind: Literal["drop_duplicates"] = "drop_duplicates"


class DropMissing(Word):
    """Drop rows that miss a value in one of `columns` (by default: in any column)."""

    kind: Literal["drop_missing"] = "drop_missing"
    columns: tuple[str, ...] = ()


class IqrOutliers(Word):
    """Drop rows further than `factor` interquartile ranges outside the quartiles of a numeric column."""

    kind: Literal["iqr_outliers"] = "iqr_outliers"
    factor: float = Field(1.5, gt=0)
    columns: tuple[str, ...] = ()


Rule = Annotated[DropDuplicates | DropMissing | IqrOutliers, Field(discriminator="kind")]
