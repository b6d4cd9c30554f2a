"""A benchmark's own folder and ports, and the certainty that nothing of it stays."""

import shutil
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from esteira.deploy import engine, live
from esteira.deploy.facts import home_id
from esteira.settings import PROJECT, Settings
from esteira.stack import services


def folder_of(benchmark: str) -> Path:
    """The same folder each time, so that a run can remove what a killed one left there."""
    private = PROJECT / ".esteira"
    private.mkdir(mode=0o700, exist_ok=True)
    return private / "benchmarks" / benchmark


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def clear(now: Settings, folder: Path) -> None:
    """End the API and the services of a home, and remove its images and the benchmark's folder.

    Each part is tried, whatever becomes of the others.
    """
    with ExitStack() as parts:
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        parts.callback(_remove_images, now)
        parts.callback(services.down, now)
        parts.callback(live.stop, None, now)


def heed_sigterm() -> None:
    """Let SIGTERM end this process as an exception does, so that everything that it started is cleared."""
    signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


def _remove_images(now: Settings) -> None:
    client = engine.connect()
    with engine.engine_does("remove the benchmark's images"):
        label = f"esteira.home={home_id(now)}"
        for image in client.images.list(filters={"label": label}):
            client.images.remove(str(image.id), force=True)
    client.close()
