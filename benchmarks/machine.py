"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from esteira.deploy import engine
from esteira.deploy.errors import EngineError

PACKAGES = (
    "pandas",
    "scikit-learn",
    "numpy",
    "duckdb",
    "ibis-framework",
    "apache-airflow",
    "mlflow",
    "fastapi",
    "uvicorn",
    "onnxruntime",
)
"""The rivals' packages and our own, which are the same ones."""


class Machine(BaseModel):
    """Figures of two different machines are never shown in one table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    cores: int
    memory_gb: int
    system: str

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, {self.memory_gb} GB, {self.system}"


def here() -> Machine:
    """This machine."""
    return Machine(
        cpu=_cpu(),
        cores=psutil.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30),
        system=f"{_distribution()}{platform.system()} {_kernel()}",
    )


def versions() -> Mapping[str, str]:
    """Python's, Docker's and the packages' versions."""
    return {
        "Python": platform.python_version(),
        "Docker": _docker(),
        **{package: version(package) for package in PACKAGES},
    }


def _cpu() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _kernel() -> str:
    """Its version without the name of its build, which says nothing of how fast it is."""
    return platform.release().partition("-")[0]


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"] + ", "
    except OSError:
        return ""


def _docker() -> str:
    try:
        client = engine.connect()
    except EngineError:
        return "none"
    with engine.engine_does("tell its version"):
        found = str(client.version()["Version"])
    client.close()
    return found
