"""A role and a database in PostgreSQL for each service, which may not look into the other's."""

from __future__ import annotations

import time

import psycopg
from psycopg import sql

from esteira.errors import EsteiraError

_SECONDS = 60.0
_DATABASE = "create database {} owner {} encoding 'UTF8' locale 'C.UTF-8' template template0"


class PostgresError(EsteiraError):
    """PostgreSQL does not answer, or refuses the password."""


class Postgres:
    """A PostgreSQL server, as its administrator."""

    def __init__(self, host: str, password: str) -> None:
        """Connects, waiting for a server that is starting; raises PostgresError."""
        self._connection = _connected(host, password)

    def own(self, name: str, password: str) -> None:
        """Make sure of the role and the database `name`, for nobody else."""
        role, secret = sql.Identifier(name), sql.Literal(password)
        if not self._ask("select from pg_roles where rolname = %s", name):
            self._tell("create role {} login", role)
        self._tell("alter role {} password {}", role, secret)
        if not self._ask("select from pg_database where datname = %s", name):
            self._tell(_DATABASE, role, role)
        self._tell("revoke all on database {} from public", role)

    def schema(self, database: str) -> str | None:
        """Which package's schema a database has, as `stamp` noted it."""
        found = self._ask(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", database
        )
        return found[0][0] if found else None

    def stamp(self, database: str, schema: str) -> None:
        """Note in the database itself which package's schema it has."""
        self._tell("comment on database {} is {}", sql.Identifier(database), sql.Literal(schema))

    def _ask(self, query: str, value: str) -> list[tuple[str | None, ...]]:
        return self._connection.execute(query, [value]).fetchall()

    def _tell(self, command: str, *parts: sql.Composable) -> None:
        self._connection.execute(sql.SQL(command).format(*parts))


def _connected(host: str, password: str) -> psycopg.Connection:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            return psycopg.connect(
                host=host,
                user="postgres",
                password=password,
                dbname="postgres",
                client_encoding="utf8",
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error):
                raise PostgresError(
                    f"PostgreSQL refuses the password in .env: its volume was made with another one. "
                    f"Bring that .env back, or remove the volume with all runs in it ({error})"
                ) from None
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL does not answer at {host}: {error}") from None
        time.sleep(0.5)
