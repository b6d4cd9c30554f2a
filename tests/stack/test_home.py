import stat
import threading
import time
from pathlib import Path

from esteira.settings import Settings
from esteira.stack.airflow import connect
from esteira.stack.home import Home, locked


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_only_their_owner_reads_them(home: Home) -> None:
    made, password = home.secrets(), home.make_password()
    assert (home.secrets(), home.make_password()) == (made, password)
    assert len(made.jwt_secret) >= 64
    assert mode(home.root) == 0o700
    assert mode(home.root / "secrets.json") == mode(home.passwords) == 0o600


def test_a_home_that_another_command_made_is_closed_to_others(settings: Settings) -> None:
    for folder in (settings.ESTEIRA_HOME, settings.ESTEIRA_HOME / "logs"):
        folder.mkdir()
        folder.chmod(0o755)
    made = Home.of(settings)
    made.make()
    assert mode(made.root) == mode(made.logs) == 0o700


def test_secrets_do_not_show_when_they_are_printed(home: Home) -> None:
    made = home.secrets()
    assert made.fernet_key not in repr(made)
    assert made.jwt_secret not in repr(made)


def test_a_torn_secrets_file_is_made_anew(home: Home) -> None:
    before = home.secrets()
    (home.root / "secrets.json").write_text('{"fernet_key": "x')
    home.passwords.write_text("{")
    assert home.secrets() != before
    assert home.make_password() == home.password()


def test_there_is_no_client_before_there_is_a_password(settings: Settings) -> None:
    assert connect(settings) is None


def test_a_second_command_waits_for_the_first_and_says_so(home: Home) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with locked(home, said.append):
            order.append("second")

    with locked(home, said.append):
        waiting = threading.Thread(target=second)
        waiting.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
    assert "waiting for it" in said[0]
