"""What the proxy asks an engine, and what it says when it is not to ask, seen with an engine that is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from esteira.deploy.hardening import HARDENED
from esteira.engineproxy.engine import Engine
from esteira.engineproxy.proxy import Proxy

HOME = "home"
OURS = {"Id": "sha256:1", "Config": {"Labels": {"esteira.home": HOME}}}
CONFINED = {
    "NetworkMode": "none",
    "CapDrop": ["ALL"],
    "SecurityOpt": ["no-new-privileges:true"],
    "ReadonlyRootfs": True,
    "Memory": 2**20,
    "MemorySwap": 2**20,
    "PidsLimit": 10,
}
Answer = Callable[[httpx.Request], httpx.Response]


async def _streamed(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Asked:
    """The proxy in front of something that answers as it is told, and what reached that."""

    def __init__(self, patch: pytest.MonkeyPatch, answer: Answer) -> None:
        self.seen: list[str] = []
        self._answer = answer
        patch.setattr(httpx, "AsyncHTTPTransport", lambda **_: httpx.MockTransport(self._engine))
        self._proxy = Proxy(Engine("/nowhere/docker.sock", HOME), "volume")

    def _engine(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {request.url.raw_path.decode()}")
        answer = self._answer(request)
        return httpx.Response(answer.status_code, content=_streamed(answer.content))

    def ask(self, method: str, target: str, body: Any = None) -> tuple[int, str]:
        """The status and the text that the proxy answers."""
        return asyncio.run(self._asked(method, target, b"" if body is None else json.dumps(body).encode()))

    async def _asked(self, method: str, target: str, body: bytes) -> tuple[int, str]:
        path, _, query = target.partition("?")
        coming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if not coming:
                await asyncio.sleep(60)
            return coming.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "query_string": query.encode(),
        }
        await self._proxy(scope, receive, send)
        return sent[0]["status"], b"".join(one.get("body", b"") for one in sent).decode()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """One that knows every container and image as this home's."""
    return Asked(monkeypatch, lambda _: httpx.Response(200, json=OURS))


def creation(image: str = "esteira-x:v1", **confined: Any) -> dict[str, Any]:
    return {"Image": image, "Labels": {"esteira.home": HOME}, "HostConfig": {**CONFINED, **confined}}


CREATE = "/v1.41/containers/create?name=esteira-x"


@pytest.mark.parametrize(
    "image",
    [
        "../containers/other/json?x=",
        "a/../../containers/other/json?",
        "..%2fcontainers/other",
        "./x",
        "x/./y",
        "x//y",
        "/x",
        "x?y",
        "x#y",
        "x y",
        "x\n",
        "",
    ],
)
def test_an_image_whose_name_leads_elsewhere_is_refused_before_the_engine_is_asked(
    engine: Asked, image: str
) -> None:
    status, said = engine.ask("POST", CREATE, creation(image))
    assert (status, engine.seen) == (400, [])
    assert "cannot be the name of one of the images" in said


@pytest.mark.parametrize(
    "image", ["esteira-x:v1", "sha256:0f0f", "reg.example:5000/a/b_c--d:v1.2", "x@sha256:0f"]
)
def test_an_images_name_reaches_the_engine_as_it_is(engine: Asked, image: str) -> None:
    assert engine.ask("POST", CREATE, creation(image))[0] == 200
    assert engine.seen[0] == f"GET /images/{image}/json"


@pytest.mark.parametrize("path", ["/images/./json", "/containers/./json", "/containers/-/json"])
def test_a_path_whose_name_leads_elsewhere_is_refused_too(engine: Asked, path: str) -> None:
    assert (engine.ask("GET", path)[0], engine.seen) == (400, [])


@pytest.mark.parametrize(
    "options",
    [
        "noexec,nosuid,nodev",
        "noexec,nosuid,nodev,size=900g",
        "noexec,nosuid,nodev,size=513m",
        "noexec,nosuid,nodev,size=0",
        "noexec,nosuid,nodev,size=50%",
        "noexec,nosuid,nodev,size=1m,size=900g",
        "noexec,nosuid,nodev,size=1m,exec",
        "noexec,nosuid,nodev,size=1m,suid",
        "noexec,nosuid,nodev,dev,size=1m",
        "noexec,nosuid,nodev,size=1m,nr_inodes=0",
        "",
    ],
)
def test_a_tmp_that_is_not_bounded_or_lets_run_what_lies_in_it_is_refused(
    engine: Asked, options: str
) -> None:
    status, said = engine.ask("POST", CREATE, creation(Tmpfs={"/tmp": options}))  # noqa: S108
    assert (status, engine.seen) == (403, [])
    assert "HostConfig.Tmpfs./tmp: needs" in said


def test_the_tmp_that_a_release_asks_for_is_allowed(engine: Asked) -> None:
    assert engine.ask("POST", CREATE, creation(Tmpfs=HARDENED["tmpfs"]))[0] == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1.41/containers/json?filters=[1]"),
        ("GET", "/v1.41/containers/json?filters=1"),
        ("GET", '/v1.41/images/json?filters={"label":1}'),
        ("POST", '/v1.41/build?t=esteira-a:v1&target=api&buildargs=["CASE"]'),
        ("POST", "/v1.41/build?t=esteira-a:v1&target=api&buildargs=null"),
    ],
)
def test_a_parameter_of_another_kind_is_answered_with_400(engine: Asked, method: str, target: str) -> None:
    status, said = engine.ask(method, target)
    assert (status, engine.seen) == (400, [])
    assert "filters" in said or "buildargs" in said


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(301, text="moved"),
        httpx.Response(500, text="<html>"),
        httpx.Response(200, json=[OURS]),
        httpx.Response(200, json={"Config": OURS["Config"]}),
    ],
)
def test_an_answer_that_is_no_engines_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response
) -> None:
    asked = Asked(monkeypatch, lambda _: answer)
    status, said = asked.ask("GET", "/v1.41/containers/x/json")
    assert status == 502
    assert "What answers in the Docker engine's place is not understood" in said
