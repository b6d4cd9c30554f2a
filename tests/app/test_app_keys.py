"""Who may ask: nobody is asked on 127.0.0.1, everybody where others can reach the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from app import keys
from cliente import Cliente, RefusedError
from esteira import apikeys
from tests.apis import Api, free_port, launch, serving
from tests.bundles import tiny_bundle
from tests.cli.test_cli import esteira

EVERYWHERE = "0.0.0.0"  # noqa: S104
RECORD = {"Living_Area": 120, "City": 1, "Kind": "b"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def key(home: Path) -> str:
    return apikeys.add(home, "shop", None)


@pytest.fixture(scope="module")
def api(home: Path, key: str) -> Iterator[Api]:
    """An API that others can reach."""
    tiny_bundle(home / "artefatos")
    with serving(home / "artefatos", API_HOST=EVERYWHERE, API_KEYS_FILE=str(apikeys.path(home))) as running:
        yield running


def ask(api: Api, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{api.url}/predict", json=RECORD, headers=named, trust_env=False)


def test_who_has_a_key_is_answered_however_it_is_sent(api: Api, key: str) -> None:
    assert ask(api, Authorization=f"Bearer {key}").json()["prediction"] == 251
    assert ask(api, Authorization=f"bearer  {key}").status_code == 200
    assert ask(api, X_API_Key=key).status_code == 200
    auth = httpx.BasicAuth("anybody", key)
    assert httpx.get(f"{api.url}/docs", auth=auth, trust_env=False).status_code == 200


def test_a_browser_asks_for_the_key_and_the_page_works_with_it(browser: Browser, api: Api, key: str) -> None:
    context = browser.new_context(http_credentials={"username": "anybody", "password": key})
    page = context.new_page()
    response = page.goto(api.url)
    assert response is not None
    assert response.status == 200
    page.locator("#why data").first.wait_for()
    assert float(page.locator("#prediction").get_attribute("value") or 0) > 0
    context.close()


def test_the_client_sends_the_key(api: Api, key: str) -> None:
    with Cliente(api.url, api_key=key) as client:
        assert client.predict(RECORD).prediction == 251
    with Cliente(api.url) as client, pytest.raises(RefusedError, match="Send an API key"):
        client.predict(RECORD)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_API_Key": "esteira_guess"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
        {"X_API_Key": "x" * 5000},
    ],
)
def test_nobody_else_is(api: Api, headers: dict[str, str]) -> None:
    response = ask(api, **headers)
    assert response.status_code == 401
    assert response.json()["type"] == "/problems/api-key-needed"
    assert "Bearer " in response.headers["www-authenticate"]
    assert "whoever runs this api" in response.json()["detail"].lower()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/check", 200),
        ("/problems/api-key-needed", 200),
        ("/model", 401),
        ("/metrics", 401),
        ("/docs", 401),
        ("/openapi.json", 401),
        ("/docs/swagger-ui.css", 401),
        ("/nowhere", 401),
        ("//model", 401),
        ("/health/../model", 401),
    ],
)
def test_only_what_tells_nothing_is_open(api: Api, path: str, status: int) -> None:
    assert httpx.get(httpx.URL(api.url, path=path), trust_env=False).status_code == status


def test_the_documentation_says_how_a_key_is_sent(api: Api, key: str) -> None:
    described = httpx.get(f"{api.url}/openapi.json", headers={"X-API-Key": key}, trust_env=False).json()
    assert {"bearer", "header"} == set(described["components"]["securitySchemes"])
    assert "401" in described["paths"]["/predict"]["post"]["responses"]
    assert "401" not in described["paths"]["/health/live"]["get"]["responses"]


def test_a_key_is_revoked_and_another_added_without_a_restart(api: Api, home: Path) -> None:
    other = apikeys.add(home, "other", None)
    _until(lambda: ask(api, X_API_Key=other).status_code == 200)
    apikeys.revoke(home, "other")
    _until(lambda: ask(api, X_API_Key=other).status_code == 401)


def test_a_file_that_breaks_lets_in_whom_it_let_in(api: Api, home: Path, key: str) -> None:
    before = apikeys.path(home).read_bytes()
    apikeys.path(home).write_text("{")
    _until(lambda: "the keys stay as they were" in api.log.read_text())
    assert ask(api, X_API_Key=key).status_code == 200
    apikeys.path(home).unlink()
    _until(lambda: ask(api, X_API_Key=key).status_code == 401)
    apikeys.path(home).write_bytes(before)
    _until(lambda: ask(api, X_API_Key=key).status_code == 200)


def test_a_revoked_key_is_gone_also_where_the_file_could_not_be_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = apikeys.add(tmp_path, "shop", None)
    apikeys.add(tmp_path, "till", None)
    known = keys.Keys(apikeys.path(tmp_path))
    apikeys.revoke(tmp_path, "shop")
    with monkeypatch.context() as broken:
        broken.setattr(keys, "_read", _no_file_left)
        known.refresh()
    assert known.find(key) is not None
    known.refresh()
    assert known.find(key) is None


def _no_file_left(path: Path) -> keys.Entries:
    raise OSError(24, "Too many open files", str(path))


def test_a_key_may_ask_as_often_as_its_rate_allows(api: Api, home: Path) -> None:
    slow = apikeys.add(home, "slow", 3)
    _until(lambda: ask(api, X_API_Key=slow).status_code == 200)
    time.sleep(1.1)
    begun = time.monotonic()
    answers = [ask(api, X_API_Key=slow) for _ in range(20)]
    allowed = 3 + 3 * (time.monotonic() - begun)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 3 <= len(answers) - len(refused) <= allowed
    assert refused
    assert answers[0].headers["ratelimit-policy"] == '"key";q=3;w=1'
    assert answers[0].headers["ratelimit"] == '"key";r=2;t=1'
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["type"] == "/problems/rate-exceeded"
    assert refused[0].headers["ratelimit"].startswith('"key";r=0;')
    time.sleep(int(refused[-1].headers["retry-after"]))
    assert ask(api, X_API_Key=slow).status_code == 200


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"API_HOST": EVERYWHERE}, "API_HOST=0.0.0.0 can be reached by others, and there are no API keys"),
        ({"API_HOST": "::"}, "esteira keys add NAME"),
        ({"API_KEYS_FILE": "/nowhere/keys.json"}, "No such file or directory"),
    ],
)
def test_it_does_not_start_where_anybody_could_ask(tmp_path: Path, told: dict[str, str], said: str) -> None:
    tiny_bundle(tmp_path / "artefatos")
    api = launch(tmp_path / "artefatos", tmp_path / "log", free_port(), **told)
    assert api.process.wait(30) == 2
    assert said in api.log.read_text()
    assert "Traceback" not in api.log.read_text()


def test_it_starts_where_something_else_checks_callers(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", API_HOST=EVERYWHERE, API_KEYS="off") as api:
        assert ask(api).status_code == 200


def test_the_command_line_makes_lists_and_revokes_keys(tmp_path: Path) -> None:
    told = {"ESTEIRA_HOME": str(tmp_path)}
    made = esteira("keys", "add", "shop", "--rate", "50/s", **told)
    key = made.stdout.strip()
    assert made.returncode == 0
    assert key.startswith("esteira_")
    assert f"API_KEYS_FILE={apikeys.path(tmp_path)}" in made.stderr
    listed = esteira("keys", "list", **told).stdout
    assert "shop" in listed
    assert "50/s" in listed
    assert key not in listed
    assert "revoked" in esteira("keys", "revoke", "shop", **told).stdout
    assert "no API key" in esteira("keys", "list", **told).stdout
    wrong = esteira("keys", "add", "shop", "--rate", "often", **told)
    assert wrong.returncode != 0
    assert "Traceback" not in wrong.stderr
    assert esteira("keys", "revoke", "shop", **told).returncode == 1


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
