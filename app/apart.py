"""Has another process decode Parquet and Arrow: their files can take any memory, or end who reads them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import arro3.io
from arro3.core import RecordBatch

from app import decoder

_PIPE = 1 << 20
"""Bytes that wait in the pipe between both; fewer make them wait for each other."""
_ENDED = f"it is broken or needs more than {decoder.MEMORY >> 20} MB; write smaller batches or row groups"


class DecodeError(Exception):
    """A file cannot be decoded; the message says why."""


class Decoding:
    """One run over a file, in batches of at most `chunk` rows; it ends with this object.

    Raises DecodeError when not even the schema can be read.
    """

    def __init__(self, file: IO[bytes], kind: str, chunk: int) -> None:
        packages = str(Path(arro3.io.__file__).parents[2])
        place = str(Path(decoder.__file__).resolve())
        descriptor = file.fileno()  # which also moves it from memory to where another process can read it
        file.flush()
        reasons, said = os.pipe()
        command = [sys.executable, "-I", "-S", place, kind, packages, str(chunk), str(said)]
        try:
            self._process = process = subprocess.Popen(
                command, stdin=descriptor, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[said]
            )
        except BaseException:
            os.close(reasons)
            raise
        finally:
            os.close(said)
        self._reasons = open(reasons, "rb")  # noqa: SIM115, PTH123 - it ends with this object
        self.close = weakref.finalize(self, _end, process, self._reasons)
        assert process.stdout is not None  # noqa: S101
        with suppress(OSError, AttributeError):  # a user may have so much of it; not every system has it
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            self._reader = arro3.io.read_ipc_stream(process.stdout)
        except BaseException as error:
            raise DecodeError(self._why()) from error
        self.schema = self._reader.schema

    def batches(self) -> Iterator[RecordBatch]:
        """The table, once; raises DecodeError where the file breaks off or is broken."""
        try:
            yield from self._reader
        except GeneratorExit:
            raise
        except BaseException as error:
            raise DecodeError(self._why()) from error
        if self._process.wait():
            raise DecodeError(self._why())

    def _why(self) -> str:
        """What the other process said at its end; nothing where the system ended it."""
        self._process.kill()  # whatever it still writes is not read
        return self._reasons.read().decode(errors="replace") or _ENDED


def _end(process: subprocess.Popen[bytes], reasons: IO[bytes]) -> None:
    process.kill()
    with process:
        process.wait()
    reasons.close()
