"""A CSV of which nobody knows whether its first line names the columns, with a line that does."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Sequence

from esteira.columns import json_name

_LONGEST = 1_000_000
"""Bytes of a first line that are looked at."""


def headed(content: bytes, names: Sequence[str]) -> bytes:
    """The CSV with a line of names before it, in the model's order, unless it begins with some of them."""
    from app.tables import DELIMITERS

    content = content.removeprefix(BOM_UTF8)
    first = re.split(rb"[\r\n]", content[:_LONGEST], maxsplit=1)[0].decode(errors="replace")
    by_delimiter = {delimiter: _cells(first, delimiter) for delimiter in DELIMITERS}
    known = {*names, *map(json_name, names)}
    if any(not known.isdisjoint(cells) for cells in by_delimiter.values()):
        return content
    fitting = (delimiter for delimiter, cells in by_delimiter.items() if len(cells) == len(names))
    line = next(fitting, DELIMITERS[0]).join(map(_quoted, names))
    return b"%b\n%b" % (line.encode(), content)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
