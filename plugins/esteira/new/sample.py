"""A sample of typed rows, for what needs no more: pictures, and how much each column tells of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from esteira.columns import Category, Column
from esteira.data import checks
from esteira.new.measure import as_number
from esteira.new.table import Table

if TYPE_CHECKING:
    import numpy as np

_ROWS = 20_000


@dataclass(frozen=True)
class Sample:
    """Rows with a target: numbers as float64, dates as days since 1970, texts as objects; gaps masked."""

    values: Mapping[int, np.ma.MaskedArray[Any, Any]]
    """By the column's place in the file."""
    target: np.ma.MaskedArray[Any, Any]


def draw(table: Table, columns: Mapping[int, Column], target: int, tokens: tuple[str, ...]) -> Sample:
    """About 20,000 rows, of which those without a proper target are left out.

    `columns` gives for each place in the file, the target's among them, how it is read.
    """
    rows = table.sampled(_ROWS)
    keys = {f"c{place}": column for place, column in columns.items()}
    cells = checks.cells(rows, {key: key for key in keys}, keys, tokens)
    values = {key: as_number(cell.value, keys[key]) for key, cell in cells.items()}
    wanted = cells[f"c{target}"]
    drawn = rows.select(**values, fits=wanted.sound & wanted.value.notnull())
    arrays = table.arrays(drawn.filter(drawn.fits).drop("fits"))
    typed = {place: _typed(arrays[f"c{place}"], column) for place, column in columns.items()}
    return Sample({place: array for place, array in typed.items() if place != target}, typed[target])


def _typed(array: np.ma.MaskedArray[Any, Any], column: Column) -> np.ma.MaskedArray[Any, Any]:
    text = isinstance(column, Category) and column.is_text
    return cast("np.ma.MaskedArray[Any, Any]", array.astype(object if text else "float64"))
