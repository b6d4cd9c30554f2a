"""Decodes Parquet or Arrow from standard input, in a process of its own: a bad file ends it, not the API.

What it writes is a line of JSON, {"rows": …} or {"error": …}, and then the table as a plain Arrow stream.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arro3.core import RecordBatch, RecordBatchReader

MEMORY = 768 << 20
"""Bytes of address space; what its libraries take of it is a tenth."""
SECONDS = 300


def main(kind: str, packages: str, chunk: int, most: int) -> None:
    """Decode, or say why not; more than `most` rows are counted but not written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.append(packages)
    try:
        rows = _counted(kind, chunk, most)
    except BaseException as error:  # noqa: BLE001 - the library panics with exceptions of its own
        return _say({"error": str(error).removeprefix("C Data interface error: ")[:300]})
    _say({"rows": rows})
    return _write(kind, chunk) if rows <= most else None


def _counted(kind: str, chunk: int, most: int) -> int:
    rows = 0
    for batch in _read(kind, chunk):
        rows += batch.num_rows
        if rows > most:
            break
    return rows


def _write(kind: str, chunk: int) -> None:
    import arro3.io
    from arro3.core import RecordBatchReader

    reader = _read(kind, chunk)
    parts = RecordBatchReader.from_batches(reader.schema, _sliced(reader, chunk))
    arro3.io.write_ipc_stream(parts, sys.stdout.buffer)
    sys.stdout.flush()


def _read(kind: str, chunk: int) -> RecordBatchReader:
    import arro3.io

    sys.stdin.buffer.seek(0)
    if kind == "arrow":
        return arro3.io.read_ipc_stream(sys.stdin.buffer)
    return arro3.io.read_parquet(sys.stdin.buffer, batch_size=chunk)


def _sliced(reader: RecordBatchReader, chunk: int) -> Iterator[RecordBatch]:
    for batch in reader:
        for start in range(0, batch.num_rows, chunk):
            yield batch.slice(start, min(chunk, batch.num_rows - start))


def _say(header: dict[str, int | str]) -> None:
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
