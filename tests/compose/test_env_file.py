"""The script that makes the passwords, on its own."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from esteira.settings import PROJECT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / "compose.sh", tmp_path)
    (tmp_path / "engine.sock").touch()
    return tmp_path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    told = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{folder}/engine.sock"}
    return subprocess.Popen(
        ["sh", str(folder / "compose.sh"), *words], env=told, stdout=subprocess.PIPE, text=True
    )


def values(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_its_file_is_for_its_owner_only_and_every_password_is_new(folder: Path) -> None:
    said, _ = start(folder, "env").communicate()
    assert "Made .env" in said
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    made = values(folder)
    passwords = [value for name, value in made.items() if name.endswith("PASSWORD")]
    assert len(set(passwords)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{40}", password) for password in passwords)
    assert not any(password in said for password in passwords)
    assert made["DOCKER_GID"] == str((folder / "engine.sock").stat().st_gid)
    (folder / ".env").unlink()
    start(folder, "env").communicate()
    assert not set(passwords) & set(values(folder).values())


def test_what_is_there_is_never_overwritten(folder: Path) -> None:
    (folder / ".env").write_text("POSTGRES_PASSWORD=mine\n")
    said, _ = start(folder, "env").communicate()
    assert "stays as it is" in said
    assert (folder / ".env").read_text() == "POSTGRES_PASSWORD=mine\n"


def test_of_several_at_once_one_wins_whole(folder: Path) -> None:
    for process in [start(folder, "env") for _ in range(8)]:
        process.communicate()
        assert process.returncode == 0
    assert len(values(folder)) == 6
    assert [path.name for path in folder.glob(".env*")] == [".env"]


def test_the_users_folder_stays_open_for_the_containers(folder: Path) -> None:
    start(folder, "env").communicate()
    assert stat.S_IMODE((folder / "dados" / "raw").stat().st_mode) & 0o005 == 0o005


def test_stop_where_nothing_was_started_says_so(folder: Path) -> None:
    said, _ = start(folder, "stop").communicate()
    assert "nothing runs" in said


def test_without_a_command_it_lists_them(folder: Path) -> None:
    said, _ = start(folder).communicate()
    assert "sh compose.sh run [CASE]" in said


def test_git_ignores_the_file() -> None:
    assert ".env" in (PROJECT / ".gitignore").read_text().splitlines()
