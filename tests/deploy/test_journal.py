"""releases.jsonl: only ever longer, readable after a crash, and it holds failures too."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esteira.deploy import journal
from esteira.deploy.facts import Release
from esteira.deploy.journal import Attempt
from esteira.settings import Settings


def entry(version: int, **facts: str) -> Release:
    return Release(
        when=datetime(2026, 1, 1, tzinfo=UTC),
        case="tiny",
        version=version,
        by="ana",
        outcome="live",
        step="switch",
        seconds=1.5,
        **facts,
    )


@pytest.fixture
def artefatos(tmp_path: Path) -> Path:
    (tmp_path / "tiny").mkdir()
    return tmp_path


def test_releases_are_read_back_in_the_order_in_which_they_were_recorded(artefatos: Path):
    for version in (1, 2):
        journal.record(artefatos, entry(version))
    assert journal.releases(artefatos, "tiny") == [entry(1), entry(2)]
    assert journal.releases(artefatos, "unknown") == []


def test_a_line_torn_by_a_crash_costs_only_itself(artefatos: Path):
    path = artefatos / "tiny" / "releases.jsonl"
    journal.record(artefatos, entry(1))
    path.write_bytes(path.read_bytes() + b'{"when":"2026-01-01T00:0')
    assert journal.releases(artefatos, "tiny") == [entry(1)]
    journal.record(artefatos, entry(2))
    assert journal.releases(artefatos, "tiny") == [entry(1), entry(2)]


def test_writers_at_once_lose_no_line(artefatos: Path):
    threads = [
        threading.Thread(target=journal.record, args=(artefatos, entry(version, reason="x" * 5000)))
        for version in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found.version for found in journal.releases(artefatos, "tiny")) == list(range(40))


def test_a_step_that_fails_is_recorded_whatever_ended_it(artefatos: Path):
    settings = Settings(ARTEFATOS_PATH=artefatos)
    with pytest.raises(KeyboardInterrupt), Attempt("start", settings, "tiny", 3):
        raise KeyboardInterrupt
    (failed,) = journal.releases(artefatos, "tiny")
    assert (failed.outcome, failed.step, failed.version, failed.reason) == (
        "failed",
        "start",
        3,
        "KeyboardInterrupt",
    )
