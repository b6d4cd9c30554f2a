"""What was found out about a file, and what was decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from esteira.new.facts import Facts
from esteira.new.form import Form
from esteira.new.goal import Goal
from esteira.new.kinds import Choice
from esteira.new.leaks import Strength
from esteira.new.sample import Sample
from esteira.new.training import Setting

_USUAL_LIMIT = 0.5
_ROOM = 0.1


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One column: what is known of it, what the case makes of it, and how much it tells of the target."""

    facts: Facts
    choice: Choice
    strength: Strength | None = None

    @property
    def leak(self) -> str | None:
        return self.strength.leak if self.strength and self.choice.column is not None else None

    @property
    def used(self) -> bool:
        """Whether it is a column of the case: not left out, and no probable leak."""
        return self.choice.column is not None and self.leak is None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What cleaning will make of the rows: how many it keeps, and how many of those repeat another."""

    rows: int
    kept: int
    repeated: int

    @property
    def rejected(self) -> int:
        return self.rows - self.kept


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """All that was found out about a file, and what was decided."""

    form: Form
    goal: Goal
    target: Facts
    findings: tuple[Finding, ...]
    """In the order of the file, without the target."""
    settings: tuple[Setting, ...]
    outcome: Outcome
    sample: Sample
    notes: tuple[str, ...]

    @property
    def tokens(self) -> Mapping[str, list[str]]:
        """Each text that stands for a missing value, with the columns that hold it."""
        found: dict[str, list[str]] = {}
        for facts in (*(finding.facts for finding in self.findings), self.target):
            for text in facts.tokens:
                found.setdefault(text, []).append(facts.name)
        return found

    @property
    def drops_duplicates(self) -> bool:
        """Rows that repeat another are dropped, unless an identifier told them apart."""
        return self.outcome.repeated > 0 and not self.identifiers

    @property
    def identifiers(self) -> tuple[str, ...]:
        return tuple(one.facts.name for one in self.findings if one.choice.identifies)

    @property
    def max_rejected(self) -> float | None:
        """The case's own limit, where as many rows as expected would not pass the usual one."""
        share = self.outcome.rejected / self.outcome.rows
        return None if share <= _USUAL_LIMIT - _ROOM else min(1.0, math.ceil(20 * (share + _ROOM)) / 20)
