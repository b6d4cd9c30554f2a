import shutil
import subprocess
from pathlib import Path

import pytest

from esteira.settings import PROJECT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def make(clone: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path} if path else None
    command = [str(shutil.which("make")), *words]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def path_with(folder: Path, *tools: str) -> str:
    folder.mkdir()
    for tool in tools:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return str(folder)


def test_plain_make_lists_what_it_can_do(clone: Path) -> None:
    listed = make(clone).stdout
    for target in ("run", "stop", "status", "test", "check", "bench"):
        assert f"make {target} " in listed


def test_without_python_311_the_message_says_what_to_install(clone: Path) -> None:
    asked = make(clone, "run", path=path_with(clone / "bin", "sh", "rm", "awk"))
    assert asked.returncode != 0
    assert "needs Python 3.11" in asked.stdout


def test_without_the_venv_module_the_message_says_how_to_get_it(clone: Path) -> None:
    path = path_with(clone / "bin", "sh", "rm", "awk")
    python = clone / "bin" / "python3.11"
    python.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n')
    python.chmod(0o755)
    asked = make(clone, "run", path=path)
    assert asked.returncode != 0
    assert "apt-get install python3.11-venv" in asked.stdout


def test_stop_and_status_need_no_environment(clone: Path) -> None:
    for target in ("stop", "status"):
        assert "nothing runs" in make(clone, target).stdout
    assert not (clone / ".venv").exists()


def test_in_containers_nothing_is_installed_here(clone: Path) -> None:
    assert make(clone, "-n", "run", "STACK=compose", "CASE=clima").stdout == "sh compose.sh run clima\n"
    for target in ("stop", "status"):
        assert make(clone, "-n", target, "STACK=compose").stdout.strip() == f"sh compose.sh {target}"
    assert not (clone / ".venv").exists()
