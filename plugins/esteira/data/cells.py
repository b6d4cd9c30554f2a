"""What each cell of a raw text column must be, by the column's type, as Ibis expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from esteira.columns import EXACT, Category, Column, Date, Integer, Number
from esteira.data import dates, numbers
from esteira.days import to_text

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue, Value

_LARGEST = 1.7976931348623157e308
_INTEGER_TYPES = ((2**7, "int8"), (2**15, "int16"), (2**31, "int32"))


@dataclass(frozen=True)
class Fault:
    """One way in which a cell can be wrong, and the condition under which it is."""

    column: str
    reason: str
    condition: BooleanValue


@dataclass(frozen=True)
class Cell:
    """A column's typed value, whether it may stay (never true by mistake), and else what is wrong with it."""

    value: Value
    sound: BooleanValue
    faults: tuple[Fault, ...]


def cell(name: str, column: Column, text: StringValue, tokens: tuple[str, ...]) -> Cell:
    """Read a column from its text; the tokens, without blanks around them, stand for a missing value."""
    match column:
        case Integer():
            low, high = _bounds(column, EXACT)
            return _whole(name, column, text, tokens, int(low), int(high))
        case Number():
            return _number(name, column, text, tokens)
        case Category() if column.is_text:
            return _level(name, column, text, tokens)
        case Category():
            return _code(name, column, text, tokens)
        case Date():
            return _date(name, column, text, tokens)


def _whole(
    name: str, column: Integer, text: StringValue, tokens: tuple[str, ...], low: int, high: int
) -> Cell:
    number, missing = _read(text, column, tokens)
    value = number.try_cast(_integer_type(low, high))
    fits = value.between(low, high) & (value.cast("float64") == number)
    found = [
        *_missing(name, column, missing),
        Fault(name, f"{name}: not an integer", _no_number(number, missing) | (number % 1 != 0)),
        Fault(name, f"{name}: below {low:,}", number < low),
        Fault(name, f"{name}: above {high:,}", number > high),
    ]
    return Cell(value, _optional(column, fits, number, missing), tuple(found))


def _number(name: str, column: Number, text: StringValue, tokens: tuple[str, ...]) -> Cell:
    number, missing = _read(text, column, tokens)
    low, high = _bounds(column, _LARGEST)
    fits = number.between(float(low), float(high))
    found = [
        *_missing(name, column, missing),
        Fault(name, f"{name}: not a number", _no_number(number, missing)),
        Fault(name, f"{name}: below {low:,.10g}", number < low),
        Fault(name, f"{name}: above {high:,.10g}", number > high),
    ]
    return Cell(number, _optional(column, fits, number, missing), tuple(found))


def _code(name: str, column: Category, text: StringValue, tokens: tuple[str, ...]) -> Cell:
    assert column.levels is not None
    levels = [int(level) for level in column.levels]
    number, missing = _read(text, column, tokens)
    value = number.try_cast(_integer_type(min(levels), max(levels)))
    fits = value.isin(levels) & (value.cast("float64") == number)
    unknown = ~missing & ~fits.fill_null(False)
    found = [*_missing(name, column, missing), Fault(name, f"{name}: not {_one_of(column)}", unknown)]
    return Cell(value, _optional(column, fits, number, missing), tuple(found))


def _level(name: str, column: Category, text: StringValue, tokens: tuple[str, ...]) -> Cell:
    value, missing = _stripped(text, tokens)
    if column.ignore_case:
        value = _as_spelled(value, column)
        known = value.notnull()
    elif column.levels:
        known = value.isin([str(level) for level in column.levels])
    else:
        known = value.notnull()
    found = list(_missing(name, column, missing))
    if column.levels:
        found.append(Fault(name, f"{name}: not {_one_of(column)}", ~missing & ~known))
    return Cell(value, _optional(column, known, value, missing), tuple(found))


def _date(name: str, column: Date, text: StringValue, tokens: tuple[str, ...]) -> Cell:
    stripped, missing = _stripped(text, tokens)
    value = dates.read(stripped, column)
    low, high = dates.limits(column)
    found = [
        *_missing(name, column, missing),
        Fault(name, f"{name}: not a date as {column.format or 'in ISO 8601'}", value.isnull() & ~missing),
        Fault(name, f"{name}: before {to_text(low)}", value < dates.moment(low)),
        Fault(name, f"{name}: after {to_text(high)}", value > dates.moment(high)),
    ]
    fits = value.between(dates.moment(low), dates.moment(high))
    return Cell(value, _optional(column, fits, value, missing), tuple(found))


def _stripped(text: StringValue, tokens: tuple[str, ...]) -> tuple[StringValue, BooleanValue]:
    """The text without blanks around it, null where it stands for a missing value, and whether it does."""
    import ibis

    stripped = text.strip()
    missing = stripped.isnull() | stripped.isin(tokens)
    return ibis.ifelse(missing, ibis.null("string"), stripped), missing


def _as_spelled(text: StringValue, column: Category) -> StringValue:
    """The level that the text is in whatever capitals; null where there is none."""
    import ibis

    folded = text.lower()
    levels = [ibis.literal(str(level)) for level in column.levels or ()]
    return ibis.cases(*((folded == level.lower(), level) for level in levels), else_=ibis.null("string"))


def _no_number(number: Value, missing: BooleanValue) -> BooleanValue:
    return (number.isnull() & ~missing) | number.isnan() | number.isinf()


def _read(
    text: StringValue, column: Integer | Number | Category, tokens: tuple[str, ...]
) -> tuple[Value, BooleanValue]:
    """The text as a double (blanks around it are fine), and whether it stands for a missing value."""
    import ibis

    missing = text.isnull() | text.strip().isin(tokens)
    if any(numbers.is_number(token, column) for token in tokens):
        text = ibis.ifelse(missing, ibis.null("string"), text)
    return numbers.read(text, column), missing


def _missing(name: str, column: Column, missing: BooleanValue) -> Iterator[Fault]:
    if not column.optional:
        yield Fault(name, f"{name}: missing", missing)


def _optional(column: Column, fits: BooleanValue, value: Value, missing: BooleanValue) -> BooleanValue:
    """What `missing` costs is spent only where there is no value."""
    import ibis

    return ibis.ifelse(value.isnull(), missing, fits) if column.optional else fits


def _bounds(column: Integer | Number, largest: float) -> tuple[float, float]:
    low = -largest if column.min is None else column.min
    high = largest if column.max is None else column.max
    return low, high


def _integer_type(low: int, high: int) -> str:
    for limit, name in _INTEGER_TYPES:
        if -limit <= low and high < limit:
            return name
    return "int64"


def _one_of(column: Category) -> str:
    levels = column.levels or ()
    if len(levels) > 6:
        return f"one of its {len(levels)} levels"
    return f"one of {', '.join(map(str, levels))}"
