"""Which rows of a raw text table are sound, and what is wrong with the others, as Ibis expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esteira.columns import Column
from esteira.data.cells import Cell, Fault, cell

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, Table, Value

FAULT = "__fault__"


def faults(cells: dict[str, Cell]) -> list[Fault]:
    """All faults in the order of the columns; a row's fault code is the position here, from 1."""
    return [fault for cell in cells.values() for fault in cell.faults]


def cells(
    text: Table, places: dict[str, str], table_columns: dict[str, Column], missing: tuple[str, ...]
) -> dict[str, Cell]:
    """Read each column from the text column that `places` gives for it."""
    tokens = tuple(dict.fromkeys(("", *(token.strip() for token in missing))))
    return {name: cell(name, column, text[places[name]], tokens) for name, column in table_columns.items()}


def typed(text: Table, read: dict[str, Cell]) -> Table:
    """The values as v0, v1, … and as FAULT whether the row has one: null for a sound row."""
    import ibis

    values = {f"v{place}": cell.value for place, cell in enumerate(read.values())}
    fault = ibis.ifelse(_all_sound(read), ibis.null("int8"), ibis.literal(0, "int8"))
    return text.select(**values, **{FAULT: fault})


def fault_code(read: dict[str, Cell]) -> Value:
    """The code of a faulty row's first fault; 0 where none of them is clear."""
    from ibis import cases, literal

    coded = [(fault.condition, literal(code, "int16")) for code, fault in enumerate(faults(read), start=1)]
    return cases(*coded, else_=literal(0, "int16"))


def _all_sound(read: dict[str, Cell]) -> BooleanValue:
    import ibis

    return ibis.and_(*(cell.sound for cell in read.values()))
