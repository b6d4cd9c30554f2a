"""The kept figures and the page that is made of them."""

import subprocess
import sys
from datetime import date

import pytest

from benchmarks import machine, page, results
from benchmarks.errors import BenchmarkError
from benchmarks.memory import peak_bytes
from benchmarks.results import Result, Results
from benchmarks.rows import Row, at_most, ratio, ratio_at_least, ratio_at_most
from esteira.settings import PROJECT

HERE = machine.Machine(cpu="a processor", cores=2, memory_gb=8, system="Linux 6")


def result(*rows: Row) -> Result:
    return Result(when=date(2026, 1, 2), commit="0123456789", versions={"pandas": "3.1.0"}, rows=rows)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (at_most("time", 30.0, 30, "{:.1f} s"), True),
        (at_most("time", 30.01, 30, "{:.1f} s"), False),
        (ratio_at_most("memory", 50, 100, 0.5, "{:.0f} MB", "pandas"), True),
        (ratio_at_most("memory", 51, 100, 0.5, "{:.0f} MB", "pandas"), False),
        (ratio_at_least("requests", 80, 100, 0.8, "{:,.0f}", "echo"), True),
        (ratio_at_least("requests", 79, 100, 0.8, "{:,.0f}", "echo"), False),
    ],
)
def test_a_row_says_whether_its_target_is_met(row, met):
    assert row.met is met
    assert result(row).met is met
    assert page.cells(result(row))[0][-1] == ("yes" if met else "**no**")


def test_a_ratio_shows_both_sides():
    row = ratio_at_least("requests", 4_000, 5_000, 0.8, "{:,.0f} requests/s", "echo endpoint")
    assert (row.figure, row.rival, row.ratio, row.target) == (
        "4,000 requests/s",
        "echo endpoint 5,000 requests/s",
        "0.80 ×",
        "≥ 0.8 ×",
    )


def test_a_ratio_without_a_target_is_shown_and_fails_nothing():
    row = ratio("requests", 4_000, 5_000, "{:,.0f}", "an array")
    assert page.cells(result(row)) == [("requests", "4,000", "an array 5,000", "0.80 ×", "", "")]
    assert result(row).met


def test_a_repeated_benchmark_replaces_its_own_rows_only(tmp_path):
    path = tmp_path / "benchmarks.json"
    first = at_most("cleaning", 1.0, 2, "{:.1f} GB")
    results.save(path, Results(machine=HERE).having("cleaning", result(first)))
    again = results.load(path, HERE).having("parsing", result(at_most("parsing", 0.1, 0.5, "{:.1f} s")))
    results.save(path, again)
    last = results.load(path, HERE).having("parsing", result(at_most("parsing", 0.2, 0.5, "{:.1f} s")))
    assert last.results["cleaning"].rows == (first,)
    assert last.results["parsing"].rows[0].figure == "0.2 s"


def test_figures_of_another_machine_are_not_mixed_in(tmp_path):
    path = tmp_path / "benchmarks.json"
    results.save(path, Results(machine=HERE).having("cleaning", result()))
    other = HERE.model_copy(update={"cores": 64})
    assert results.load(path, other) == Results(machine=other)


def test_results_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "benchmarks.json"
    path.write_text('{"machine": 1}')
    with pytest.raises(BenchmarkError, match=r"benchmarks\.json does not hold results.*remove it"):
        results.load(path, HERE)


def test_the_page_says_what_where_how_and_what_is_missing():
    text = page.page(Results(machine=HERE).having("cleaning", result(at_most("rows", 1, 2, "{} GB"))))
    assert "a processor, 2 cores, 8 GB, Linux 6" in text
    assert "pandas 3.1.0" in text
    assert "| rows | 1 GB |  |  | ≤ 2 GB | yes |" in text
    assert "**cleaning** (`python -m benchmarks --only cleaning`, 2026-01-02 at 0123456)" in text
    assert "Not measured here yet: `releasing`" in text


def test_this_machine_is_described():
    here = machine.here()
    assert here.cpu
    assert here.cores >= 1
    assert here.memory_gb >= 1


def test_a_process_is_not_charged_with_the_memory_of_the_one_that_started_it():
    held = bytearray(300_000_000)
    program = "from benchmarks.memory import peak_bytes; print(peak_bytes())"
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert peak_bytes() > len(held) > 2 * int(child.stdout)
