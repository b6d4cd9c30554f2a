"""Has another process decode Parquet and Arrow: their files can take any memory, or end who reads them."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from pathlib import Path
from typing import IO, Any

import arro3.io
from arro3.core import RecordBatchReader

from app import decoder

_LONGEST_LINE = 10_000
_ENDED = f"it is broken or needs more than {decoder.MEMORY >> 20} MB; write smaller batches or row groups"


class DecodeError(Exception):
    """A file cannot be decoded; the message says why."""


class Decoding:
    """One run over a file, in batches of at most `chunk` rows; it ends with this object."""

    def __init__(self, file: IO[bytes], kind: str, chunk: int, most: int) -> None:
        packages = str(Path(arro3.io.__file__).parents[2])
        place = str(Path(decoder.__file__).resolve())
        command = [sys.executable, "-I", "-S", place, kind, packages, str(chunk), str(most)]
        descriptor = file.fileno()  # which also moves it from memory to where another process can read it
        file.flush()
        process = subprocess.Popen(
            command, stdin=descriptor, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None  # noqa: S101
        self._out = process.stdout
        self.close = weakref.finalize(self, _end, process)
        line = self._out.readline(_LONGEST_LINE)
        told: dict[str, Any] = json.loads(line) if line else {"error": _ENDED}
        if "error" in told:
            raise DecodeError(told["error"])
        self.rows: int = told["rows"]

    def read(self) -> RecordBatchReader:
        """The table, once."""
        return arro3.io.read_ipc_stream(self._out)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with process:
        process.wait()
