"""Sifts the staged rows: the case's checks first, then its rules in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from esteira.case import Case
from esteira.columns import Column, Date, Integer, Number
from esteira.data import checks, engine, staging
from esteira.data.apart import Portion, Rejected, merged
from esteira.data.layout import columns
from esteira.data.report import Drop, Step
from esteira.data.staging import Part, Staged
from esteira.rules import ROW, Rule

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.backends.duckdb import Backend
    from ibis.expr.types import Table, Value

CHECK = "check columns"
DUPLICATE = "equal to an earlier row"


@dataclass(frozen=True)
class Sieve:
    """What all steps share: the connection, the case, the staged rows and where rejected rows go."""

    connection: Backend
    case: Case
    staged: Staged
    rejected: Rejected

    def check(self) -> Step:
        """Set aside the rows that are broken or that the case does not allow."""
        drops = merged(drop for part in self.staged.parts for drop in self._checked(part))
        return Step(name=CHECK, drops=drops, rows_after=self.staged.rows_in - _total(drops))

    def sound(self) -> Table:
        """The rows without a fault, under the case's names and with `ROW`."""
        staged = self.staged.table
        values = {name: staged[f"v{place}"] for place, name in enumerate(columns(self.case))}
        return staged.filter(staged[checks.FAULT].isnull()).select(**values, **{ROW: staged[ROW]})

    def apply(self, rule: Rule, place: int, rows: Table, rows_left: int) -> tuple[Table, Step]:
        """Apply a rule to the rows that earlier steps left; returns those that it leaves."""
        rows, drops = self._set_apart(rule, rows)
        unrepeated = rule.unrepeated(rows)
        if unrepeated is not rows:
            kept = engine.create(self.connection, f"unrepeated{place}", unrepeated)
            rows = self.connection.table(f"unrepeated{place}")
            engine.drop(self.connection, staging.STAGED)
            lost = rows_left - _total(drops) - kept
            drops += (Drop(reason=DUPLICATE, rows=lost),) if lost else ()
        return rows, Step(name=rule.kind, drops=drops, rows_after=rows_left - _total(drops))

    def _checked(self, part: Part) -> Iterator[Drop]:
        if part.broken.num_rows:
            yield from self.rejected.add(_broken_portion(part))
        yield from self._faulty(part)

    def _faulty(self, part: Part) -> Iterator[Drop]:
        staged = self.staged.table
        within = staged[ROW].between(part.first, part.first + part.rows - 1)
        rows = staged.filter(staged[checks.FAULT].notnull() & within).select(ROW)
        if not engine.fetch(self.connection, rows.limit(1)).num_rows:
            return
        for batch in staging.faulty(self.connection, self.case, part, rows):
            portion = Portion(
                file=part.layout.path.name,
                lines=part.lines(engine.numbers(batch[ROW])),
                reasons=self.staged.reasons,
                codes=engine.numbers(batch[checks.FAULT]),
                texts=batch.columns[:-2],
            )
            yield from self.rejected.add(portion)

    def _set_apart(self, rule: Rule, rows: Table) -> tuple[Table, tuple[Drop, ...]]:
        import ibis

        conditions = rule.apart(rows, self._numbers(), self._fetch)
        if not conditions:
            return rows, ()
        codes = [
            (condition, ibis.literal(code, "int16")) for code, condition in enumerate(conditions.values())
        ]
        marked = rows.mutate(**{checks.FAULT: ibis.cases(*codes, else_=ibis.null("int16"))})
        lost = marked.filter(marked[checks.FAULT].notnull()).order_by(ROW)
        texts = {name: _as_text(column, lost[name]) for name, column in columns(self.case).items()}
        batches = engine.batches(self.connection, lost.select(ROW, checks.FAULT, **texts))
        drops = merged(drop for batch in batches for drop in self._dropped(batch, tuple(conditions)))
        return marked.filter(marked[checks.FAULT].isnull()).drop(checks.FAULT), drops

    def _dropped(self, batch: pa.RecordBatch, reasons: tuple[str, ...]) -> Iterator[Drop]:
        positions = engine.numbers(batch[ROW])
        for part in self.staged.parts:
            low, high = positions.searchsorted((part.first, part.first + part.rows))
            if low < high:
                portion = Portion(
                    file=part.layout.path.name,
                    lines=part.lines(positions[low:high]),
                    reasons=reasons,
                    codes=engine.numbers(batch[checks.FAULT])[low:high],
                    texts=[column[low:high] for column in batch.columns[2:]],
                )
                yield from self.rejected.add(portion)

    def _fetch(self, query: Table) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = engine.fetch(self.connection, query).to_pylist()
        return rows

    def _numbers(self) -> tuple[str, ...]:
        table = columns(self.case)
        return tuple(name for name, column in table.items() if isinstance(column, Integer | Number))


def _as_text(column: Column, value: Value) -> Value:
    if isinstance(column, Date) and not column.time:
        value = value.cast("date")
    return value.cast("string")


def _broken_portion(part: Part) -> Portion:
    reasons = part.broken["reason"].combine_chunks().dictionary_encode()
    return Portion(
        file=part.layout.path.name,
        lines=engine.numbers(part.broken["line"]),
        reasons=reasons.dictionary.to_pylist(),
        codes=engine.numbers(reasons.indices),
        whole=part.broken["text"].combine_chunks(),
    )


def _total(drops: tuple[Drop, ...]) -> int:
    return sum(drop.rows for drop in drops)
