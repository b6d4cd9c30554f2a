"""An answer as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.page.bar import Bar
from app.page.language import Language, amount, number, percent, with_unit
from esteira.metadata import Metadata

MOST_CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Range:
    """Where the true value probably lies, in percent of a line that also holds the model's own examples."""

    low: str
    high: str
    coverage: str
    start: float
    length: float
    middle: float
    examples: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What another model of the case answers, with its scores."""

    name: str
    text: str
    agrees: bool
    scores: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answer to a record."""

    text: str
    exact: str
    range: Range | None
    bars: list[Bar]
    others: tuple[int, str] | None
    """How many classes are left out, and their probability together."""
    threshold: tuple[str, str] | None
    """Which class is the answer from which probability on, where that is not the larger one."""
    beside: list[Beside]
    scores: tuple[str, ...]
    """What the scores of the models side by side are."""


def answered(metadata: Metadata, answer: Mapping[str, Any], language: Language) -> Answered:
    """What POST /predict answers, for people."""
    prediction = answer["prediction"]
    scores = tuple(metadata.compared[0].scores) if metadata.compared else ()
    bars = _classes(answer.get("probabilities", {}), str(prediction), language)
    left = bars[MOST_CLASSES:]
    return Answered(
        text=_told(metadata, prediction, language),
        exact=str(prediction) if isinstance(prediction, str) else repr(prediction),
        range=_range(metadata, answer, language),
        bars=bars[:MOST_CLASSES],
        others=(len(left), percent(sum(bar.length for bar in left) / 100, language)) if left else None,
        threshold=_threshold(metadata, language),
        beside=[_beside(metadata, answer, at, language) for at in range(len(metadata.compared))],
        scores=scores,
    )


def _threshold(metadata: Metadata, language: Language) -> tuple[str, str] | None:
    if metadata.threshold is None or metadata.classes is None:
        return None
    return str(metadata.classes[-1]), percent(metadata.threshold, language)


def _told(metadata: Metadata, prediction: float | int | str, language: Language) -> str:
    if metadata.classes is not None or isinstance(prediction, str):
        return str(prediction)
    return with_unit(amount(prediction, language), metadata.unit)


def _classes(probabilities: Mapping[str, float], prediction: str, language: Language) -> list[Bar]:
    return sorted(
        (
            Bar(
                label=label,
                text=percent(share, language),
                length=share * 100,
                strong=label == prediction,
                exact=repr(share),
            )
            for label, share in probabilities.items()
        ),
        key=lambda bar: -bar.length,
    )


def _range(metadata: Metadata, answer: Mapping[str, Any], language: Language) -> Range | None:
    interval = answer.get("interval")
    if interval is None:
        return None
    low, high, middle = interval["low"], interval["high"], answer["prediction"]
    examples = [one.prediction for one in metadata.golden if not isinstance(one.prediction, str)]
    first, last = min(low, middle, *examples), max(high, middle, *examples)
    span = (last - first) or 1.0

    def place(value: float) -> float:
        return 2 + float(value - first) / span * 96

    return Range(
        low=_told(metadata, low, language),
        high=_told(metadata, high, language),
        coverage=percent(interval["coverage"], language, 0),
        start=place(low),
        length=place(high) - place(low),
        middle=place(middle),
        examples=tuple(map(place, examples)),
    )


def _beside(metadata: Metadata, answer: Mapping[str, Any], at: int, language: Language) -> Beside:
    compared = metadata.compared[at]
    its = answer[compared.name]
    return Beside(
        name=compared.name,
        text=_told(metadata, its, language),
        agrees=its == answer["prediction"],
        scores=tuple(_brief(score, language) for score in compared.scores.values()),
    )


def _brief(score: float, language: Language) -> str:
    return number(score, 3, language) if abs(score) < 1 else amount(score, language)
