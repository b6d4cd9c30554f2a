"""Decodes Parquet or Arrow from standard input, in a process of its own: a bad file ends it, not the API.

What it writes is a plain Arrow stream; when it fails, the reason goes to a pipe of its own: what libraries
say on standard error can be of any length.
"""

from __future__ import annotations

import os
import resource
import sys

TYPE_CHECKING = False  # typing takes longer to import than all else here
if TYPE_CHECKING:
    from collections.abc import Iterator

    from arro3.core import RecordBatch, RecordBatchReader

MEMORY = 768 << 20
"""Bytes of address space; what its libraries take of it is a tenth."""
SECONDS = 300
LONGEST_REASON = 1_000


def main(kind: str, packages: str, chunk: int, reasons: int) -> int:
    """Decode; 1 if that fails."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.append(packages)
    try:
        _write(kind, chunk)
    except BaseException as error:  # noqa: BLE001 - the library panics with exceptions of its own
        os.write(reasons, str(error)[:LONGEST_REASON].encode(errors="replace"))
        return 1
    return 0


def _write(kind: str, chunk: int) -> None:
    import arro3.io
    from arro3.core import RecordBatchReader

    reader = _read(kind, chunk)
    parts = RecordBatchReader.from_batches(reader.schema, _sliced(reader, chunk))
    arro3.io.write_ipc_stream(parts, sys.stdout.buffer, compression=None)
    sys.stdout.flush()


def _read(kind: str, chunk: int) -> RecordBatchReader:
    import arro3.io

    sys.stdin.buffer.seek(0)  # where to open it again is not to do that
    if kind == "arrow":
        return arro3.io.read_ipc_stream("/dev/stdin")  # by its name it is read in half the time
    return arro3.io.read_parquet("/dev/stdin", batch_size=chunk)


def _sliced(reader: RecordBatchReader, chunk: int) -> Iterator[RecordBatch]:
    for batch in reader:
        for start in range(0, batch.num_rows, chunk):
            yield batch.slice(start, min(chunk, batch.num_rows - start))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
