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

    from arro3.core import DataType, RecordBatch, RecordBatchReader, Schema

MEMORY = 768 << 20
"""Bytes of address space; what its libraries take of it is a tenth."""
SECONDS = 300
LONGEST_REASON = 1_000
LARGEST_PORTION = 16 << 20
"""Bytes that a portion of rows takes, where one row does not take more."""


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
    schema = _plain(reader.schema)
    parts = RecordBatchReader.from_batches(schema, _sliced(reader, schema, chunk))
    arro3.io.write_ipc_stream(parts, sys.stdout.buffer, compression=None)
    sys.stdout.flush()


def _read(kind: str, chunk: int) -> RecordBatchReader:
    import arro3.io

    sys.stdin.buffer.seek(0)  # where to open it again is not to do that
    if kind == "arrow":
        return arro3.io.read_ipc_stream("/dev/stdin")  # by its name it is read in half the time
    return arro3.io.read_parquet("/dev/stdin", batch_size=chunk)


def _plain(schema: Schema) -> Schema:
    """The same columns, each cell with a value of its own: many of them can share one of megabytes."""
    from arro3.core import Schema

    fields = [schema.field(place) for place in range(len(schema))]
    return Schema([field.with_type(_of_its_own(field.type)) for field in fields])


def _of_its_own(kind: DataType) -> DataType:
    from arro3.core import DataType

    if DataType.is_dictionary(kind) or "<RunEndEncoded(" in repr(kind):
        return _of_its_own(kind.value_type or kind)
    if DataType.is_string_view(kind):
        return DataType.utf8()
    return DataType.binary() if DataType.is_binary_view(kind) else kind


def _sliced(reader: RecordBatchReader, schema: Schema, chunk: int) -> Iterator[RecordBatch]:
    """Portions of at most `chunk` rows, with the columns of `schema`."""
    from arro3.core import RecordBatch

    for batch in reader:
        for start in range(0, batch.num_rows, chunk):
            portion = batch.slice(start, min(chunk, batch.num_rows - start))
            if schema != reader.schema:
                columns = zip(portion.columns, schema.types, strict=True)
                portion = RecordBatch.from_arrays([one.cast(kind) for one, kind in columns], schema=schema)
            yield from _portions(portion)


def _portions(rows: RecordBatch) -> Iterator[RecordBatch]:
    if rows.nbytes <= LARGEST_PORTION or rows.num_rows < 2:
        yield rows
        return
    half = rows.num_rows // 2
    yield from _portions(rows.slice(0, half))
    yield from _portions(rows.slice(half))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
