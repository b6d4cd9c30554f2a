"""What pushed an answer up or down, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.explain import Explanation
from app.page.bar import Bar
from app.page.language import Language, amount, percent, points, with_unit
from app.page.sentences import shown
from app.seen import Values
from esteira.columns import Column, json_name
from esteira.metadata import Metadata

MOST_SHARES = 10
WEAKEST = 0.005
"""Of the strongest share; what is weaker is told together with all others."""


@dataclass(frozen=True, kw_only=True)
class Why:
    """What each field added."""

    base: str
    value: str
    bars: list[Bar]
    others: tuple[int, str, str] | None
    """How many are left out, and their sum, for people and exactly."""
    compared_with: int
    of_class: str
    exact: bool


def why(
    metadata: Metadata,
    columns: Mapping[str, Column],
    explanation: Explanation,
    values: Values,
    language: Language,
) -> Why:
    """What POST /explain answers, for people."""
    by_name = {
        json_name(name): (name, shown(column, value, language))
        for (name, column), value in zip(columns.items(), values, strict=True)
    }
    shares = explanation.contributions
    strongest = max((abs(one.contribution) for one in shares), default=0.0) or 1.0
    weak = [at for at, one in enumerate(shares) if abs(one.contribution) < WEAKEST * strongest]
    most = min([MOST_SHARES, *weak])
    rest = sum(one.contribution for one in shares[most:])
    return Why(
        base=_share(metadata, explanation.base, language),
        value=_share(metadata, explanation.value, language),
        bars=[
            _bar(
                *by_name[one.field],
                one.contribution,
                strongest,
                _change(metadata, one.contribution, language),
            )
            for one in shares[:most]
        ],
        others=(len(shares) - most, _change(metadata, rest, language), repr(rest)) if shares[most:] else None,
        compared_with=explanation.compared_with,
        of_class=str(explanation.prediction) if metadata.classes else "",
        exact=explanation.exact,
    )


def _bar(label: str, value: str, share: float, strongest: float, text: str) -> Bar:
    """From the middle of the line to the right, or to the left."""
    length, up = abs(share) / strongest * 50, share >= 0
    start = 50.0 if up else 50.0 - length
    return Bar(label=label, value=value, text=text, start=start, length=length, strong=up, exact=repr(share))


def _share(metadata: Metadata, value: float, language: Language) -> str:
    return percent(value, language) if metadata.classes else with_unit(amount(value, language), metadata.unit)


def _change(metadata: Metadata, value: float, language: Language) -> str:
    text = points(abs(value), language) if metadata.classes else amount(abs(value), language)
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{'−' if value < 0 else '+'}{text}"
