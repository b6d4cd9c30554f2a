"""What the columns of a dataset hold: ranges, means, missing values and distributions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esteira.columns import Category, Column, Date, Integer, Number
from esteira.data.report import Bar, ColumnProfile
from esteira.days import to_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BINS = 24
SHOWN_LEVELS = 24
_BATCH_ROWS = 1 << 15
_BUFFER_BYTES = 1 << 16  # else the whole file is kept in memory
_DAY_MICROSECONDS = 86_400e6
_MINUTE = 1 / 1440
_NARROW = ("int8", "int16")


@dataclass
class _Range:
    """What the first pass over a number finds."""

    missing: int = 0
    rows: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None

    def add(self, values: pa.Array) -> None:
        import pyarrow.compute as pc

        self.missing += values.null_count
        if values.null_count == len(values):
            return
        extremes = pc.min_max(values).as_py()
        self.rows += len(values) - values.null_count
        self.total += float(pc.sum(values).as_py())
        self.low = extremes["min"] if self.low is None else min(self.low, extremes["min"])
        self.high = extremes["max"] if self.high is None else max(self.high, extremes["max"])


@dataclass
class _Counts:
    """How often each value of a narrow whole number occurs: its range and its bars in one pass."""

    dtype: np.dtype[np.signedinteger]
    missing: int = 0
    rows: Any = 0

    def add(self, values: pa.Array) -> None:
        import numpy as np

        self.missing += values.null_count
        bits = np.from_dlpack(values.drop_null()).view(f"u{self.dtype.itemsize}")
        self.rows = self.rows + np.bincount(bits, minlength=1 << (8 * self.dtype.itemsize))

    def found(self) -> tuple[_Range, np.ndarray[Any, Any]]:
        """The range, and the rows of each bar."""
        import numpy as np

        (bits,) = np.nonzero(self.rows)
        if not len(bits):
            return _Range(missing=self.missing), bits
        values, rows = bits.astype(f"u{self.dtype.itemsize}").view(self.dtype), self.rows[bits]
        total = float(values.astype(np.int64) @ rows)
        seen = _Range(self.missing, int(rows.sum()), total, int(values.min()), int(values.max()))
        return seen, np.bincount(_places(values, *_edges(seen)), weights=rows, minlength=BINS)


@dataclass
class _Levels:
    """How often each level of a category occurs."""

    missing: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, values: pa.Array) -> None:
        self.missing += values.null_count
        for count in values.drop_null().value_counts():
            self.rows[str(count["values"].as_py())] += count["counts"].as_py()


def profiles(dataset: Path, columns: Mapping[str, Column]) -> tuple[ColumnProfile, ...]:
    """Describe each column of a Parquet dataset, in two passes over it that hold one portion at a time."""
    seen = _noticed(dataset, columns)
    counted = {name: counts.found() for name, counts in seen.items() if isinstance(counts, _Counts)}
    bins: dict[str, Any] = {name: rows for name, (_, rows) in counted.items()}
    found = {
        name: counted[name][0] if isinstance(noticed, _Counts) else noticed for name, noticed in seen.items()
    }
    ranges = {
        name: wide
        for name, wide in found.items()
        if isinstance(wide, _Range) and wide.rows and name not in bins
    }
    for name, values in _portions(dataset, list(ranges)):
        bins[name] = bins.get(name, 0) + _binned(values, *_edges(ranges[name]))
    return tuple(_profile(name, column, found[name], bins.get(name)) for name, column in columns.items())


def _noticed(dataset: Path, columns: Mapping[str, Column]) -> dict[str, _Range | _Counts | _Levels]:
    """The first pass over all columns."""
    import pyarrow.parquet as pq

    types = pq.read_schema(dataset)
    seen = {name: _start(column, types.field(name).type) for name, column in columns.items()}
    for name, values in _portions(dataset, list(columns)):
        seen[name].add(values)
    return seen


def _start(column: Column, kind: pa.DataType) -> _Range | _Counts | _Levels:
    import numpy as np

    if isinstance(column, Category):
        return _Levels()
    return _Counts(np.dtype(str(kind))) if str(kind) in _NARROW else _Range()


def _portions(dataset: Path, names: list[str]) -> Iterator[tuple[str, pa.Array]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(dataset, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=names, use_threads=False):
            yield from zip(names, (_as_days(batch[name]) for name in names), strict=True)


def _as_days(values: pa.Array) -> pa.Array:
    """Moments as days since 1970; other values as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_timestamp(values.type):
        return values
    microseconds = pc.cast(values.cast(pa.int64()), pa.float64(), safe=False)
    return pc.divide(microseconds, _DAY_MICROSECONDS)


def _edges(seen: _Range) -> tuple[float, float]:
    """The lowest value, and the width of a bar (halves are subtracted, so that no range is infinite)."""
    assert seen.low is not None
    assert seen.high is not None
    return float(seen.low), (seen.high / 2 - seen.low / 2) / (BINS / 2) or 1.0


def _binned(values: pa.Array, low: float, width: float) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.bincount(_places(np.from_dlpack(values.drop_null()), low, width), minlength=BINS)


def _places(numbers: np.ndarray[Any, Any], low: float, width: float) -> np.ndarray[Any, Any]:
    """The bar that each number belongs to."""
    import numpy as np

    return ((numbers / width) - low / width).astype(np.int64).clip(0, BINS - 1)


def _profile(name: str, column: Column, seen: _Range | _Levels, bins: Any) -> ColumnProfile:
    if isinstance(seen, _Levels):
        ordered = sorted(seen.rows.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_LEVELS]
        bars = tuple(Bar(label=label, rows=rows) for label, rows in ordered)
        return ColumnProfile(
            name=name, type=column.type, missing=seen.missing, levels=len(seen.rows), bars=bars
        )
    return ColumnProfile(
        name=name,
        type=column.type,
        unit=column.unit if isinstance(column, Integer | Number) else None,
        missing=seen.missing,
        min=seen.low,
        max=seen.high,
        mean=seen.total / seen.rows if seen.rows and isfinite(seen.total) else None,
        bars=_bars(column, seen, bins) if seen.rows else (),
    )


def _bars(column: Column, seen: _Range, bins: np.ndarray[Any, Any]) -> tuple[Bar, ...]:
    low, width = _edges(seen)
    edges = (low + place * width for place in range(BINS))
    return tuple(
        Bar(label=_label(column, edge), rows=int(rows)) for edge, rows in zip(edges, bins, strict=True)
    )


def _label(column: Column, edge: float) -> str:
    if isinstance(column, Date):
        step = _MINUTE if column.time else 1.0
        return to_text(edge // step * step)
    return f"{edge:,.6g}"
