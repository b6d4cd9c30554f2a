"""What the words of a case file have in common."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Task = Literal["regression", "classification"]


class Word(BaseModel):
    """A value of a case file: immutable, of exactly the declared types, without unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
