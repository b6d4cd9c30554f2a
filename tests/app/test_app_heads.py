"""What every answer's head says, so that it is safe to handle, and how a request is told apart in the log."""

from __future__ import annotations

import json
import re
import resource
import time
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.apis import serving
from tests.bundles import tiny_bundle

RECORD = {"Living_Area": 120, "City": 1, "Kind": "b"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "path", ["/predict", "/model", "/docs", "/openapi.json", "/metrics", "/nowhere", "/check"]
)
def test_every_answer_is_safe_to_handle(http: httpx.Client, path: str) -> None:
    headers = (http.post(path, json=RECORD) if path == "/predict" else http.get(path)).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("cache-control") == ["no-store"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert headers.get_list("x-frame-options") == ["DENY"]
    (policy,) = headers.get_list("content-security-policy")
    assert "frame-ancestors 'none'" in policy
    assert ("default-src 'none'" in policy) == (path != "/docs")
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/check", "/health/live", "/metrics", "/docs", "/model", "/ping"])
def test_head_is_answered_as_get_is_without_the_body(http: httpx.Client, path: str) -> None:
    asked, got = http.head(path), http.get(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]
    assert f'http_requests_total{{route="{path}",status="200"}}' in http.get("/metrics").text


def test_the_documentation_may_run_its_own_script_and_no_other(http: httpx.Client) -> None:
    page = http.get("/docs")
    (policy,) = page.headers.get_list("content-security-policy")
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert re.search(r"script-src [^;]*unsafe", policy) is None


def test_files_of_the_documentation_are_kept_by_browsers(http: httpx.Client) -> None:
    assert http.get("/docs/swagger-ui.css").headers.get_list("cache-control") == ["max-age=86400"]


def test_a_continued_request_gets_its_head_once(http: httpx.Client) -> None:
    headers = {"Expect": "100-continue", "Content-Type": "application/json"}
    response = http.post("/predict", content=json.dumps(RECORD), headers=headers)
    assert (response.status_code, response.headers["x-content-type-options"]) == (200, "nosniff")


def test_a_trace_comes_back(http: httpx.Client) -> None:
    headers = http.post("/predict", json=RECORD, headers={"Traceparent": TRACEPARENT}).headers
    assert headers["x-request-id"] == TRACE
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-00", headers["traceresponse"])


@pytest.mark.parametrize(
    ("name", "value", "back"),
    [
        ("X-Request-Id", "order-17", "order-17"),
        ("X-Request-Id", "two words", None),
        ("X-Request-Id", "x" * 65, None),
        ("traceparent", f"00-{'0' * 32}-b7ad6b7169203331-01", None),
        ("traceparent", f"ff-{TRACE}-b7ad6b7169203331-01", None),
        ("traceparent", "nonsense", None),
        ("traceparent", f"{TRACEPARENT}-more", None),
        ("traceparent", f"01{TRACEPARENT[2:]}-more", TRACE),
    ],
)
def test_only_what_can_be_a_number_comes_back(
    http: httpx.Client, name: str, value: str, back: str | None
) -> None:
    response = http.post("/predict", json=RECORD, headers={name: value})
    assert response.status_code == 200
    assert response.headers.get("x-request-id") == back


def test_the_log_is_json_with_a_line_for_each_request_where_that_is_asked_for(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", LOG_FORMAT="json", API_LOG_REQUESTS="true") as api:
        headers = {"traceparent": TRACEPARENT}
        httpx.post(f"{api.url}/predict", json=RECORD, headers=headers, trust_env=False)
        httpx.get(f"{api.url}/a%0Ab?secret=1", trust_env=False)
        assert api.stop() == 0
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    assert {"Serving", "Finished"} <= {line["message"].split()[0] for line in lines}
    asked, unknown = [line for line in lines if line["message"] == "request" and "health" not in line["path"]]
    assert (asked["request_id"], asked["method"], asked["path"]) == (TRACE, "POST", "/predict")
    assert (asked["status"], asked["level"]) == (200, "info")
    assert asked["milliseconds"] < 1000
    assert (unknown["path"], unknown["status"]) == ("/a\nb", 404)
    assert len(unknown["request_id"]) == 32
    assert "Living_Area" not in api.log.read_text()


def test_a_line_holds_what_was_sent_only_where_that_is_asked_for(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    told = {"LOG_FORMAT": "json", "API_LOG_REQUESTS": "true", "API_LOG_BODIES": "true"}
    many = json.dumps([RECORD] * 1_000)
    with serving(tmp_path / "artefatos", **told) as api:
        httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False)
        httpx.post(f"{api.url}/predict", content=b"\xff{", trust_env=False)
        httpx.post(f"{api.url}/predict/batch", content=many, trust_env=False).raise_for_status()
        assert api.stop() == 0
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    one, odd, batch = [line["body"] for line in lines if line.get("path", "").startswith("/predict")]
    assert json.loads(one) == RECORD
    assert odd == "\\xff{"
    assert batch == many[:10_000]


def test_what_was_sent_cannot_look_like_another_line_of_the_log(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    told = {"LOG_FORMAT": "text", "API_LOG_REQUESTS": "true", "API_LOG_BODIES": "true"}
    forged = '{"Kind":"é"}\n2030-01-01T00:00:00.000Z ERROR forged\x1b[31m'
    with serving(tmp_path / "artefatos", **told) as api:
        httpx.post(f"{api.url}/predict", content=forged.encode(), trust_env=False)
        httpx.get(f"{api.url}/a%0Ab", trust_env=False)
        assert api.stop() == 0
    lines = api.log.read_text().splitlines()
    assert [line for line in lines if "forged" in line and line.startswith("2030")] == []
    assert [
        line
        for line in lines
        if line.endswith('body={"Kind":"é"}\\n2030-01-01T00:00:00.000Z ERROR forged\\x1b[31m')
    ]
    assert [line for line in lines if "path=/a\\nb" in line]


def test_a_log_that_cannot_be_written_does_not_end_the_api(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", API_LOG_REQUESTS="true") as api:
        resource.prlimit(api.process.pid, resource.RLIMIT_FSIZE, (0, 0))  # as if the disk were full
        for _ in range(3):
            assert httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False).status_code == 200
            time.sleep(1)
        assert api.process.poll() is None
        assert "path=/predict" not in api.log.read_text()


def test_requests_that_go_well_are_not_logged_by_default(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos") as api:
        httpx.post(f"{api.url}/predict", json=RECORD, trust_env=False)
        assert api.stop() == 0
    assert "/predict" not in api.log.read_text()
