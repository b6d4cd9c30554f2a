import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from esteira.stack.databases import Database, DatabaseError, prepare
from esteira.stack.home import Home
from esteira.stack.processes import Program, marked

MIGRATES = """
    import sqlite3, sys
    with sqlite3.connect(sys.argv[1]) as connection:
        connection.execute("create table if not exists alembic_version (version_num text)")
        connection.execute("delete from alembic_version")
        connection.execute("insert into alembic_version values ('head')")
"""
ENDS_HALFWAY = """
    import sqlite3, sys
    with sqlite3.connect(sys.argv[1]) as connection:
        connection.execute("create table half (made text)")
    sys.exit("the disk is full")
"""


def database(home: Home, code: str) -> Database:
    def migration(store: str) -> Program:
        command = [sys.executable, "-c", textwrap.dedent(code), store.removeprefix("sqlite:///")]
        return Program(name="migration", command=command, folder=home.root, environment=dict(os.environ))

    return Database(path=home.root / "some.db", package="pytest", migration=migration)


def finish(home: Home, wanted: Database) -> list[str]:
    said: list[str] = []
    for _ in prepare(home, wanted, said.append):
        pass
    return said


def revision(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select version_num from alembic_version").fetchone()[0]


def test_a_database_gets_its_name_only_when_it_is_complete(home: Home) -> None:
    wanted = database(home, MIGRATES)
    steps = prepare(home, wanted, lambda _: None)
    next(steps)
    assert not wanted.path.exists()
    list(steps)
    assert revision(wanted.path) == "head"
    assert not list(home.root.glob("some.new*"))


def test_a_migration_that_fails_leaves_no_database_and_shows_its_log(home: Home) -> None:
    wanted = database(home, ENDS_HALFWAY)
    with pytest.raises(DatabaseError, match="the disk is full"):
        finish(home, wanted)
    assert not wanted.path.exists()


def test_a_new_attempt_starts_afresh_after_one_that_was_killed_halfway(home: Home) -> None:
    with pytest.raises(DatabaseError):
        finish(home, database(home, ENDS_HALFWAY))
    finish(home, database(home, MIGRATES))
    with closing(sqlite3.connect(home.root / "some.db")) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("alembic_version",)]


def test_an_upgrade_keeps_the_rows_and_an_upgrade_that_fails_keeps_the_database(home: Home) -> None:
    wanted = database(home, MIGRATES)
    finish(home, wanted)
    with closing(sqlite3.connect(wanted.path)) as connection:
        connection.execute("create table kept (row text)")
        connection.execute("insert into kept values ('precious')")
        connection.commit()
    wanted.stamp.write_text("pytest 0.0.1")
    finish(home, wanted)
    with closing(sqlite3.connect(wanted.path)) as connection:
        assert connection.execute("select row from kept").fetchall() == [("precious",)]
    wanted.stamp.write_text("pytest 0.0.1")
    before = wanted.path.read_bytes()
    with pytest.raises(DatabaseError):
        finish(home, database(home, "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('wrecked')"))
    assert wanted.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100], ids=["empty", "garbage"])
def test_a_broken_database_is_set_aside_and_a_new_one_made(home: Home, content: bytes) -> None:
    wanted = database(home, MIGRATES)
    wanted.path.write_bytes(content)
    said = finish(home, wanted)
    assert revision(wanted.path) == "head"
    (aside,) = home.root.glob("some.broken-*")
    assert aside.read_bytes() == content
    assert aside.name in said[0]


def test_a_database_that_somebody_else_holds_is_kept_and_the_message_says_what_to_do(home: Home) -> None:
    wanted = database(home, MIGRATES)
    finish(home, wanted)
    before = sorted(home.root.iterdir())
    with closing(sqlite3.connect(wanted.path, isolation_level=None)) as backup:
        backup.execute("begin exclusive")
        with pytest.raises(DatabaseError, match=r"some.db cannot be read now .*locked.*end what holds it"):
            finish(home, wanted)
    assert sorted(home.root.iterdir()) == before
    assert finish(home, wanted) == []


def test_a_database_that_cannot_be_opened_is_kept(home: Home) -> None:
    wanted = database(home, MIGRATES)
    wanted.path.mkdir()
    with pytest.raises(DatabaseError, match=r"some.db cannot be read now \(unable to open"):
        finish(home, wanted)
    assert wanted.path.is_dir()


def test_what_a_killed_process_had_not_written_to_the_end_is_undone_and_the_database_kept(home: Home) -> None:
    wanted = database(home, MIGRATES)
    finish(home, wanted)
    killed = """
        import os, sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("pragma cache_size = 2")
        connection.execute("begin")
        connection.execute("create table half (made text)")
        for _ in range(2000):
            connection.execute("insert into half values (?)", ("x" * 500,))
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(killed), wanted.path], check=True)
    assert wanted.path.with_name("some.db-journal").exists()
    assert finish(home, wanted) == []
    with closing(sqlite3.connect(wanted.path)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("alembic_version",)]


def test_a_database_of_the_installed_version_is_left_alone(home: Home) -> None:
    finish(home, database(home, MIGRATES))
    finish(home, database(home, ENDS_HALFWAY))
    assert marked(home) == []
