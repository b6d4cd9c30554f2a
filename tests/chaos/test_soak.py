"""Half an hour of load, good requests and bad ones, and a million of them: memory does not grow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from figures import Figures, count
from ground import FULL

from benchmarks.rows import Row, at_most
from tests.apis import serving
from tests.rents import rents_bundle
from tests.soaking import Soaked

MINUTES = float(os.environ.get("ESTEIRA_SOAK_MINUTES", 30 if FULL else 0.2))
WARM = 0.15
"""Share of the time after which memory is looked at first: caches and arenas are full then."""
MOST_MB = 4.0
LEAST = 1_000_000 if MINUTES >= 30 else 1


def megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


@pytest.mark.timeout(7200)
def test_soak_memory_does_not_grow(tmp_path: Path, figures: Figures) -> None:
    rents_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", case="rents") as api:
        process = psutil.Process(api.process.pid)
        words = [sys.executable, "-m", "tests.soaking", api.url, str(MINUTES * 60)]
        clients = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        time.sleep(MINUTES * 60 * WARM)
        begun, seen = megabytes(process), [megabytes(process)]
        while clients.poll() is None:
            seen.append(megabytes(process))
            time.sleep(min(5, MINUTES * 6))
        soaked = Soaked.model_validate_json(clients.communicate()[0])
        ended = sum(seen[-3:]) / len(seen[-3:])
        assert api.stop() == 0
    figures.add(
        "soak",
        count(
            f"answers that are not as they should be, in {MINUTES:g} minutes", soaked.wrong, soaked.requests
        ),
        Row(
            what="requests",
            figure=f"{soaked.requests:,}",
            target=f"≥ {LEAST:,}",
            met=soaked.requests >= LEAST,
        ),
        at_most(
            "memory (RSS) at the end, over that after the first minutes", ended - begun, MOST_MB, "{:.1f} MB"
        ),
        Row(what="memory (RSS): most", figure=f"{max(seen):.0f} MB", target="", met=True),
    )
    assert soaked.wrong == 0
    assert soaked.requests >= LEAST
    if MINUTES >= 2:
        assert ended - begun <= MOST_MB
