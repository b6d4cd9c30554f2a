"""Every step as a command: what it prints, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundles import tiny_bundle
from esteira.deploy import standing
from esteira.deploy.facts import Standing
from esteira.settings import Settings
from esteira.stack.home import Home
from esteira.stack.processes import Program, marked, start

COMMAND = str(Path(sys.executable).with_name("esteira"))


def esteira(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        env={**os.environ, "COLUMNS": "160", **told},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_help_names_every_command(words):
    said = esteira(*words).stdout
    for command in ("up", "down", "status", "check", "new", "run", "versions"):
        assert f" {command} " in said


def test_check_accepts_the_cases_in_the_box():
    done = esteira("check")
    assert done.returncode == 0
    assert "✓ imoveis: House prices, 15 columns → Prices" in done.stdout


def test_check_says_what_is_wrong_where_and_ends_non_zero(tmp_path):
    (tmp_path / "good.yaml").write_text(
        "title: Good\nsource: {files: a.csv}\ntarget: y\ntask: regression\n"
        "columns: {x: {type: number}}\ntrain: {candidates: [decision_tree]}\n"
    )
    (tmp_path / "bad.yaml").write_text("title: Bad\ncolour: blue\n")
    done = esteira("check", CASOS_PATH=str(tmp_path))
    assert done.returncode == 1
    assert "✓ good" in done.stdout
    assert f"{tmp_path}/bad.yaml is not a valid case" in done.stderr
    assert "colour: is not a known key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("check", "imovei"), ("run", "imovei"), ("run", "imovei", "--local")])
def test_a_mistyped_case_is_one_message(words):
    done = esteira(*words)
    assert done.returncode == 1
    assert "did you mean 'imoveis'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_one_message():
    done = esteira("check", API_PORT="http")
    assert done.returncode == 1
    assert "API_PORT='http' cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_down_stops_the_services_also_where_what_is_live_cannot_be_reached(tmp_path):
    now = Settings(ESTEIRA_HOME=tmp_path / "home", ARTEFATOS_PATH=tmp_path / "artefatos")
    home = Home.of(now)
    home.make()
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    start(home, Program(name="mlflow", command=sleeps, folder=home.root, environment=dict(os.environ)))
    known = Standing(case="tiny", title="Tiny", version=1, target="docker", instances=("v1-aaaa",), port=8000)
    standing.write(now, known)
    told = {"ESTEIRA_HOME": str(now.ESTEIRA_HOME), "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = esteira("down", **told)
    assert done.returncode == 1
    assert "version 1 of 'tiny' may be served from its containers" in done.stderr
    assert "Nothing is running" not in done.stdout
    assert marked(home) == []
    assert standing.read(now, "tiny") == known


@pytest.mark.parametrize("words", ["see [/tickets/12]", "wrong [see ticket 12] :bug:", "[Errno 28] No space"])
def test_a_reason_is_shown_as_it_was_written(tmp_path, words):
    tiny_bundle(tmp_path)
    told = {"ARTEFATOS_PATH": str(tmp_path), "ESTEIRA_HOME": str(tmp_path / "home")}
    assert esteira("withdraw", "tiny", "1", "--reason", words, **told).returncode == 0
    listed = esteira("releases", "tiny", **told)
    assert listed.returncode == 0, listed.stderr
    assert f"withdrawn: {words}" in listed.stdout


@pytest.mark.parametrize("title", ["Price [per m2]", "Price [/m2]"])
def test_a_title_is_shown_as_it_was_written(tmp_path, title):
    (tmp_path / "good.yaml").write_text(
        f"title: '{title}'\nsource: {{files: a.csv}}\ntarget: y\ntask: regression\n"
        "columns: {x: {type: number}}\ntrain: {candidates: [decision_tree]}\n"
    )
    done = esteira("check", CASOS_PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"✓ good: {title}, 1 columns" in done.stdout


@pytest.mark.parametrize("words", [("versions",), ("releases",)])
def test_a_name_that_no_case_can_have_is_shown_as_it_was_written(tmp_path, words):
    done = esteira(*words, "[/x]", ARTEFATOS_PATH=str(tmp_path), ESTEIRA_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert "[/x]" in done.stdout


def test_versions_lists_what_was_published(tmp_path):
    tiny_bundle(tmp_path)
    told = {"ARTEFATOS_PATH": str(tmp_path), "ESTEIRA_HOME": str(tmp_path / "home")}
    listed = esteira("versions", "tiny", **told).stdout
    assert "│ 1 " in listed
    assert "R² 1.0000, RMSE 0" in listed
    assert "has no version yet" in esteira("versions", "imoveis", **told).stdout
