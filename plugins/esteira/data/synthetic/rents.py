"""Flats and their monthly rent: a law of factors, one of them the neighbourhood's own level."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from esteira.data.synthetic.writing import write

if TYPE_CHECKING:
    import numpy as np

RENT_PER_METRE = {
    "Itaim Bibi": 92.0, "Moema": 80.0, "Pinheiros": 76.0, "Vila Mariana": 64.0, "Butantã": 52.0,
    "Lapa": 50.0, "Tatuapé": 47.0, "Santana": 45.0, "Freguesia do Ó": 34.0, "Itaquera": 27.0,
    "Capão Redondo": 25.0, "Guaianases": 20.0,
}  # fmt: skip
"""R$ per m² and month of a new flat of 70 m² with one bathroom and no garage."""
NOISE = 0.14
"""The standard deviation of the rent's logarithm around the law."""

_CHUNK = 100_000
_AGE_MISSING = 0.04


def rents(path: Path, rows: int = 20_000, seed: int = 20) -> None:
    """Write flats in bounded memory; the same seed gives the same rows."""
    write(path, _flats(rows, seed))


def law(flats: dict[str, np.ndarray]) -> np.ndarray:
    """The median rent of flats in R$: larger ones cost less per m², older ones less, 0.6 % a year."""
    import numpy as np

    metre = np.vectorize(RENT_PER_METRE.__getitem__)(flats["bairro"])
    area, age = flats["area"], flats["idade"]
    factors = (area / 70) ** -0.15 * 1.07 ** (flats["banheiros"] - 1) * 1.08 ** flats["garagem"] * 0.994**age
    rent: np.ndarray = metre * area * factors
    return rent


def _flats(rows: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    import numpy as np

    random = np.random.default_rng(seed)
    for start in range(0, rows, _CHUNK):
        flats = _columns(random, min(_CHUNK, rows - start))
        noise = np.exp(random.normal(0, NOISE, len(flats["area"])))
        flats["preco"] = (law(flats) * noise / 10).round().astype(int) * 10
        unknown = random.random(len(noise)) < _AGE_MISSING
        yield {**flats, "idade": np.where(unknown, np.nan, flats["idade"])}


def _columns(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    import numpy as np

    area = np.clip(random.lognormal(4.2, 0.45, rows), 18, 600).round()
    rooms = np.clip((area / 32 + random.normal(0, 0.6, rows)).round(), 1, 6)
    baths = np.clip((rooms * random.uniform(0.4, 1, rows)).round(), 1, 5)
    return {
        "area": area.astype(int),
        "quartos": rooms.astype(int),
        "banheiros": baths.astype(int),
        "idade": np.clip(random.gamma(1.5, 12, rows), 0, 80).round(),
        "garagem": np.clip(random.poisson(area / 80), 0, 4),
        "bairro": random.choice(list(RENT_PER_METRE), rows),
    }
