"""`python -m benchmarks`: real benchmarks, the short ones."""

import json
import os
import subprocess
import sys
from datetime import date

import pytest

from benchmarks import machine, parsing, results
from benchmarks.errors import BenchmarkError
from benchmarks.results import Result, Results
from benchmarks.rows import at_most
from esteira.settings import PROJECT

DAG = """
{first}
from airflow.sdk import dag, task
from esteira.chain import dag_id

@dag(dag_id=dag_id("build_deploy_infra", "a_case"), schedule=None)
def made():
    @task
    def nothing():
        pass

    nothing()

made()
"""


def benchmarks(*words: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=PROJECT,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT / "plugins"), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def docs(tmp_path):
    """A page that has the figure of another benchmark already."""
    kept = Result(when=date(2026, 1, 2), commit=None, versions={}, rows=(at_most("kept", 1, 2, "{} GB"),))
    results.save(tmp_path / "benchmarks.json", Results(machine=machine.here()).having("cleaning", kept))
    return tmp_path


@pytest.fixture
def dags(tmp_path):
    for step in parsing.STEPS:
        (tmp_path / f"{step}.py").write_text(DAG.format(first=""))
    return tmp_path


def test_one_benchmark_alone_writes_its_row_beside_those_that_were_kept(docs):
    done = benchmarks("--only", "parsing", "--docs", str(docs))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Airflow parses treina_salva_modelo.py" in done.stdout
    page = (docs / "benchmarks.md").read_text()
    assert "| kept | 1 GB |" in page
    assert page.count("| Airflow parses ") == 3


def test_a_benchmark_that_cannot_run_says_why_fails_and_loses_no_figure(docs):
    done = benchmarks("--only", "serving", "--docs", str(docs), path=str(docs))
    assert done.returncode == 1
    assert "wrk is not installed" in done.stdout
    assert "Traceback" not in done.stderr
    assert list(json.loads((docs / "benchmarks.json").read_text())["results"]) == ["cleaning"]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--only", "nothing"], "invalid choice"), (["--only", "parsing", "--prune"], "--only fresh")],
)
def test_a_wrong_word_is_answered_with_the_right_ones(words, said):
    done = benchmarks(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_a_dag_file_does_while_it_is_parsed_counts(dags):
    (dags / "build_deploy_infra.py").write_text(DAG.format(first="import time\ntime.sleep(0.6)"))
    quick, _, slow = parsing.measure(rounds=1, dags=dags)
    assert quick.seconds < 0.5 < slow.seconds


def test_a_dag_file_that_does_not_parse_is_named(dags):
    (dags / "extrai_trata_dados.py").write_text("import airflow.sdk, esteira.chain\n1 / 0  # dag")
    with pytest.raises(BenchmarkError, match=r"extrai_trata_dados\.py.*ZeroDivisionError"):
        parsing.measure(rounds=1, dags=dags)
