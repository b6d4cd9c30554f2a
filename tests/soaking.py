"""`python -m tests.soaking URL SECONDS`: asks an API all kinds of things for so long, and counts."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx
from pydantic import BaseModel

CONNECTIONS = 8
_JSON = b"Content-Type: application/json\r\n"


class Soaked(BaseModel):
    """How many requests were answered, and how many of those with another status than is right."""

    requests: int
    wrong: int


def kinds(url: str) -> list[tuple[bytes, int]]:
    """Requests as they go over the wire, each with its right status; most of them are single records."""
    example = httpx.get(f"{url}/openapi.json", trust_env=False).json()["paths"]["/predict"]["post"]
    record = example["requestBody"]["content"]["application/json"]["example"]
    one, many = json.dumps(record).encode(), json.dumps([record] * 50).encode()
    trace = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
    return [
        *[(_post("/predict", one), 200)] * 40,
        (_post("/predict", one, trace), 200),
        (_post("/predict/batch", many), 200),
        (_post("/predict", b"{}"), 422),
        (_post("/predict", b'{"a'), 400),
        (_post("/nowhere", one), 404),
        (b"GET /model HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    ]


def _post(path: str, body: bytes, more: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n".encode()
    return head + _JSON + more + b"\r\n" + body


async def _client(url: str, asks: list[tuple[bytes, int]], until: float) -> Soaked:
    """Asks in a circle, on a new connection now and then."""
    host, _, port = url.removeprefix("http://").partition(":")
    soaked = Soaked(requests=0, wrong=0)
    while time.monotonic() < until:
        reader, writer = await asyncio.open_connection(host, int(port))
        for request, status in asks * 20:
            writer.write(request)
            soaked.requests += 1
            soaked.wrong += await _status(reader) != status
        writer.close()
        await writer.wait_closed()
    return soaked


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12])


async def _all(url: str, seconds: float) -> Soaked:
    asks, until = kinds(url), time.monotonic() + seconds
    each = await asyncio.gather(*(_client(url, asks, until) for _ in range(CONNECTIONS)))
    return Soaked(requests=sum(one.requests for one in each), wrong=sum(one.wrong for one in each))


if __name__ == "__main__":
    print(asyncio.run(_all(sys.argv[1], float(sys.argv[2]))).model_dump_json())
