"""The cleaning rules that a case may name: a new one is one class here and one line in `Rule`.

A rule works on an Ibis table that holds the case's columns and `ROW`, and may do either or both of
two things: set rows apart, each with a reason, and leave out rows that repeat another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from esteira.vocabulary import Word

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, Table

    Fetch = Callable[[Table], list[dict[str, Any]]]

ROW = "__row__"
"""The column that holds a row's position among all raw rows; every rule keeps it."""

Fences = dict[str, tuple[float, float]]


class _Rule(Word):
    def apart(self, rows: Table, numbers: Sequence[str], fetch: Fetch) -> dict[str, BooleanValue]:
        """The rows to set apart, as reason → condition.

        `numbers` names the integer and number columns; `fetch` runs a query and gives its rows.
        """
        return {}

    def unrepeated(self, rows: Table) -> Table:
        """One row of each set that counts as the same; the others are counted as duplicates."""
        return rows


class DropDuplicates(_Rule):
    """Keep the first of each set of rows that are equal in every column."""

    kind: Literal["drop_duplicates"] = "drop_duplicates"

    def unrepeated(self, rows: Table) -> Table:
        names = [name for name in rows.columns if name != ROW]
        return rows.group_by(names).aggregate(**{ROW: rows[ROW].min()})


class DropMissing(_Rule):
    """Drop rows that miss a value in one of `columns` (by default: in any column)."""

    kind: Literal["drop_missing"] = "drop_missing"
    columns: tuple[str, ...] = ()

    def apart(self, rows: Table, numbers: Sequence[str], fetch: Fetch) -> dict[str, BooleanValue]:
        names = self.columns or [name for name in rows.columns if name != ROW]
        return {f"{name}: missing": rows[name].isnull() for name in names}


class IqrOutliers(_Rule):
    """Drop rows further than `factor` interquartile ranges outside the quartiles of a numeric column.

    By default of every integer and number column whose interquartile range is above 0. The quartiles are
    exact, with linear interpolation between neighbours (Hyndman and Fan's type 7, as pandas and numpy).
    """

    kind: Literal["iqr_outliers"] = "iqr_outliers"
    factor: float = Field(1.5, gt=0)
    columns: tuple[str, ...] = ()

    def apart(self, rows: Table, numbers: Sequence[str], fetch: Fetch) -> dict[str, BooleanValue]:
        fences = self._fences(rows, self.columns or tuple(numbers), fetch)
        return {
            f"{name}: outside {low:,.6g} to {high:,.6g}": (rows[name] < low) | (rows[name] > high)
            for name, (low, high) in fences.items()
        }

    def _fences(self, rows: Table, names: Sequence[str], fetch: Fetch) -> Fences:
        """The lowest and highest value that is no outlier, for each column with a spread."""
        import ibis

        quartiles = [_quartiles(rows, name) for name in names]
        found = fetch(ibis.union(*quartiles)) if quartiles else []
        by_name = {row["name"]: (row["q1"], row["q3"]) for row in found if row["q1"] is not None}
        return {
            name: (q1 - self.factor * (q3 - q1), q3 + self.factor * (q3 - q1))
            for name, (q1, q3) in sorted(by_name.items(), key=lambda item: names.index(item[0]))
            if q3 > q1
        }


def _quartiles(rows: Table, name: str) -> Table:
    """One row of name, q1 and q3, from the counts of each value: memory is that of the distinct values."""
    import ibis

    values = rows.filter(rows[name].notnull()).select(value=rows[name].cast("float64"))
    counts = values.group_by("value").aggregate(n=values.count())
    ranked = counts.mutate(
        upto=counts.n.sum().over(ibis.cumulative_window(order_by=counts.value)),
        last=counts.n.sum().over() - 1,
    )
    q1, q3 = (_interpolated(ranked, quarters) for quarters in (1, 3))
    return ranked.aggregate(q1=q1, q3=q3).select(name=ibis.literal(name), q1="q1", q3="q3")


def _interpolated(ranked: Table, quarters: int) -> object:
    position = ranked.last * quarters
    below = ranked.value.min(where=ranked.upto > position // 4)
    above = ranked.value.min(where=ranked.upto > position // 4 + 1).fill_null(below)
    share = (position % 4).max() / 4
    return below + share * (above - below)


Rule = Annotated[DropDuplicates | DropMissing | IqrOutliers, Field(discriminator="kind")]
