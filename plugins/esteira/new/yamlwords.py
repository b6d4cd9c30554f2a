"""Values as YAML writes them, so that they are read back as they were."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import yaml

_PLAIN = re.compile(r"[^\W\d][\w ./()%²³°ºª+-]*(?<! )")
_LISTED_WIDTH = 80


def written(value: object, indent: str = "") -> str:
    """A value on one line, but that a long list goes on below, after `indent`; without one it does not."""
    if isinstance(value, Mapping):
        items = (f"{key}: {written(one, indent)}" for key, one in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return _list([written(one) for one in value], indent)
    return scalar(value)


def scalar(value: object) -> str:
    """A text, a number or a flag; a text in quotes where YAML would take it for something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _list(items: Sequence[str], indent: str) -> str:
    lines, length = [""], 0
    for place, item in enumerate(items):
        piece = item + ("," if place + 1 < len(items) else "")
        if length and length + len(piece) > _LISTED_WIDTH and indent:
            lines.append(indent)
            length = 0
        lines[-1] += f" {piece}" if length else piece
        length += len(piece) + 1
    return "[" + "\n".join(lines) + "]"


def _number(value: float) -> str:
    """Never with an exponent: YAML takes 1e-05 for text."""
    if float(value).is_integer():
        return str(int(value))
    return format(Decimal(repr(value)), "f")
