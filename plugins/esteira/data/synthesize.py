"""Generators of synthetic raw files: a new one is one function here and one line in `GENERATORS`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from esteira.errors import EsteiraError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

HOUSE_COLUMNS = (
    "Area", "Garage", "FirePlace", "Baths", "White Marble", "Black Marble", "Indian Marble", "Floors",
    "City", "Solar", "Electric", "Fiber", "Glass Doors", "Swiming Pool", "Garden", "Prices",
)  # fmt: skip
HOUSE_PRICE_BASE = 1000
HOUSE_PRICE_OF = {
    "Area": 25,
    "Garage": 1500,
    "FirePlace": 750,
    "Baths": 1250,
    "White Marble": 14000,
    "Black Marble": 5000,
    "Floors": 15000,
    "City": 3500,
    "Solar": 250,
    "Electric": 1250,
    "Fiber": 11750,
    "Glass Doors": 4450,
}
_CHUNK = 250_000


class UnknownGeneratorError(EsteiraError):
    """A case names a generator that does not exist."""


def generator(name: str) -> Callable[[Path], None]:
    """The generator of that name, which writes one raw file to the path it is given."""
    if name not in GENERATORS:
        near = difflib.get_close_matches(name, GENERATORS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it can be: {', '.join(GENERATORS)}"
        raise UnknownGeneratorError(f"source.synthetic: there is no generator {name!r}; {hint}")
    return GENERATORS[name]


def house_prices(path: Path, rows: int = 500_000, seed: int = 20) -> None:
    """Write houses whose price is an exact linear function of their columns, in bounded memory.

    Each column is uniform and independent, except that a house has exactly one kind of marble. The same
    seed gives the same rows; a path that ends in .gz is compressed.
    """
    import duckdb
    import pyarrow as pa

    schema = pa.schema([(name, pa.int32()) for name in HOUSE_COLUMNS])
    houses = pa.RecordBatchReader.from_batches(schema, _houses(schema, rows, seed))
    with duckdb.connect() as connection:
        compression = "gzip" if path.suffix == ".gz" else "none"
        connection.from_arrow(houses).to_csv(str(path), header=True, compression=compression)


def _houses(schema: pa.Schema, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(seed)
    for start in range(0, rows, _CHUNK):
        columns = _columns(random, min(_CHUNK, rows - start))
        yield pa.record_batch([pa.array(columns[name], pa.int32()) for name in HOUSE_COLUMNS], schema)


def _columns(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    ranges = {"Area": (1, 249), "Garage": (1, 3), "FirePlace": (0, 4), "Baths": (1, 5), "City": (1, 3)}
    kinds = ("White Marble", "Black Marble", "Indian Marble")
    marble = random.integers(0, len(kinds), rows)
    columns = {name: (marble == kind).astype("int64") for kind, name in enumerate(kinds)}
    for name in HOUSE_COLUMNS:
        if name not in columns and name != "Prices":
            low, high = ranges.get(name, (0, 1))
            columns[name] = random.integers(low, high, rows, endpoint=True)
    columns["Prices"] = HOUSE_PRICE_BASE + sum(
        price * columns[name] for name, price in HOUSE_PRICE_OF.items()
    )
    return columns


GENERATORS: Mapping[str, Callable[[Path], None]] = {"house_prices": house_prices}
