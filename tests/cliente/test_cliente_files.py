"""`python cliente.py --arquivo …` over breaks of the API and of itself, bad rows and other types of files."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cliente import (
    Cliente,
    NotReadyError,
    OtherVersionError,
    ParquetSource,
    RefusedError,
    TableError,
    predict_file,
)
from esteira import apikeys
from tests.apis import ROOT, Api, serving
from tests.bundles import tiny_answer, tiny_bundle

ROWS = 120_000
USABLE = b'{"Living Area": 120, "City": 1, "Kind": "b"}\n'


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV in which every 10,007th row cannot be used, and a note may hold a line break."""
    source = tmp_path_factory.mktemp("houses") / "casas.csv"
    draw = random.Random(3)  # noqa: S311
    with source.open("w") as file:
        file.write("note,Living Area,Rate,City,Kind\n")
        for row in range(1, ROWS + 1):
            area = "big" if row % 10_007 == 0 else draw.randrange(1000)
            note = '"a\nb"' if row % 5 == 0 else "x"
            file.write(f"{note},{area},{draw.random():.3f},{draw.randrange(1, 4)},{draw.choice('abc')}\n")
    return source


@pytest.fixture(scope="module")
def expected(houses: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a run without a break writes."""
    folder = tmp_path_factory.mktemp("expected")
    tiny_bundle(folder / "artefatos")
    with serving(folder / "artefatos") as api, Cliente(api.url) as client:
        predict_file(client, houses, folder / "previsoes.csv", rows=2000)
    return (folder / "previsoes.csv").read_bytes()


def started(api: Api, source: Path, target: Path, *more: str) -> subprocess.Popen[bytes]:
    told = ["--url", api.url, "--arquivo", str(source), "--saida", str(target), "--lote", "2000", *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, str(ROOT / "cliente.py"), *told], **pipes)  # type: ignore[call-overload, no-any-return]


def wait_until_begun(target: Path, batches: int = 5) -> None:
    journal = target.with_name(f".{target.name}.journal")
    deadline = time.monotonic() + 30
    while not journal.exists() or journal.read_text().count("\n") <= batches:
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.005)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_rows_that_cannot_be_used_are_listed_at_the_end_and_have_an_error_beside_them(
    served: Api, houses: Path, expected: bytes, tmp_path: Path
) -> None:
    running = started(served, houses, tmp_path / "previsoes.csv", "--parallel", "3")
    out, said = running.communicate(timeout=60)
    assert running.returncode == 3
    assert f"{ROWS - 11:,} predictions written" in out.decode()
    assert f"11 of {ROWS:,} rows cannot be used:" in said.decode()
    assert 'row 10008: Living_Area cannot be "big"' in said.decode()
    assert (tmp_path / "previsoes.csv").read_bytes() == expected
    assert names(tmp_path) == ["previsoes.csv"]


def test_an_api_that_is_killed_and_started_again_midway_is_waited_for(
    houses: Path, expected: bytes, tmp_path: Path
) -> None:
    tiny_bundle(tmp_path / "artefatos")
    target = tmp_path / "out" / "previsoes.csv"
    target.parent.mkdir()
    with serving(tmp_path / "artefatos") as api:
        running = started(api, houses, target)
        wait_until_begun(target)
        api.process.send_signal(signal.SIGKILL)
        api.process.wait(10)
        time.sleep(0.5)
        with serving(tmp_path / "artefatos", port=api.port):
            _, said = running.communicate(timeout=60)
    assert running.returncode == 3, said
    assert target.read_bytes() == expected


def test_a_client_that_is_killed_midway_goes_on_where_it_was(
    served: Api, houses: Path, expected: bytes, tmp_path: Path
) -> None:
    target = tmp_path / "previsoes.csv"
    target.write_text("of before")
    for batches in (5, 12, 20):
        running = started(served, houses, target)
        wait_until_begun(target, batches)
        running.kill()
        running.wait(10)
        assert target.read_text() == "of before"
    part = target.with_name(".previsoes.csv.part")
    part.write_bytes(part.read_bytes() + b"half a row of a batch that was never done")
    before = settled(served)
    running = started(served, houses, target)
    assert running.wait(60) == 3
    assert target.read_bytes() == expected
    assert figure(served) - before < ROWS - 20 * 2000
    assert names(tmp_path) == ["previsoes.csv"]


def figure(api: Api) -> float:
    """How many records the API has answered."""
    text = httpx.get(f"{api.url}/metrics", trust_env=False).text
    return float(text.partition("\npredictions_total ")[2].split()[0])


def settled(api: Api) -> float:
    """The same, once what a killed client had asked is answered too."""
    known = figure(api)
    while True:
        time.sleep(0.5)
        before, known = known, figure(api)
        if known == before:
            return known


def test_what_was_begun_with_another_file_or_version_is_begun_anew(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    source, target = tmp_path / "casas.csv", tmp_path / "out.csv"
    source.write_text("Living Area,City,Kind\n" + "1,1,a\n" * 50)
    journal = target.with_name(".out.csv.journal")
    journal.write_text('{"source": "another"}\n{"end": 3, "rows": 3, "failed": 0, "errors": []}\n')
    target.with_name(".out.csv.part").write_text("abc")
    with serving(tmp_path / "artefatos") as api, Cliente(api.url, patience=0.5) as client:
        assert predict_file(client, source, target, rows=9).rows == 50
        assert target.read_text() == "Living Area,City,Kind,prediction,warnings,error\n" + (
            '1,1,a,3.0,"Living_Area is 1, but training saw only 10 to 500",\n' * 50
        )
        with pytest.raises(OtherVersionError, match="Version 1 answers now"):
            client.send_batch(b"Living Area,City,Kind\n1,1,a\n", "text/csv", version=2)


def test_an_api_that_stays_away_is_told_with_how_far_it_came(houses: Path, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    target = tmp_path / "previsoes.csv"
    with serving(tmp_path / "artefatos") as api:
        running = started(api, houses, target, "--patience", "1")
        wait_until_begun(target)
        api.process.kill()
        _, said = running.communicate(timeout=30)
    assert running.returncode == 1
    assert b"No API answers" in said
    assert b"000 rows are predicted; run the same again to go on from there." in said


def test_two_runs_do_not_write_the_same_file(served: Api, houses: Path, tmp_path: Path) -> None:
    target = tmp_path / "previsoes.csv"
    running = started(served, houses, target)
    wait_until_begun(target, 1)
    running.send_signal(signal.SIGSTOP)
    second = started(served, houses, target)
    assert b"Another run is writing here" in second.communicate(timeout=30)[1]
    running.send_signal(signal.SIGCONT)
    assert (second.returncode, running.wait(60)) == (1, 3)


def twenty_batches(folder: Path) -> Path:
    source = folder / "casas.csv"
    source.write_text("Living Area,City,Kind\n" + "".join(f"{20 + n},1,a\n" for n in range(200)))
    return source


def test_a_key_that_is_revoked_midway_costs_nothing_that_was_predicted(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    source, target = twenty_batches(tmp_path), tmp_path / "out" / "previsoes.csv"
    target.parent.mkdir()
    old, new = apikeys.add(tmp_path, "old", None), apikeys.add(tmp_path, "new", None)
    keys, bearer = str(apikeys.path(tmp_path)), {"Authorization": f"Bearer {old}"}
    with serving(tmp_path / "artefatos", API_KEYS_FILE=keys) as api:

        def revoke(read: int, size: int) -> None:
            if "old" in apikeys.path(tmp_path).read_text() and begun(target) == 5:
                apikeys.revoke(tmp_path, "old")
                while httpx.get(f"{api.url}/model", headers=bearer, trust_env=False).is_success:
                    time.sleep(0.05)

        with Cliente(api.url, api_key=old) as client, pytest.raises(RefusedError) as caught:
            predict_file(client, source, target, rows=10, parallel=1, progress=revoke)
        assert caught.value.status == 401
        done = begun(target)
        assert 5 <= done < 20
        assert f"{done * 10} rows are predicted; run the same again" in str(caught.value)
        with Cliente(api.url, api_key=new) as client:
            sent = counting(client)
            assert predict_file(client, source, target, rows=10).rows == 200
    assert len(sent) == 20 - done
    assert names(target.parent) == ["previsoes.csv"]


def begun(target: Path) -> int:
    """How many batches are done."""
    return target.with_name(f".{target.name}.journal").read_text().count("\n") - 1


def counting(client: Cliente) -> list[bytes]:
    """The bodies of the batches that the client sends from now on."""
    sent, send = [], client.send_batch

    def noted(body: bytes, *others: Any) -> bytes:
        sent.append(body)
        return send(body, *others)

    client.send_batch = noted  # type: ignore[method-assign]
    return sent


@pytest.mark.parametrize(
    ("status", "left"),
    [(status, []) for status in (400, 413, 415, 422)]
    + [(status, [".out.csv.journal", ".out.csv.part"]) for status in (401, 403, 404, 406, 408, 429, 431)],
)
def test_only_a_refusal_of_the_content_itself_forgets_what_was_predicted(
    served: Api, tmp_path: Path, status: int, left: list[str]
) -> None:
    source = twenty_batches(tmp_path)
    with Cliente(served.url) as client:
        send = client.send_batch

        def refused_midway(body: bytes, *others: Any) -> bytes:
            if b"120" in body:
                raise RefusedError("No", status=status)
            return send(body, *others)

        client.send_batch = refused_midway  # type: ignore[method-assign]
        with pytest.raises(RefusedError) as caught:
            predict_file(client, source, tmp_path / "out.csv", rows=10)
    assert ("run the same again" in str(caught.value)) == bool(left)
    assert names(tmp_path) == [*left, "casas.csv"]


def test_a_client_whose_file_failed_is_as_patient_as_before(served: Api, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("Living Area,City,Kind\n120,1,b\n1,1\n")
    with busy(served, 2, "1") as (url, came), Cliente(served.url) as client:
        with pytest.raises(TableError, match="row 3: has 2 cells"):
            predict_file(client, tmp_path / "bad.csv", tmp_path / "out.csv", rows=1)
        client.url = url
        assert b"251.0" in client.send_batch(b"Living Area,City,Kind\n120,1,b\n", "text/csv")
    assert len(came) == 3


@contextmanager
def busy(api: Api, times: int, wait: str) -> Iterator[tuple[str, list[float]]]:
    """A door that turns the first callers away with Retry-After, and then lets them through to the API."""
    came: list[float] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(time.monotonic())
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(came) <= times:
                content = json.dumps({"detail": "busy"}).encode()
                self._answer(503, content, {"Retry-After": wait})
            else:
                kinds = {name: self.headers[name] for name in ("Content-Type", "Accept")}
                said = httpx.post(api.url + self.path, content=body, headers=kinds, trust_env=False)
                self._answer(said.status_code, said.content, {})

        def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()


def test_a_busy_api_is_asked_again_after_as_long_as_it_says(served: Api) -> None:
    body = b"Living Area,City,Kind\n120,1,b\n"
    with busy(served, 2, "1") as (url, came), Cliente(url) as client:
        assert b"251.0" in client.send_batch(body, "text/csv")
    assert [second - first >= 1 for first, second in pairwise(came)] == [True, True]
    with busy(served, 9, "60") as (url, came), Cliente(url, patience=1) as client:
        with pytest.raises(NotReadyError, match="busy"):
            client.send_batch(body, "text/csv")
        assert len(came) == 1


def test_json_lines_and_parquet_are_predicted_too(served: Api, tmp_path: Path) -> None:
    records = [{"Living Area": n, "Rate": None, "City": 1 + n % 3, "Kind": "ab"[n % 2]} for n in range(700)]
    (tmp_path / "in.jsonl").write_text("\n\n".join(map(json.dumps, records)) + '\n{"City": 9}\n')
    with Cliente(served.url) as api:
        report = predict_file(api, tmp_path / "in.jsonl", tmp_path / "out.jsonl", rows=100)
    assert (report.rows, report.failed) == (701, 1)
    assert report.errors[0][0] == 1400
    *lines, last = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert [line["prediction"] for line in lines] == [tiny_answer(record) for record in records]
    assert (last["prediction"], "City cannot be 9" in last["error"]) == (None, True)

    table = pa.Table.from_pylist(records).append_column("id", pa.array(range(700)))
    pq.write_table(table, tmp_path / "in.parquet")
    with Cliente(served.url) as api:
        report = predict_file(api, tmp_path / "in.parquet", tmp_path / "out.parquet", rows=100)
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.column_names == [*table.column_names, "prediction", "warnings", "error"]
    assert written.column("prediction").to_pylist() == [tiny_answer(record) for record in records]
    assert written.column("id").to_pylist() == list(range(700))
    assert names(tmp_path) == ["in.jsonl", "in.parquet", "out.jsonl", "out.parquet"]


def categories(count: int) -> pa.Table:
    """A table with categories for the model, others that are copied, and some within lists."""
    kinds = pa.array(["ab"[n % 2] for n in range(count)]).dictionary_encode()
    notes = pa.array([None if n % 7 == 0 else f"note {n}" for n in range(count)]).dictionary_encode()
    lists = pa.ListArray.from_arrays(range(count + 1), notes)
    known = {"Living Area": pa.array(range(count)), "City": pa.array([1] * count), "Kind": kinds}
    return pa.table({**known, "note": notes, "notes": lists})


def test_categories_of_a_parquet_file_are_predicted_and_copied(served: Api, tmp_path: Path) -> None:
    table = categories(700)
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=300)
    with Cliente(served.url) as api:
        report = predict_file(api, tmp_path / "in.parquet", tmp_path / "out.parquet", rows=100)
    written = pq.read_table(tmp_path / "out.parquet")
    assert (report.rows, report.failed) == (700, 0)
    assert written.select(table.column_names).to_pylist() == table.to_pylist()
    assert written.schema.field("note").type == table.schema.field("note").type
    answers = [tiny_answer(record) for record in table.select(["Living Area", "City", "Kind"]).to_pylist()]
    assert written.column("prediction").to_pylist() == answers
    assert names(tmp_path) == ["in.parquet", "out.parquet"]


def test_a_batch_has_no_categories_but_its_own(served: Api, tmp_path: Path) -> None:
    kinds = pa.array([f"kind {n}" for n in range(50_000)]).dictionary_encode()
    whole = pa.table({"Living Area": [1] * 50_000, "City": [1] * 50_000, "Kind": kinds})
    pq.write_table(whole, tmp_path / "in.parquet")
    with Cliente(served.url) as api:
        batch = next(ParquetSource(tmp_path / "in.parquet", api.model()).batches(100))
    assert len(batch.body) < 10_000


def test_a_parquet_file_that_is_broken_midway_leaves_nothing(served: Api, tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(categories(5000), source, row_group_size=1000)
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = b"?" * 4000
    source.write_bytes(content)
    with Cliente(served.url) as api, pytest.raises(TableError, match="cannot be read as Parquet"):
        predict_file(api, source, tmp_path / "out.parquet", rows=100)
    assert names(tmp_path) == ["in.parquet"]


def test_what_parquet_cannot_hold_is_told_and_leaves_nothing(
    served: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise pa.ArrowNotImplementedError("no such type")

    pq.write_table(categories(10), tmp_path / "in.parquet")
    monkeypatch.setattr(pq.ParquetWriter, "write_batch", failing)
    with Cliente(served.url) as api, pytest.raises(TableError, match="no such type; give it as a CSV"):
        predict_file(api, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert names(tmp_path) == ["in.parquet"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"City": 1}\n{"City"\n', "row 2: is not JSON"),
        ("a.jsonl", b"[1]\n", "row 1: is not a record"),
        ("a.jsonl", USABLE + b'{"prediction": 77}', "row 2: already has a column 'prediction'"),
        ("a.jsonl", USABLE + b'{"warnings": 1}', "row 2: already has a column 'warnings'"),
        ("a.jsonl", USABLE + b'\n{"error": ""}', "row 3: already has a column 'error'"),
        ("a.parquet", b"nonsense", "cannot be read as Parquet"),
        ("a.csv", None, "does not exist"),
    ],
)
def test_a_file_that_is_not_of_its_type_is_one_clear_message(
    served: Api, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)
    running = started(served, source, tmp_path / f"out{source.suffix}")
    _, error = running.communicate(timeout=60)
    assert running.returncode == 1
    assert said in error.decode()
    assert "Traceback" not in error.decode()
    assert names(tmp_path) == ([name] if content is not None else [])
