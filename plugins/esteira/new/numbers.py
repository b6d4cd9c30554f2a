"""How numbers may be written: with which decimal mark, thousands and sign beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Literal

from esteira.columns import Number
from esteira.data.numbers import is_number
from esteira.new.habits import Habits
from esteira.new.readings import Reading, Samples

Decimal = Literal[".", ","]
Thousands = Literal[".", ",", " ", "'"]

_FORMS: tuple[tuple[Decimal, Thousands | None], ...] = (
    (".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"),
)  # fmt: skip
_BESIDE = re.compile(
    r"[+-]?\s*(?P<before>[^\d\s.,+\-()'][^\d\s+\-]{0,4})?\s*"
    r"[+-]?\s*[\d.,][\d.,' \u00a0\u202f]*(?:[eE][+-]?\d+)?(?<!\s)\s*"
    r"(?P<after>[^\d\s.,+\-()'][^\d\s]{0,9})?"
)
_CURRENCY = re.compile(r"[A-Z]{0,3}\$|[€£¥₹#]|BRL|USD|EUR|GBP|INR|Rs\.?", re.IGNORECASE)
_PLAIN = Number(type="number", optional=True)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_MASK = re.compile(r"[xX*]+")
_CODE = re.compile(r"0\d+")
_LOOKED_AT = 1_000
_FEWEST_WITH_SIGN = 0.5
_FEWEST_WITH_UNIT = 0.9
_FEWEST_NUMBERS = 0.95
_FEWEST_BESIDE_WORDS = 0.1
_MOST_WORDS = 3
_MOST_CODES = 0.01


def readings(samples: Samples, habits: Habits) -> list[Reading]:
    """The ways to read a column as numbers, the likeliest first, each of which reads most of the sample."""
    some = _some(samples)
    if _unmistakable(some):
        return [Reading(_PLAIN)]
    return _judged(some, habits)


def _judged(samples: Samples, habits: Habits) -> list[Reading]:
    symbol = _symbol(samples)
    fits = {column: _share(samples, column) for column in _columns(symbol)}
    best = max(fits.values())
    columns = _apart([column for column, share in fits.items() if share == best], samples)
    if not _plausible(samples, columns[0], best):
        return []
    likeliest = sorted(columns, key=lambda column: column.decimal != habits.decimal)
    return [_reading(column, habits, doubtful=len(columns) > 1) for column in likeliest]


def _some(samples: Samples) -> Samples:
    """A thousand of the texts, spread over the sample."""
    return dict(islice(samples.items(), 0, None, 1 + len(samples) // _LOOKED_AT))


def _unmistakable(samples: Samples) -> bool:
    """Whether all are plain numbers, and a point in them cannot stand between thousands."""
    if not samples or not all(is_number(text, _PLAIN) for text in samples):
        return False
    pointed = [text for text in samples if "." in text]
    grouped = bool(pointed) and all(map(_GROUPED.fullmatch, pointed))
    return not grouped and not any(map(_CODE.fullmatch, samples))


def _columns(symbol: str | None) -> list[Number]:
    return [
        Number(type="number", optional=True, decimal=decimal, thousands=thousands, symbol=symbol)
        for decimal, thousands in _FORMS
    ]


def _share(samples: Samples, column: Number) -> float:
    fitting = sum(times for text, times in samples.items() if is_number(text, column))
    return fitting / max(sum(samples.values()), 1)


def _symbol(samples: Samples) -> str | None:
    """The one sign that stands at either end of most numbers: a currency's, percent, or a unit."""
    signs, numbers = Counter[str](), 0
    for text, times in samples.items():
        found = _BESIDE.fullmatch(text)
        if not found:
            continue
        numbers += times
        before, after = found["before"], found["after"]
        if before and not after and (_CURRENCY.fullmatch(before) or not before[0].isalpha()):
            signs[before] += times
        elif after and not before and not _MASK.fullmatch(after):
            signs[after] += times
    if not signs:
        return None
    sign, times = signs.most_common(1)[0]
    unit = sign[0].isalpha() and not _CURRENCY.fullmatch(sign)
    return sign if times >= numbers * (_FEWEST_WITH_UNIT if unit else _FEWEST_WITH_SIGN) else None


def _plausible(samples: Samples, column: Number, share: float) -> bool:
    """Whether nearly all texts are numbers, or all but a few words that then stand for a missing value."""
    codes = sum(times for text, times in samples.items() if _CODE.fullmatch(text))
    if codes > _MOST_CODES * sum(samples.values()):
        return False
    if share >= _FEWEST_NUMBERS:
        return True
    others = [text for text in samples if not is_number(text, column)]
    few = len(others) <= _MOST_WORDS and not any(letter.isdigit() for text in others for letter in text)
    return few and share >= _FEWEST_BESIDE_WORDS and len(samples) - len(others) >= _MOST_WORDS


def _apart(columns: Sequence[Number], samples: Samples) -> list[Number]:
    """Of those that read every number alike only the plainest."""
    found: list[Number] = []
    for column in columns:
        if not any(_values(column, samples) == _values(other, samples) for other in found):
            found.append(column)
    return found


def _values(column: Number, samples: Samples) -> list[str]:
    """The digits of each number with a point for decimals, which two ways of reading share or not."""
    marks = f" \u00a0\u202f{column.thousands or ''}"
    bare = str.maketrans(column.decimal, ".", marks)
    return [text.translate(bare) for text in samples if is_number(text, column)]


def _reading(column: Number, habits: Habits, *, doubtful: bool) -> Reading:
    reasons = []
    if column.symbol is not None:
        reasons.append(f"written with {column.symbol}")
    if column.thousands is not None:
        reasons.append(f"{column.thousands!r} between thousands")
    if column.decimal == ",":
        reasons.append("',' for decimals")
    doubt = None
    if doubtful:
        other = "," if column.decimal == "." else "."
        doubt = (
            f"its numbers could be read with {column.decimal!r} or with {other!r} for decimals; "
            f"{column.decimal!r} was taken, because {habits.why_decimal}"
        )
    return Reading(column, tuple(reasons), doubt)
