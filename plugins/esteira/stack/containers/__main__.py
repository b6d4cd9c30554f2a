"""`python -m esteira.stack.containers SERVICE` becomes it; `prepare` makes what all services need."""

import os
import sys

from esteira import settings
from esteira.errors import EsteiraError
from esteira.stack import programs
from esteira.stack.containers.passwords import taken
from esteira.stack.containers.place import inside
from esteira.stack.containers.prepare import prepare
from esteira.stack.processes import Program

_SECRETS = ("POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "MLFLOW_DB_PASSWORD")


def main(service: str) -> None:
    """Prepare, or give this process over to a service."""
    now, passwords = settings.load(), taken(os.environ)
    for name in _SECRETS:
        os.environ.pop(name, None)
    if service == "prepare":
        prepare(now, passwords, lambda text: print(text, flush=True))
    elif service == programs.MLFLOW:
        _become(programs.mlflow(now, inside(now, passwords)))
    else:
        _become(programs.airflow(now, service))


def _become(program: Program) -> None:
    os.chdir(program.folder)
    os.execvpe(program.command[0], list(program.command), dict(program.environment))  # noqa: S606


try:
    main(sys.argv[1])
except EsteiraError as error:
    sys.exit(f"{type(error).__name__.removesuffix('Error')}: {error}")
