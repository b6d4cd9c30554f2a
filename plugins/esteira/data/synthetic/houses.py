"""Houses whose price is an exact linear function of their columns, as in HousePrices_HalfMil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from esteira.data.synthetic.writing import write

if TYPE_CHECKING:
    import numpy as np

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


def house_prices(path: Path, rows: int = 500_000, seed: int = 20) -> None:
    """Write houses in bounded memory; the same seed gives the same rows.

    Each column is uniform and independent, except that a house has exactly one kind of marble.
    """
    write(path, _houses(rows, seed))


def _houses(rows: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    import numpy as np

    random = np.random.default_rng(seed)
    for start in range(0, rows, _CHUNK):
        columns = _columns(random, min(_CHUNK, rows - start))
        yield {name: columns[name].astype(np.int32) for name in HOUSE_COLUMNS}


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
