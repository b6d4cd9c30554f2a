"""How large a table may be, and what it takes of memory, of files and of time."""

from __future__ import annotations

import io
import random
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_app_batch import ARROW, CSV, PARQUET, PATH, as_arrow, as_parquet
from test_app_tables import BODIES, HEAD, RECORD, post, refusal

from tests.apis import Api, serving
from tests.bundles import tiny_bundle


def test_a_small_file_that_would_take_gigabytes_is_refused_and_does_no_harm(http: httpx.Client) -> None:
    kinds = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), ["z" * 10_000_000])
    lists = {name: pa.array([value] * 1000) for name, value in RECORD.items()}
    body = io.BytesIO()
    table, large = pa.table(lists | {"Kind": kinds}), 1 << 30
    pq.write_table(table, body, compression="zstd", store_schema=False, dictionary_pagesize_limit=large)
    assert body.tell() < 100_000
    assert "needs more than 768 MB" in refusal(post(http, body.getvalue(), PARQUET), 400)
    assert post(http, BODIES[PARQUET], PARQUET).status_code == 200


@pytest.mark.parametrize(
    ("kind", "query", "accept"), [(PARQUET, "", PARQUET), (ARROW, "", ARROW), (ARROW, "?keep=true", CSV)]
)
def test_rows_that_share_one_large_value_take_no_more_memory_than_others(
    tmp_path: Path, kind: str, query: str, accept: str
) -> None:
    tiny_bundle(tmp_path / "artefatos")
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 16_384, pa.int32()), ["z" * 20_000])
    rows = {name: pa.array([value] * 16_384) for name, value in RECORD.items()}
    table = pa.table(rows | ({"note": shared} if query else {"Kind": shared}))
    body = as_parquet(table) if kind == PARQUET else as_arrow(table)
    assert len(body) < 600_000
    with serving(tmp_path / "artefatos") as api, httpx.Client(base_url=api.url, timeout=60) as http:
        assert post(http, BODIES[kind], kind, query, Accept=accept).status_code == 200
        api_itself = psutil.Process(api.process.pid)
        before, most = api_itself.memory_info().rss, 0
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(post, http, body, kind, query, Accept=accept)
            while not answer.done():
                most = max(most, api_itself.memory_info().rss)
                time.sleep(0.005)
        assert answer.result().status_code == 200
        assert most - before < 150_000_000


def test_a_table_that_is_large_only_uncompressed_is_refused_by_the_same_limit(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    rows = {name: pa.array([value] * 50_000) for name, value in RECORD.items()}
    body = as_parquet(pa.table(rows))
    assert len(body) < 100_000
    with (
        serving(tmp_path / "artefatos", BATCH_BYTES="1000000") as api,
        httpx.Client(base_url=api.url) as http,
    ):
        assert "1,000,000 bytes uncompressed" in refusal(post(http, body, PARQUET), 413)


def test_a_header_of_many_columns_is_refused_at_once(http: httpx.Client) -> None:
    header = ",".join(f"c{place}" for place in range(100_000))
    begun = time.monotonic()
    assert "c0 is not a field" in refusal(post(http, f"{header}\n1\n"))
    assert time.monotonic() - begun < 10


def test_limits_on_rows_and_bytes_are_named_and_hold_for_every_type(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    limits = {"BATCH_ROWS": "50000", "BATCH_BYTES": "2000000"}
    table = pa.table({name: pa.array([value] * 50_001) for name, value in RECORD.items()})
    text = (HEAD + "1,1,1,a\n" * 50_001).encode()
    with serving(tmp_path / "artefatos", **limits) as api, httpx.Client(base_url=api.url) as http:
        for kind, body in ((CSV, text), (PARQUET, as_parquet(table)), (ARROW, as_arrow(table.slice(0, 9)))):
            response = post(http, body, kind)
            assert response.status_code == 200 if kind == ARROW else "50,000 rows" in refusal(response, 413)
        assert "2,000,000 bytes" in refusal(post(http, as_arrow(pa.concat_tables([table] * 2)), ARROW), 413)
        assert post(http, text.removesuffix(b"1,1,1,a\n")).status_code == 200


def test_what_does_not_fit_into_temporary_files_is_refused(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    noise = random.Random(1).randbytes(50_000).hex()  # noqa: S311
    notes = [f"{row} {noise[row % 10 * 10_000 :][:10_000]}" for row in range(4_000)]
    table = pa.table({name: pa.array([value] * 4_000) for name, value in RECORD.items()} | {"note": notes})
    small = io.BytesIO()
    pq.write_table(table, small, compression="zstd", use_dictionary=False)
    large = HEAD + "1,2.25,1,a\n" * 400_000
    with serving(tmp_path / "artefatos") as api, httpx.Client(base_url=api.url, timeout=60) as http:
        resource.prlimit(api.process.pid, resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        assert "no room here" in refusal(post(http, large), 413)
        assert "no room here" in refusal(post(http, small.getvalue(), PARQUET, "?keep=true"), 413)
        assert post(http, small.getvalue(), PARQUET, "?keep=true", Accept=CSV).status_code == 200


def test_a_client_that_leaves_in_the_midst_of_an_answer_leaves_nothing_behind(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    table = pa.table({name: pa.array([value] * 5_000_000) for name, value in RECORD.items()})
    with serving(tmp_path / "artefatos") as api, httpx.Client(base_url=api.url, timeout=60) as http:
        asked = {"content": as_parquet(table), "headers": {"Content-Type": PARQUET, "Accept": CSV}}
        with http.stream("POST", PATH, **asked) as response:
            parts = response.iter_bytes()
            while not psutil.Process(api.process.pid).children():
                next(parts)
        deadline = time.monotonic() + 10
        while psutil.Process(api.process.pid).children():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert post(http, BODIES[PARQUET], PARQUET).status_code == 200
        assert "Traceback" not in api.log.read_text()


def resident(api: Api) -> int:
    """Megabytes of memory that the process holds."""
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def test_half_a_million_rows_stream_in_bounded_memory_while_others_are_answered(
    tmp_path: Path,
) -> None:
    tiny_bundle(tmp_path / "artefatos")
    lines = [f"{row % 1001},2.5,{1 + row % 3},{'ab'[row % 2]}\n" for row in range(5000)]
    body = (HEAD + "".join(lines) * 100).encode()
    waits = []
    with serving(tmp_path / "artefatos") as api, httpx.Client(base_url=api.url, timeout=60) as http:
        post(http, body[:10_000].rpartition(b"\n")[0])
        before = resident(api)
        with ThreadPoolExecutor() as pool, httpx.Client(base_url=api.url) as other:
            batch = pool.submit(post, http, body)
            while not batch.done():
                start = time.monotonic()
                other.get("/health/live").raise_for_status()
                waits.append(time.monotonic() - start)
                time.sleep(0.01)
        response = batch.result()
        grown = resident(api) - before
    assert response.headers["transfer-encoding"] == "chunked"
    found = pd.read_csv(io.BytesIO(response.content))
    area, city = found.index % 5000 % 1001, 1 + found.index % 5000 % 3
    assert len(found) == 500_000
    assert (found["prediction"] == 2 * area + city + 10 * (found.index % 2)).all()
    assert max(waits) < 0.5
    assert grown < 50
