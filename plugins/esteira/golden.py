"""Whether the API answers a golden example as the training process did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from esteira.metadata import Answer, Facts, Golden


def disagreement(facts: Facts, golden: Golden, answer: Mapping[str, Any]) -> str | None:
    """What is not as expected in an answer of /predict, as a sentence; None where all is."""
    for what, expected, got in _compared(facts, golden, answer):
        if not _agree(facts, got, expected):
            return f"{what} is {got!r}, in training it was {expected!r} (tolerance {facts.tolerance:g})"
    return None


def _compared(
    facts: Facts, golden: Golden, answer: Mapping[str, Any]
) -> Iterator[tuple[str, Answer, object]]:
    yield "the answer", golden.prediction, answer.get("prediction")
    if golden.probabilities is not None:
        given = answer.get("probabilities") or {}
        for label, expected in zip(facts.classes or (), golden.probabilities, strict=True):
            yield f"the probability of {label}", expected, given.get(str(label))
    if golden.interval is not None:
        given = answer.get("interval") or {}
        for end, expected in zip(("low", "high"), golden.interval, strict=True):
            yield f"the interval's {end}", expected, given.get(end)


def _agree(facts: Facts, got: object, expected: Answer) -> bool:
    """A class is that class or it is not; numbers may differ within the tolerance."""
    if isinstance(expected, float):
        return isinstance(got, int | float) and facts.agrees(got, expected)
    return got == expected
