"""A second Docker engine: it can be ended without harm to what others run on the first."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import docker
from ground import wait_for

from needs import missing

_BRIDGE, _NETWORK = "chaos0", "10.213.77.1/24"


class Engine:
    """It has folders, a socket and a bridge of its own, and leaves the machine's packet filter alone."""

    def __init__(self) -> None:
        if os.getuid() != 0 or shutil.which("dockerd") is None:
            missing("a second Docker engine needs root and dockerd")
        self._root = Path(tempfile.mkdtemp(prefix="esteira-engine-"))
        self.host = f"unix://{self._root}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("address", "add", _NETWORK, "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")

    def start(self) -> None:
        words = {
            "data-root": self._root / "data",
            "exec-root": self._root / "exec",
            "pidfile": self._root / "pid",
            "host": self.host,
            "bridge": _BRIDGE,
            "iptables": "false",
            "ip-masq": "false",
            "ip-forward": "false",
            "containerd-namespace": "esteira-chaos",
            "containerd-plugins-namespace": "esteira-chaos-plugins",
        }
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", *(f"--{name}={value}" for name, value in words.items())],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self._answers)

    def end(self) -> None:
        """As the system's service manager ends it: its containers are stopped with it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def give(self, images: list[str]) -> None:
        """Copy images of the first engine, by name."""
        save = subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE)
        subprocess.run(["docker", "--host", self.host, "load", "--quiet"], stdin=save.stdout, check=True)
        assert save.wait() == 0

    def clear(self) -> None:
        self.end()
        _ip("link", "delete", _BRIDGE)
        shutil.rmtree(self._root)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._root / "log").read_text()[-2000:]
        try:
            docker.DockerClient(base_url=self.host).ping()
        except docker.errors.DockerException:
            return False
        return True


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
