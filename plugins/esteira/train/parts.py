"""Writes a training's parts batch by batch: columns, target and times as .npy, what is judged also raw."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from esteira.train.split import HOLDOUT, TRAIN, VALIDATION, Sides

PARTS: Mapping[int, str] = {TRAIN: "train", VALIDATION: "validation", HOLDOUT: "holdout"}


class Parts:
    """The files of the three parts; `rows` says how many each will have."""

    def __init__(self, folder: Path, rows: Mapping[int, int]) -> None:
        self._folder = folder
        self._rows = rows
        self._files: dict[tuple[int, str], BinaryIO] = {}
        self._raw: dict[int, pq.ParquetWriter] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(self, rows: pa.RecordBatch, side: Sides, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Append raw rows and, under the letter of their file, arrays of as many rows, each to its part."""
        for part in PARTS:
            mine = side == part
            for letter, array in arrays.items():
                self._file(part, letter, array).write(array[mine].data)
            if part != TRAIN:
                self._writer(part, rows.schema).write_batch(rows.filter(pa.array(mine)))

    def _file(self, part: int, letter: str, like: npt.NDArray[np.generic]) -> BinaryIO:
        if (part, letter) not in self._files:
            path = self._folder / f"{PARTS[part]}_{letter}.npy"
            file = self._files[part, letter] = self._open.enter_context(path.open("wb"))
            shape = (self._rows[part], *like.shape[1:])
            descr = np.lib.format.dtype_to_descr(like.dtype)
            header = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
        return self._files[part, letter]

    def _writer(self, part: int, schema: pa.Schema) -> pq.ParquetWriter:
        if part not in self._raw:
            path = self._folder / f"{PARTS[part]}.parquet"
            self._raw[part] = self._open.enter_context(pq.ParquetWriter(path, schema))
        return self._raw[part]
