"""The measured figures, kept so that one benchmark can be repeated without the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.errors import BenchmarkError
from benchmarks.machine import Machine
from benchmarks.rows import Row


class Result(BaseModel):
    """What a benchmark gave, when, of which commit and with which versions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: date
    commit: str | None
    versions: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def met(self) -> bool:
        return all(row.met for row in self.rows)


class Results(BaseModel):
    """The last result of each benchmark on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: Machine
    results: Mapping[str, Result] = {}

    def having(self, name: str, result: Result) -> Results:
        """These results, with a benchmark's new one in place of its last."""
        return self.model_copy(update={"results": {**self.results, name: result}})


def load(path: Path, machine: Machine) -> Results:
    """What was measured on this machine before; what another one measured is not compared with it.

    Raises BenchmarkError when the file is not one of ours.
    """
    if not path.exists():
        return Results(machine=machine)
    try:
        found = Results.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise BenchmarkError(
            f"{path} does not hold results ({first['loc']}: {first['msg']}); remove it and measure again"
        ) from None
    return found if found.machine == machine else Results(machine=machine)


def save(path: Path, results: Results) -> None:
    """Put the file in place, whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(results.model_dump_json(indent=2) + "\n", encoding="utf-8")
    new.replace(path)
