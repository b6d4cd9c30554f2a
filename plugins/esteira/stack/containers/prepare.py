"""What must be there before the first service starts: databases, secrets and configuration."""

from __future__ import annotations

import subprocess
from importlib.metadata import version

from esteira.errors import EsteiraError
from esteira.settings import PROJECT, Settings
from esteira.stack import programs
from esteira.stack.configuration import write_airflow_configuration
from esteira.stack.containers.passwords import Passwords
from esteira.stack.containers.place import inside
from esteira.stack.containers.postgres import Postgres
from esteira.stack.home import Home, Say
from esteira.stack.processes import Program


class MigrationError(EsteiraError):
    """A database could not be brought to the installed version's schema."""


def prepare(settings: Settings, passwords: Passwords, say: Say) -> None:
    """Make what is missing; what is there already stays as it is. Raises PostgresError, MigrationError."""
    home, place = Home.of(settings), inside(settings, passwords)
    home.make()
    home.make_password()
    write_airflow_configuration(settings, place, PROJECT / "dags")
    postgres = Postgres(passwords.POSTGRES_HOST, passwords.POSTGRES_PASSWORD)
    postgres.own("airflow", passwords.AIRFLOW_DB_PASSWORD)
    postgres.own("mlflow", passwords.MLFLOW_DB_PASSWORD)
    for name, package, migration in (
        ("airflow", "apache-airflow", programs.airflow_migration(settings, place.airflow_store)),
        ("mlflow", "mlflow", programs.mlflow_migration(settings, place.mlflow_store)),
    ):
        wanted = f"{package} {version(package)}"
        if postgres.schema(name) != wanted:
            say(f"Bringing the database {name} to {wanted}")
            _run(migration)
            postgres.stamp(name, wanted)
    say("Databases, secrets and configuration are ready")


def _run(program: Program) -> None:
    command = subprocess.run(
        program.command,
        cwd=program.folder,
        env=dict(program.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if command.returncode:
        raise MigrationError(f"{program.name} ended with {command.returncode}:\n{command.stdout[-4000:]}")
