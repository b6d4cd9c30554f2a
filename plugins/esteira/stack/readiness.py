"""Waits until Airflow has read the DAGs that are about to run, or says why it cannot."""

import time
from collections.abc import Sequence

from esteira.stack.airflow import Airflow
from esteira.stack.home import Say
from esteira.stack.watch import FollowError

KNOWN_SECONDS = 60.0
"""How long Airflow may take to read a DAG file; it looks for new files every 10 s."""

_POLL_SECONDS = 0.5


def wait_until_known(airflow: Airflow, dag_ids: Sequence[str], say: Say) -> None:
    """Return when each DAG is known and not paused.

    Raises FollowError when a file cannot be imported, a DAG is paused or none of that name appears.
    """
    deadline = time.monotonic() + KNOWN_SECONDS
    if missing := _missing(airflow, dag_ids):
        say(f"Waiting for Airflow to read {', '.join(missing)}")
    while missing := _missing(airflow, dag_ids):
        _check_imports(airflow)
        if time.monotonic() > deadline:
            raise FollowError(
                f"Airflow knows no DAG {', '.join(missing)} after {KNOWN_SECONDS:.0f} s; "
                f"is there a case file of that name? {airflow.url} shows the DAGs there are"
            )
        time.sleep(_POLL_SECONDS)


def _missing(airflow: Airflow, dag_ids: Sequence[str]) -> list[str]:
    missing = []
    for dag_id in dag_ids:
        dag = airflow.dag(dag_id)
        if dag is None or dag.is_stale:
            missing.append(dag_id)
        elif dag.has_import_errors:
            _check_imports(airflow)
        elif dag.is_paused:
            raise FollowError(f"{dag_id} is paused; unpause it at {airflow.url}/dags/{dag_id}")
    return missing


def _check_imports(airflow: Airflow) -> None:
    if faults := airflow.import_faults():
        shown = "\n".join(f"{fault.filename}\n{_end(fault.stack_trace)}" for fault in faults)
        raise FollowError(f"Airflow cannot read {len(faults)} DAG file(s); mend this first:\n{shown}")


def _end(trace: str) -> str:
    return "\n".join(f"  {line}" for line in trace.strip().splitlines()[-8:])
