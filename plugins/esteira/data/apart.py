"""Keeps rejected rows aside: their original text, where they were, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esteira.case import Case
from esteira.data import engine
from esteira.data.layout import PLACE_COLUMNS, columns
from esteira.data.report import Drop

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

_EXAMPLE_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Rejected rows of one file: `codes` index `reasons`; `texts` are the case's columns, else `whole`."""

    file: str
    lines: np.ndarray[Any, Any]
    reasons: Sequence[str]
    codes: np.ndarray[Any, Any]
    texts: Sequence[pa.Array] = ()
    whole: pa.Array | None = None

    def drops(self, names: Sequence[str]) -> list[Drop]:
        """How many rows went for each reason, with the first as an example."""
        import numpy as np

        found = zip(*np.unique(self.codes, return_index=True, return_counts=True), strict=True)
        return [self._drop(int(code), int(first), int(rows), names) for code, first, rows in found]

    def _drop(self, code: int, at: int, rows: int, names: Sequence[str]) -> Drop:
        reason = self.reasons[code]
        cells = dict(zip(names, self.texts, strict=False))
        shown = next(
            (cells[name] for name in names if reason.startswith(f"{name}: ") and name in cells), self.whole
        )
        example = None if shown is None else shown[at].as_py()
        return Drop(
            reason=reason,
            rows=rows,
            file=self.file,
            line=int(self.lines[at]),
            example=None if example is None else example[:_EXAMPLE_LENGTH],
        )


@dataclass
class Rejected:
    """The rejected file of a case in the making; rows go to the disk portion by portion."""

    names: tuple[str, ...]
    writer: pq.ParquetWriter
    rows: int = 0

    def add(self, portion: Portion) -> list[Drop]:
        """Write a portion; returns what it dropped."""
        import pyarrow as pa

        size = len(portion.codes)
        missing = pa.nulls(size, pa.string())
        codes = portion.codes.astype("int64")
        place = (
            engine.texts([portion.file], codes * 0),
            engine.column(portion.lines.astype("int64")),
            engine.texts(portion.reasons, codes),
            missing if portion.whole is None else portion.whole,
        )
        texts = portion.texts or (missing,) * len(self.names)
        self.writer.write_batch(pa.record_batch([*place, *texts], self.writer.schema))
        self.rows += size
        return portion.drops(self.names)


@contextmanager
def opened(path: Path, case: Case) -> Iterator[Rejected]:
    """A rejected file at `path`, complete when the block ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = tuple(columns(case))
    types = {**dict.fromkeys((*PLACE_COLUMNS, *names), pa.string()), "_line": pa.int64()}
    with pq.ParquetWriter(path, pa.schema(types.items())) as writer:
        yield Rejected(names, writer)


def merged(drops: Iterable[Drop]) -> tuple[Drop, ...]:
    """One drop for each reason, the most frequent first, with the first example."""
    by_reason: dict[str, Drop] = {}
    for drop in drops:
        earlier = by_reason.get(drop.reason)
        total = drop.rows + (earlier.rows if earlier else 0)
        by_reason[drop.reason] = (earlier or drop).model_copy(update={"rows": total})
    return tuple(sorted(by_reason.values(), key=lambda drop: -drop.rows))
