"""Which of the page's languages a browser's user reads best, and how it writes numbers."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "pt"]
LANGUAGES: tuple[Language, ...] = ("en", "pt")
_PREFIXED = frozenset({"R$", "US$", "$", "€", "£", "¥"})
_COMMAS_AND_POINTS = str.maketrans(",.", ".,")


def chosen(asked: str | None, accepted: str) -> Language:
    """The language that is asked for, else the best of an Accept-Language header (RFC 9110), else English."""
    if asked in LANGUAGES:
        return asked
    weights = dict(_weight(part) for part in reversed(accepted.split(",")))
    return max(LANGUAGES, key=lambda language: weights.get(language, weights.get("*", 0.0)))


def number(value: float, decimals: int, language: Language) -> str:
    """A number with thousands and decimals as the language writes them."""
    text = f"{value:,.{decimals}f}"
    return text.translate(_COMMAS_AND_POINTS) if language == "pt" else text


def amount(value: float, language: Language) -> str:
    """A number with as many decimals as its size makes worth reading."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        text = f"{value:.4g}"
        return text.replace(".", ",") if language == "pt" else text
    if size >= 1:
        return number(value, 2 if size < 1e6 else 0, language)
    return number(value, 4, language) if value else "0"


def plain(value: float, language: Language) -> str:
    """A number as somebody would write it: a bound, or a value that was put in."""
    text = f"{value:,.12g}" if abs(value) < 1e15 else f"{value:g}"
    return text.translate(_COMMAS_AND_POINTS) if language == "pt" else text


def percent(share: float, language: Language, decimals: int = 1) -> str:
    """A share in percent."""
    return f"{number(share * 100, decimals, language)}{' ' if language == 'pt' else ''}%"


def points(share: float, language: Language) -> str:
    """A difference of shares, in percentage points."""
    return f"{number(share * 100, 1, language)} {'p.p.' if language == 'pt' else 'pp'}"


def with_unit(text: str, unit: str | None) -> str:
    """An amount and its unit, which stands in front where it is money."""
    if unit is None:
        return text
    if unit in _PREFIXED:
        return f"−{unit} {text[1:]}" if text.startswith("-") else f"{unit} {text}"
    return f"{text} {unit}"


def _weight(part: str) -> tuple[str, float]:
    """A language without its country, and how much it is wanted."""
    tag, *parameters = part.split(";")
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
    return tag.strip().partition("-")[0].lower(), weight
