"""What a column is: a new kind is one function here and one line in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from esteira.columns import Category, Column, Integer, Number
from esteira.new import words
from esteira.new.facts import Facts, Value, amount

BY_NATURE = "never below 0"
"""The reason for `min: 0`."""

MOST_CLOSED = 12
"""As many levels can still be all that there are."""

_FLAG = 2
_FEWEST_OF_CLOSED = 5
_SHARE_OF_CLOSED = 0.002
_MOST_COUNTS = 100
"""Whole numbers of which there are more may be measures: then a fraction is allowed too."""

_NEARLY_ALL = 0.95
_HARDLY_REPEATS = 0.5
_SENTENCE = 5
_SENTENCES_REPEAT = 0.1
_SHOWN = 3


@dataclass(frozen=True)
class Choice:
    """What a column becomes in the case, None for one that is left out, and why."""

    column: Column | None
    reasons: tuple[str, ...]
    identifies: bool = False
    """Whether it tells each row from every other."""


Kind = Callable[[Facts], Choice | None]


def choose(facts: Facts) -> Choice:
    """What the first kind that fits says of a column."""
    return next(choice for kind in KINDS if (choice := kind(facts)) is not None)


def folded(counts: Mapping[Value, int]) -> dict[str, int]:
    """Levels that differ only in capitals as one, spelled as most often."""
    spelling: dict[str, str] = {}
    together: dict[str, int] = {}
    for text, times in counts.items():
        name = spelling.setdefault(str(text).casefold(), str(text))
        together[name] = together.get(name, 0) + times
    return together


def shown(counts: Mapping[Value, int]) -> str:
    """The most frequent values of a column, in words."""
    most = ", ".join(f"{value!r} {times:,}" for value, times in list(counts.items())[:_SHOWN])
    return f"most: {most}"


def _empty(facts: Facts) -> Choice | None:
    return _left_out("it holds no value at all") if facts.present == 0 else None


def _constant(facts: Facts) -> Choice | None:
    if facts.distinct > 1 or facts.present < facts.rows:
        return None
    (value,) = facts.counts or ("the same",)
    said = amount(value) if isinstance(value, float) else repr(value)
    return _left_out(f"every row says {said}")


def _row_number(facts: Facts) -> Choice | None:
    if not facts.whole or facts.present < facts.rows or facts.distinct < facts.rows:
        return None
    assert facts.low is not None
    assert facts.high is not None
    if facts.high - facts.low + 1 == facts.rows or (facts.unnamed and facts.in_order == 1):
        return Choice(None, ("it numbers the rows, which says nothing of a new one",), identifies=True)
    return None


def _identifier(facts: Facts) -> Choice | None:
    if facts.date or (facts.number and not facts.whole) or facts.differing < _NEARLY_ALL:
        return None
    one_word = facts.number is None and facts.words < 1.5
    if not one_word and not facts.unnamed and not words.names_an_identifier(facts.name):
        return None
    reason = f"an identifier: {facts.distinct:,} different values in {facts.present:,} cells"
    return Choice(None, (reason,), identifies=True)


def _date(facts: Facts) -> Choice | None:
    if facts.date is None:
        return None
    assert facts.reading is not None
    column = facts.date.model_copy(update={"time": facts.fractions > 0, "optional": facts.missing > 0})
    reasons = (*facts.reading.reasons, "with a time of day") if column.time else facts.reading.reasons
    about = "" if facts.counts else "about "
    return Choice(column, (f"{about}{facts.distinct:,} different dates", *reasons))


def _zero_or_one(facts: Facts) -> Choice | None:
    if not facts.coded or facts.counts is None or set(facts.counts) != {0.0, 1.0}:
        return None
    column = Category(type="category", levels=(0, 1), optional=facts.missing > 0)
    return Choice(column, (f"yes or no: {facts.counts[1.0]:,} times 1",))


def as_number(facts: Facts) -> Choice | None:
    """A column of numbers: whole ones or not, and whether they start at 0."""
    if facts.number is None or facts.reading is None:
        return None
    assert facts.low is not None
    assert facts.high is not None
    written = facts.number.model_dump(exclude={"type", "min", "max", "optional"}, exclude_none=True)
    written |= {"unit": facts.number.symbol, "optional": facts.missing > 0}
    lowest, why = (0, (BY_NATURE,)) if _starts_at_zero(facts) else (None, ())
    counted = facts.whole and facts.distinct <= _MOST_COUNTS
    column = (
        Integer(type="integer", min=lowest, **written)
        if counted
        else Number(type="number", min=lowest, **written)
    )
    what = "whole numbers" if facts.whole else "numbers"
    span = f"{what} from {amount(facts.low)} to {amount(facts.high)}"
    return Choice(column, (span, *facts.reading.reasons, *why))


def _closed(facts: Facts) -> Choice | None:
    """Few levels, each of them often enough that another would have been seen."""
    if not facts.counts:
        return None
    levels = folded(facts.counts)
    fewest = max(_FEWEST_OF_CLOSED, _SHARE_OF_CLOSED * facts.rows)
    often = len(levels) <= MOST_CLOSED and min(levels.values()) >= fewest
    if words.goes_on(facts.name) or (len(levels) > _FLAG and not often):
        return None
    fold = len(levels) < len(facts.counts)
    column = Category(
        type="category", levels=tuple(sorted(levels)), ignore_case=fold, optional=facts.missing > 0
    )
    reasons = ["closed: others are refused; without `levels` answered with a warning"]
    if fold:
        reasons.append(f"{len(facts.counts)} spellings that differ in capitals only")
    return Choice(column, tuple(reasons))


def _free_text(facts: Facts) -> Choice | None:
    long = facts.words >= _SENTENCE and facts.differing > _SENTENCES_REPEAT
    if not long and facts.differing <= _HARDLY_REPEATS:
        return None
    what = "free text" if facts.words >= 1.5 else "values that hardly repeat"
    return _left_out(f"{what}: {facts.distinct:,} different ones in {facts.present:,} cells")


def _open(facts: Facts) -> Choice:
    about = "" if facts.counts else "about "
    reasons = [f"{about}{facts.distinct:,} levels, open: a new one is answered with a warning"]
    if facts.counts:
        reasons.append(shown(facts.counts))
    return Choice(Category(type="category", optional=facts.missing > 0), tuple(reasons))


def _left_out(reason: str) -> Choice:
    return Choice(None, (reason,))


def _starts_at_zero(facts: Facts) -> bool:
    """Whether no value can be below 0: counts, areas, prices."""
    if facts.low is None or facts.low < 0 or words.may_be_negative(facts.name):
        return False
    counted = facts.low == 0 or (facts.whole and facts.low == 1)
    assert facts.number is not None
    return counted or facts.number.symbol is not None or words.starts_at_zero(facts.name)


KINDS: tuple[Kind, ...] = (
    _empty, _constant, _row_number, _identifier, _date, _zero_or_one, as_number, _closed, _free_text, _open,
)  # fmt: skip
