"""Whatever stops a cleaning, nothing half written has a final name and the next run succeeds."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from esteira.data.workspace import DiskFullError, locked, opened
from needs import missing

ROWS = 120_000
CHILD = """
import sys
from pathlib import Path
from esteira import casefile
from esteira.data.clean import clean
from esteira.data.raw import find
from esteira.errors import EsteiraError
from esteira.settings import Settings
folder = Path(sys.argv[1])
places = {"CASOS_PATH": "casos", "RAW_DATA_PATH": "raw", "PROCESSED_DATA_PATH": "processed"}
settings = Settings(**{name: folder / place for name, place in places.items()})
case = casefile.load(settings.CASOS_PATH, "flats")
try:
    print(clean(case, find(case, settings), settings).rows_out)
except EsteiraError as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def full_bench(bench, csv):
    bench.put(
        csv(
            [
                f"{place % 1000 + 1},{place % 3 + 1},flat,{place},{place * 7919 % 9973}"
                for place in range(ROWS)
            ]
        )
    )
    bench.case(("train:", "clean: [drop_duplicates]\ntrain:"))
    return bench


def started(bench, largest_file=None):
    def limit():
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    library = Path(__file__).resolve().parents[2] / "plugins"
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(bench.folder)],
        env={**os.environ, "PYTHONPATH": str(library)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=limit,
    )


def answer_of(process):
    return process.communicate(timeout=120)[0].strip()


def names_in(folder):
    return sorted(
        path.name.split(".", 1)[-1] for path in folder.iterdir() if not path.name.startswith(".lock")
    )


WHOLE = sorted(["parquet", "rejected.parquet", "report.html", "report.json"])


def wait_for(bench, moment, process):
    deadline = time.monotonic() + 60
    while not list(bench.processed.glob(f".work-*/{moment}")):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"There was never a {moment}: {answer_of(process)}")


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("moment", ["raw0.csv", "rejected", "dataset", "report"])
def test_a_cleaning_killed_midway_leaves_no_dataset_and_the_next_succeeds(full_bench, moment):
    process = started(full_bench)
    wait_for(full_bench, "raw0.csv", process)
    with locked(full_bench.processed):
        wait_for(full_bench, moment, process)
        kill(process)
        assert not list(full_bench.processed.glob("*.parquet"))
    assert answer_of(started(full_bench)) == str(ROWS)
    assert names_in(full_bench.processed) == WHOLE


def test_two_cleanings_of_one_case_at_once_both_succeed(full_bench):
    processes = [started(full_bench) for _ in range(2)]
    assert [answer_of(process) for process in processes] == [str(ROWS)] * 2
    assert names_in(full_bench.processed) == WHOLE


def test_the_folder_of_a_live_writer_is_left_alone_and_that_of_a_dead_one_removed(tmp_path):
    dead = tmp_path / ".work-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (tmp_path / ".work-never-locked").mkdir()
    with opened(tmp_path) as first:
        (first / "file").touch()
        with opened(tmp_path) as second:
            assert sorted(tmp_path.glob(".work-*")) == sorted([first, second])
            assert (first / "file").exists()
    assert not list(tmp_path.glob(".work-*"))


@pytest.mark.parametrize("largest_file", [1_000, 100_000])
def test_a_disk_that_is_full_is_said_so_and_nothing_is_left(full_bench, largest_file):
    answer = answer_of(started(full_bench, largest_file))
    assert answer.startswith("DiskFullError: The disk of")
    assert "Make room there" in answer
    assert names_in(full_bench.processed) == []
    assert answer_of(started(full_bench)) == str(ROWS)


def test_a_small_disk_that_fills_up_is_said_so(full_bench):
    full_bench.processed.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full_bench.processed)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        missing("no right to mount a small disk here")
    try:
        with pytest.raises(DiskFullError, match="has no room"):
            full_bench.clean(("train:", "clean: [drop_duplicates]\ntrain:"))
        assert names_in(full_bench.processed) == []
    finally:
        subprocess.run(["umount", str(full_bench.processed)], check=True)
    assert full_bench.clean(("train:", "clean: [drop_duplicates]\ntrain:")).rows_out == ROWS
