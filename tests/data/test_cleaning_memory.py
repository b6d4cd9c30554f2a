"""Cleaning a large file takes memory that does not grow with the file."""

from __future__ import annotations

from benchmarks.cleaning import measure


def test_a_million_rows_stay_far_below_two_gigabytes():
    run = measure(1_000_000).run
    assert run.rows_in == 1_000_000
    assert run.peak_bytes < 2**30
