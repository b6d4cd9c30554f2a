"""Asks a graph about many rows at once, a large graph in the order and the threads that it is fastest in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from esteira.bundle import Metadata
from esteira.case import Column, is_text

LARGE = 1 << 20
"""Bytes of a graph's file from which on it is more than what a core keeps at hand."""
FEW = 512
"""Rows of a large graph that are not worth the sorting, and the threads."""
FEW_OF_SMALL = 4096
"""The same of a small graph, which is never worth the sorting."""
MOST_KEYS = 8
"""Columns to sort by; more of them take longer to sort by than they save."""

Array = npt.NDArray[Any]
Ask = Callable[[Sequence[Array]], list[Array]]
"""Columns in the model's order to the graph's outputs."""


def asking(ask: Ask, metadata: Metadata, columns: Mapping[str, Column]) -> Ask:
    """How the version's graph is asked about many rows; `columns` are its inputs, in order."""
    split = Split(ask, len(os.sched_getaffinity(0)))
    if metadata.files["onnx"].bytes < LARGE:
        return lambda given: ask(given) if len(given[0]) < FEW_OF_SMALL else split.outputs(given)
    places = {name: at for at, (name, column) in enumerate(columns.items()) if not is_text(column)}
    keys = [places[name] for name, weight in metadata.importances.items() if weight > 0 and name in places]
    alike = Alike(split.outputs, keys[:MOST_KEYS]).outputs if keys else split.outputs
    return lambda given: ask(given) if len(given[0]) < FEW else alike(given)


class Split:
    """Asks about a part of the rows in each core."""

    def __init__(self, ask: Ask, cores: int) -> None:
        self._ask, self._cores = ask, cores
        self._others = ThreadPoolExecutor(max(cores - 1, 1), "rows")

    def outputs(self, columns: Sequence[Array]) -> list[Array]:
        """The graph's outputs."""
        mine, *others = zip(*(np.array_split(column, self._cores) for column in columns), strict=True)
        running = [self._others.submit(self._ask, part) for part in others]
        parts = [self._ask(mine), *(one.result() for one in running)]
        return [np.concatenate(found) for found in zip(*parts, strict=True)]


class Alike:
    """Asks about rows that are alike one after the other.

    They take the same ways through a forest's trees, which a processor then guesses right and has at hand:
    half the time, or less.
    """

    def __init__(self, ask: Ask, keys: Sequence[int]) -> None:
        """`keys` are the places of the columns of numbers to sort by, the first of them first."""
        self._ask, self._keys = ask, keys

    def outputs(self, columns: Sequence[Array]) -> list[Array]:
        """The graph's outputs, in the order of the rows as they came."""
        # the last of lexsort's keys is the first to sort by
        order = np.lexsort([columns[at] for at in reversed(self._keys)])
        found = self._ask([column[order] for column in columns])
        return [_put_back(output, order) for output in found]


def _put_back(output: Array, order: npt.NDArray[np.intp]) -> Array:
    found = np.empty_like(output)
    found[order] = output
    return found
