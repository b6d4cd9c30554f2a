"""Every step as a command: what it prints, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundles import tiny_bundle

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


def test_versions_lists_what_was_published(tmp_path):
    tiny_bundle(tmp_path)
    told = {"ARTEFATOS_PATH": str(tmp_path), "ESTEIRA_HOME": str(tmp_path / "home")}
    listed = esteira("versions", "tiny", **told).stdout
    assert "│ 1 " in listed
    assert "R² 1.0000, RMSE 0" in listed
    assert "has no version yet" in esteira("versions", "imoveis", **told).stdout
