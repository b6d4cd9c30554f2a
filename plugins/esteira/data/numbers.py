"""Reads numbers as people write them: `1.234,56`, `R$8,000`, `- 45 %`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esteira.columns import Category, Integer, Number

if TYPE_CHECKING:
    from ibis.expr.types import FloatingValue, StringValue

_BLANKS = " \t\n\v\f\r\u00a0\u202f"
_MARKS = {" ": " \u00a0\u202f", "'": "'’"}
"""What else a mark between thousands may be: spreadsheets write blanks that do not break, and curly signs."""


def read(text: StringValue, column: Integer | Number | Category) -> FloatingValue:
    """The text as a double, null where the column does not write numbers so; blanks around it are fine."""
    import ibis

    if isinstance(column, Category) or _is_plain(column):
        return text.try_cast("float64")
    bare = text.replace(_symbol(column), "") if _symbol(column) else text
    removed = _BLANKS + _MARKS.get(column.thousands or "", column.thousands or "")
    digits = bare.translate(column.decimal + removed, ".")
    return ibis.ifelse(text.re_search(f"^{_pattern(column)}$"), digits, ibis.null("string")).try_cast(
        "float64"
    )


def is_number(text: str, column: Integer | Number | Category) -> bool:
    """Whether `read` would take the text for a number."""
    if not isinstance(column, Category) and not _is_plain(column):
        return re.fullmatch(_pattern(column), text) is not None
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_plain(column: Integer | Number) -> bool:
    return column.decimal == "." and column.thousands is None and not _symbol(column)


def _symbol(column: Integer | Number) -> str:
    return (column.symbol or "").strip()


def _pattern(column: Integer | Number) -> str:
    """What a number looks like; a minus stands before or after the symbol, blanks anywhere beside them."""
    point, blank = re.escape(column.decimal), f"[{_BLANKS}]*"
    number = rf"(?:{_whole(column)}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    symbol = f"(?:{re.escape(_symbol(column))})?{blank}" if _symbol(column) else ""
    return f"{blank}[+-]?{blank}{symbol}[+-]?{blank}{number}{blank}{symbol}"


def _whole(column: Integer | Number) -> str:
    """Marks stand before every three digits, or as in India, where only the last group has three."""
    if column.thousands is None:
        return "[0-9]+"
    mark = f"[{_MARKS.get(column.thousands, column.thousands)}]"
    groups = f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|[1-9][0-9]?(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}"
    return f"(?:{groups}|[0-9]+)"
