"""A real gateway with tiny instances behind it, for the tests of what watches live traffic."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import docker
import httpx

from esteira.deploy import context, port
from esteira.deploy.gateway.folders import reachable
from esteira.deploy.traffic import Seen, Traffic

CASE = "flats"
QUESTION = {"area": 70}
OLD, NEW = "v1-aaaaaaaa", "v2-bbbbbbbb"
_HOLDING = ["python", "-ISB", "/etc/esteira/hold.py"]
_ADMIN, _API = "/run/esteira/admin", "/run/esteira/api"

Behaviour = Callable[[bytes], tuple[int, dict[str, object]] | None]
"""What an instance answers to a question; None is that it hangs up."""


def right(_: bytes) -> tuple[int, dict[str, object]]:
    return 200, {"prediction": 1.0}


def wrong(_: bytes) -> tuple[int, dict[str, object]]:
    return 500, {"detail": "out of order"}


def silent(_: bytes) -> None:
    return None


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, *_: object) -> None:
        """The gateway's health checks hang up early."""


class Instance:
    """An API of one word, on a Unix socket; healthy whatever it answers."""

    def __init__(self, path: Path, behaviour: Behaviour) -> None:
        path.unlink(missing_ok=True)
        self.behaviour = behaviour
        self.questions: list[bytes] = []
        self.connections: list[socket.socket] = []
        with reachable(path) as name:
            self._server = _Server(name, _handler(self))
        path.chmod(0o666)
        self._path = path
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def end(self) -> None:
        """As after a kill: nobody listens, and every connection is cut."""
        self._path.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        for one in self.connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _handler(instance: Instance) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            instance.connections.append(self.connection)

        def do_GET(self) -> None:
            self._answer(200, {"status": "ready"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            instance.questions.append(body)
            said = instance.behaviour(body)
            if said is None:
                self.close_connection = True
            else:
                self._answer(*said)

        def _answer(self, status: int, content: dict[str, object]) -> None:
            sent = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None: ...

    return Handler


class Door:
    """The project's gateway image, running with one case behind it."""

    def __init__(self, client: docker.DockerClient, folder: Path) -> None:
        self.admin, self._api = folder / "admin", folder / "api"
        for one in (self.admin, self._api):
            one.mkdir(parents=True)
            one.chmod(0o777)
        self._instances: dict[str, Instance] = {}
        self._client = httpx.Client(trust_env=False, timeout=20)
        self.port = port.spare()
        self._lines({OLD: 50, NEW: 50})
        image, told = _image(client), {"DEFAULT_CASE": CASE}
        volumes = {str(self.admin): {"bind": _ADMIN}, str(self._api): {"bind": _API}}
        self._holder = client.containers.create(
            image, _HOLDING, ports={"8000/tcp": ("127.0.0.1", self.port)}, volumes=volumes, init=True
        )
        self.container = client.containers.create(
            image, network_mode="none", environment=told, volumes=volumes, init=True
        )

    def start(self) -> None:
        self._holder.start()
        self.container.start()
        until(lambda: "Pid:" in self.tell("show info"))

    def _lines(self, weights: dict[str, int]) -> None:
        servers = [f"    server {name} unix@{_API}/{name}.sock weight {of}" for name, of in weights.items()]
        (self.admin / "cases.cfg").write_text("\n".join([f"backend {CASE}", *servers, ""]))

    def serve(self, **behaviours: Behaviour) -> dict[str, Instance]:
        """Put these instances, and no others, behind it: `old` and `new`."""
        self.end_instances()
        for which, behaviour in behaviours.items():
            name = {"old": OLD, "new": NEW}[which]
            self._instances[which] = Instance(self.socket(name), behaviour)
        for which, name in (("old", OLD), ("new", NEW)):
            self.tell(f"set server {CASE}/{name} state {'ready' if which in behaviours else 'maint'}")
            self.tell(f"set server {CASE}/{name} health up")
        self.tell("clear counters all")
        return self._instances

    def end_instances(self) -> None:
        for one in self._instances.values():
            one.end()
        self._instances.clear()

    def ask(self, path: str = "/predict", content: bytes | None = None) -> httpx.Response:
        body = json.dumps(QUESTION).encode() if content is None else content
        url = f"http://127.0.0.1:{self.port}{path}"
        return self._client.post(url, content=body)

    def tell(self, command: str, which: str = "admin") -> str:
        try:
            with socket.socket(socket.AF_UNIX) as talk, reachable(self.admin / f"{which}.sock") as path:
                talk.connect(path)
                talk.sendall(f"{command}\n".encode())
                talk.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: talk.recv(65536), b"")).decode()
        except OSError:
            return ""

    def copy(self, case: str, percent: int) -> None:
        path = f"{_ADMIN}/shadow.map"
        self.tell(f"del map {path} {case}")
        if percent:
            self.tell(f"add map {path} {case} {percent}")

    def socket(self, name: str) -> Path:
        return self._api / f"{name}.sock"

    def reload(self) -> None:
        before = self.tell("show info")
        self.tell("reload", "master")
        until(lambda: _pid(self.tell("show info")) not in ("", _pid(before)))

    def close(self) -> None:
        self.end_instances()
        self._client.close()
        self.container.remove(force=True, v=True)
        self._holder.remove(force=True, v=True)


def seen(traffic: Traffic, count: int) -> list[Seen]:
    """What was seen, once it is `count` requests."""
    found: list[Seen] = []
    until(lambda: found.extend(traffic.read(0.05)) or len(found) >= count)
    return found


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


@contextmanager
def callers(door: Door, many: int = 4) -> Iterator[list[int]]:
    """Clients that ask all the time; the statuses that they got."""
    statuses: list[int] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            statuses.append(door.ask().status_code)

    threads = [threading.Thread(target=call) for _ in range(many)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _pid(info: str) -> str:
    return next((line for line in info.splitlines() if line.startswith("Pid:")), "")


def _image(client: docker.DockerClient) -> str:
    files = context.tar(context.gateway_files())
    image, _ = client.images.build(fileobj=files, custom_context=True, target="gateway", rm=True)
    return str(image.id)
