"""DuckDB copies a file to another of its kind; over HTTP: `python -m benchmarks.copying FOLDER PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

KINDS = {
    "CSV": "text/csv",
    "Parquet": "application/vnd.apache.parquet",
    "Arrow": "application/vnd.apache.arrow.stream",
}


def copy(engine: duckdb.DuckDBPyConnection, kind: str, source: Path, target: Path) -> None:
    """One of KINDS; an Arrow stream goes by way of pyarrow."""
    if kind == "Arrow":
        with pa.ipc.open_stream(pa.memory_map(str(source))) as stream:
            write_arrow(engine.from_arrow(stream).to_arrow_reader(), target)
    else:
        engine.execute(f"COPY (FROM read_{kind.lower()}('{source}')) TO '{target}' (FORMAT {kind.lower()})")


def write_arrow(rows: pa.RecordBatchReader, target: Path) -> None:
    """As an Arrow stream."""
    with pa.OSFile(str(target), "wb") as out, pa.ipc.new_stream(out, rows.schema) as stream:
        for batch in rows:
            stream.write_batch(batch)


def app(folder: Path) -> Starlette:
    """POST /copy takes a file of one of KINDS and answers with its copy."""
    engine = duckdb.connect()
    kinds = {media_type: kind for kind, media_type in KINDS.items()}
    source, target = folder / "received", folder / "copied"

    async def copied(request: Request) -> FileResponse:
        media_type = request.headers["content-type"]
        with source.open("wb") as file:
            async for part in request.stream():
                file.write(part)
        await run_in_threadpool(copy, engine, kinds[media_type], source, target)
        return FileResponse(target, media_type=media_type)

    return Starlette(routes=[Route("/copy", copied, methods=["POST"])])


if __name__ == "__main__":
    uvicorn.run(app(Path(sys.argv[1])), port=int(sys.argv[2]), access_log=False, log_level="warning")
