"""Generators of synthetic raw files: a new one is one function and one line in `GENERATORS`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from esteira.data.synthetic.houses import house_prices
from esteira.data.synthetic.obesity import obesity
from esteira.data.synthetic.rents import rents
from esteira.data.synthetic.weather import weather
from esteira.errors import EsteiraError


class UnknownGeneratorError(EsteiraError):
    """A case names a generator that does not exist."""


def generator(name: str) -> Callable[[Path], None]:
    """The generator of that name, which writes one raw file to the path it is given."""
    if name not in GENERATORS:
        near = difflib.get_close_matches(name, GENERATORS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it can be: {', '.join(GENERATORS)}"
        raise UnknownGeneratorError(f"source.synthetic: there is no generator {name!r}; {hint}")
    return GENERATORS[name]


GENERATORS: Mapping[str, Callable[[Path], None]] = {
    "house_prices": house_prices,
    "obesity": obesity,
    "rents": rents,
    "weather": weather,
}
