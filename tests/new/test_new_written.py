"""What is written is for people too: the YAML with its reasons, the page, and the command's summary."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from strangers import ROWS, csv, flats

from esteira.settings import PROJECT

COMMAND = str(Path(sys.executable).with_name("esteira"))


@pytest.fixture(scope="module")
def odd():
    """Names and texts that mean something to YAML, HTML or Rich."""
    return flats(
        **{
            "a: b # c": ["yes", "no"] * 100,
            "<b>&[red]": ["null", "- x", "{y}", "- x"] * 50,
            "on": ["true", "5", "~", "'q'"] * 50,
            "1e3": ["é\u200b", "a, b", "%", "@z"] * 50,
        }
    )


def test_odd_names_and_levels_survive_the_yaml(bench, odd):
    made = bench.new(bench.put(csv(odd, delimiter=";")))
    assert {"a: b # c", "<b>&[red]", "on", "1e3"} <= set(made.case.columns)
    assert set(made.case.columns["1e3"].levels) == {"é\u200b", "a, b", "%", "@z"}
    assert made.dataset.rows_out == ROWS


def test_every_decision_has_its_reason_beside_or_above_it(bench):
    made = bench.of(flats(fee=["NA", "5.5", "7.5", "8.5"] * 50, day=["2020-01-01", "2020-01-02"] * 100))
    lines = made.text.splitlines()
    for name in (*made.case.columns, "metric", "candidates", "holdout", "folds", "search"):
        place = next(at for at, line in enumerate(lines) if re.match(rf"  {re.escape(name)}: ", line))
        assert "# " in lines[place] or lines[place - 1].lstrip().startswith("#"), name
    assert max(map(len, lines)) <= 160
    assert yaml.safe_load(made.text)["task"] == "regression"


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_the_profile_is_one_page_that_needs_nothing_else(bench, odd):
    made = bench.new(bench.put(csv(odd, delimiter=";")))
    text = made.written.profile.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert made.written.profile == bench.settings.PROCESSED_DATA_PATH / "flats" / "profile.html"
    assert page.addresses == []
    assert page.tags.count("svg") >= 2 * len(made.case.features)
    assert {"script", "link", "img", "b&[red]"}.isdisjoint(page.tags)
    assert "&lt;b&gt;&amp;[red]" in text
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("target", ["price", "kind", "code"])
def test_every_kind_of_target_has_its_pictures(bench, target):
    made = bench.of(
        flats(kind=["a", "b", "c", ""] * 50, code=[1, 2, 3, 4] * 50, day=["2020-01-31"] * 200), target
    )
    text = made.written.profile.read_text(encoding="utf-8")
    assert text.count("<svg") >= 6
    assert "nan" not in text.lower().replace("nanos", "")


def esteira(bench, *words: str) -> subprocess.CompletedProcess[str]:
    told = {
        key: str(getattr(bench.settings, key))
        for key in ("CASOS_PATH", "RAW_DATA_PATH", "PROCESSED_DATA_PATH")
    }
    return subprocess.run(
        [COMMAND, "new", *words],
        env={**os.environ, "COLUMNS": "200", **told},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_ends_with_the_next_one(bench, odd):
    path = bench.put(csv(odd, delimiter=";"), "Odd Flats.csv")
    done = esteira(bench, str(path), "--target", "price")
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        "<b>&[red]",
        "casos/odd_flats.yaml",
        "processed/odd_flats/profile.html",
        "make run CASE=odd_flats",
    ):
        assert said in done.stdout
    again = esteira(bench, str(path), "--target", "price")
    assert (again.returncode, "--force" in again.stderr, "Traceback" in again.stderr) == (1, True, False)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_new_hands_over_names_with_blanks_and_quotes_and_asks_for_what_it_needs(tmp_path):
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    told = tmp_path / ".venv" / "bin" / "esteira"
    told.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    told.chmod(0o755)
    for made in ("bin/uv", ".installed"):
        (tmp_path / ".venv" / made).touch()
    words = ["make", "new", "CSV=/a b/joão's.csv", "TARGET=Preço (R)", "NAME=flats"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["new", "/a b/joão's.csv", "--target", "Preço (R)", "--name", "flats"]
    bare = subprocess.run(["make", "new"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert bare.returncode != 0
    assert "make new CSV=/path/file.csv TARGET=column" in bare.stderr
