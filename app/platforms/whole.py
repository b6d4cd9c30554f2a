"""Answers all rows of a batch or none: no platform's contract has a place for one row's fault."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from app.batches import MOST_RECORDS, Limits, refuse_bad
from app.chunks import Answered, answered
from app.jsonrows import JsonRows
from app.metrics import Metrics
from app.modelo import Modelo
from app.platforms.headed import headed
from app.problems import Refusal
from app.words import cut
from esteira.columns import Category, Integer, is_text, json_name

Rows = Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]
"""Records, or a list of cells for each column."""
Outputs = Sequence[npt.NDArray[Any]]


class Whole:
    """Answers whole batches with one opened version."""

    def __init__(self, modelo: Modelo, metrics: Metrics) -> None:
        self.modelo = modelo
        self.names = [json_name(name) for name in modelo.columns]
        """The columns in the order in which rows without names hold them."""
        self._metrics, self._rows = metrics, JsonRows(modelo)
        self._whole = {
            alias
            for name, column in modelo.columns.items()
            if isinstance(column, Integer) or (isinstance(column, Category) and not is_text(column))
            for alias in (name, json_name(name))
        }

    def answer(self, rows: Rows) -> Outputs:
        """The graph's outputs for each row; raises Refusal, naming the first rows that cannot be used.

        A whole number may be written as 3.0, and what is missing as NaN: tensors and data frames do so.
        """
        if isinstance(rows, Mapping):
            given: Any = {name: self._cells(name, cells) for name, cells in rows.items()}
        else:
            given = [self._record(row) for row in rows]
        return self._together(list(answered(self._rows.of(given, MOST_RECORDS), self.modelo)))

    def _cells(self, name: str, cells: Any) -> Any:
        whole = name in self._whole
        return [_plain(cell, whole=whole) for cell in cells] if isinstance(cells, list) else cells

    def _record(self, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        return {name: _plain(cell, whole=name in self._whole) for name, cell in row.items()}

    def answer_csv(self, content: bytes) -> Outputs:
        """The same of a CSV; without a line that names the columns they come in the model's order."""
        from app.tables import TableRows, opened

        file = io.BytesIO(headed(content, list(self.modelo.columns)))
        table, rows = opened(file, "csv", Limits(rows=MOST_RECORDS)), TableRows(self.modelo)
        rows.check(table, keep=False)
        chunks = (rows.chunk(batch, table) for batch in table.batches())
        return self._together(list(answered(chunks, self.modelo)))

    def named(self, rows: Any) -> dict[str, list[Any]]:
        """Rows of cells in the model's order, as columns; raises Refusal where one has not its length.

        It also does where there are no rows.
        """
        if not rows:
            raise no_rows()
        width = len(self.names)
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, list) or len(row) != width:
                found = f"{len(row)} of them" if isinstance(row, list) else "something else"
                raise unusable(
                    f"Row {number} must be a list of {width} values, in the order {', '.join(self.names)}; "
                    f"it is {found}"
                )
        return dict(zip(self.names, map(list, zip(*rows, strict=True)), strict=True))

    def predictions(self, outputs: Outputs) -> list[Any]:
        """The numbers, or the labels of the classes."""
        found: list[Any] = outputs[0][:, 0].tolist()
        classes = self.modelo.metadata.classes
        return found if classes is None else [classes[place] for place in found]

    def objects(self, outputs: Outputs) -> list[Any]:
        """Each answer as `POST /predict/batch` gives it, without warnings."""
        found: list[Any] = json.loads(b"[%b]" % self.modelo.members.of_all(outputs, b""))
        return found

    def _together(self, found: list[Answered]) -> Outputs:
        rows = sum(one.rows for one in found)
        if not rows:
            raise no_rows()
        refuse_bad(rows, found)
        self._metrics.predictions.inc(rows)
        self._metrics.warnings.inc(sum(one.warned for one in found))
        return [np.concatenate(parts) for parts in zip(*(one.outputs for one in found), strict=True)]


def unusable(detail: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def no_rows() -> Refusal:
    return unusable("There are no rows; send one at least")


def check_each_once(names: Iterable[str]) -> None:
    """Raise Refusal where one name is two columns': which of their values is meant, nobody can tell."""
    for name, times in Counter(names).items():
        if times > 1:
            raise unusable(f"There is more than one column {cut(name)!r}; keep one")


def _plain(cell: Any, *, whole: bool) -> Any:
    if isinstance(cell, float):
        if isnan(cell):
            return None
        if whole and cell.is_integer():
            return int(cell)
    return cell
