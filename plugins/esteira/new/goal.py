"""The target: what kind of answer is learned from it, and which rows have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from esteira.columns import Category, Integer, Number
from esteira.new import kinds, words
from esteira.new.errors import NewCaseError
from esteira.new.facts import Facts
from esteira.vocabulary import Task

FEWEST_OF_A_CLASS = 10
"""With fewer rows a class cannot be in every part that training splits the rows into."""

FEWEST_ROWS = 50

_MOST_WHOLE_CLASSES = 10
_MOST_CLASSES = 200
_FEWEST_IN_CLASSES = 0.5


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The target's column and why; `rare` are the classes that have too few rows, and their rows."""

    name: str
    column: Category | Integer | Number
    reasons: tuple[str, ...]
    classes: Mapping[str, int] = field(default_factory=dict)
    rare: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        return "classification" if isinstance(self.column, Category) else "regression"

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2


def decide(facts: Facts) -> Goal:
    """Regression or classification, from the target's own values.

    Raises NewCaseError when nothing can be learned from it.
    """
    if facts.present < FEWEST_ROWS:
        raise NewCaseError(
            f"The target {facts.name!r} holds a value in {facts.present:,} of {facts.rows:,} rows; "
            f"a case needs at least {FEWEST_ROWS} rows with one"
        )
    if facts.distinct == 1:
        (value,) = facts.counts or ("one value",)
        raise NewCaseError(_one_class(facts, value))
    if facts.date is not None:
        raise NewCaseError(
            f"The target {facts.name!r} holds dates; a case predicts a number or a class: choose another"
        )
    if facts.number is None or _is_few_whole(facts):
        return _classes(facts)
    return _numbers(facts)


def _is_few_whole(facts: Facts) -> bool:
    return facts.coded and facts.counts is not None and len(facts.counts) <= _MOST_WHOLE_CLASSES


def _classes(facts: Facts) -> Goal:
    counts = facts.counts or {}
    spelled = {f"{value:.0f}" if isinstance(value, float) else value: n for value, n in counts.items()}
    levels = spelled if facts.whole else kinds.folded(counts)
    often = {level: n for level, n in levels.items() if n >= FEWEST_OF_A_CLASS}
    rare = {level: n for level, n in levels.items() if level not in often}
    if len(often) == 1 and len(levels) > 1:
        raise NewCaseError(_one_class(facts, *often))
    if not often or len(often) > _MOST_CLASSES or sum(often.values()) < _FEWEST_IN_CLASSES * facts.present:
        raise NewCaseError(
            f"The target {facts.name!r} holds {facts.distinct:,} different texts in {facts.present:,} rows; "
            f"a classification needs classes of at least {FEWEST_OF_A_CLASS} rows: choose another column"
        )
    order = _ordered(often, whole=facts.whole)
    column = Category(
        type="category",
        levels=tuple(map(int, order)) if facts.whole else tuple(order),
        ignore_case=not facts.whole and len(levels) < len(counts),
    )
    what = f"{len(often)} different {'whole numbers' if facts.whole else 'texts'}: a classification"
    reasons = [what, ", ".join(f"{level} {often[level]:,}" for level in order[:8])]
    if len(often) == 2:
        reasons.append(f"the second, {order[1]!r}, is what the threshold and the ranking are about")
    return Goal(
        name=facts.name,
        column=column,
        reasons=tuple(reasons),
        classes={level: often[level] for level in order},
        rare=rare,
        notes=_rare_note(rare),
    )


def _rare_note(rare: Mapping[str, int]) -> tuple[str, ...]:
    if not rare:
        return ()
    named = ", ".join(f"{level!r} ({times})" for level, times in list(rare.items())[:5])
    return (
        f"the target's classes {named} have fewer than {FEWEST_OF_A_CLASS} rows and are left out of its "
        f"levels: their {sum(rare.values()):,} rows are rejected",
    )


def _ordered(often: Mapping[str, int], *, whole: bool) -> list[str]:
    """Whole numbers by size, texts by name; of two texts the yes comes second, else the rarer one."""
    if whole:
        return sorted(often, key=int)
    if len(often) == 2:
        return sorted(often, key=lambda level: (words.is_positive(level), -often[level], level))
    return sorted(often)


def _numbers(facts: Facts) -> Goal:
    choice = kinds.as_number(facts)
    assert choice is not None
    assert isinstance(choice.column, Integer | Number)
    column = choice.column.model_copy(update={"optional": False})
    reasons = (f"{facts.distinct:,} different numbers: a regression", *choice.reasons)
    return Goal(name=facts.name, column=column, reasons=reasons)


def _one_class(facts: Facts, value: object) -> str:
    others = facts.distinct - 1
    beside = f", the {others:,} other{'s' * (others > 1)} in fewer than {FEWEST_OF_A_CLASS}" if others else ""
    return (
        f"The target {facts.name!r} holds one class only, {value!r}{beside}; "
        f"there is nothing to tell apart: choose another column, or add rows of other classes"
    )
