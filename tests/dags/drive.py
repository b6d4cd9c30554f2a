"""Runs DAGs one after the other with `dag.test()` and prints how each went, as JSON."""

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select


def states(dag_id: str, run_id: str) -> dict[str, str]:
    with create_session() as session:
        tasks = session.scalars(select(TaskInstance).filter_by(dag_id=dag_id, run_id=run_id)).all()
        return {_name(one): one.state for one in tasks}


def tries(dag_id: str, run_id: str) -> dict[str, int]:
    with create_session() as session:
        tasks = session.scalars(select(TaskInstance).filter_by(dag_id=dag_id, run_id=run_id)).all()
        return {_name(one): one.try_number for one in tasks}


def summaries(dag_id: str, run_id: str) -> dict[str, str]:
    """What each task says of itself, as `esteira run` shows it."""
    mine = {"dag_id": dag_id, "run_id": run_id}
    with create_session() as session:
        pushed = session.scalars(select(XComModel).filter_by(**mine, key="summary")).all()
        said = {(one.task_id, one.map_index): XComModel.deserialize_value(one) for one in pushed}
        tasks = session.scalars(select(TaskInstance).filter_by(**mine)).all()
        return {_name(one): said.get((one.task_id, one.map_index), "") for one in tasks}


def _name(task: TaskInstance) -> str:
    return f"{task.task_id} {task.rendered_map_index or ''}".strip()


def main(folder: str, *calls: str) -> None:
    bag = BundleDagBag(folder, bundle_path=Path(folder), bundle_name="dags-folder")
    outcomes = []
    for call in calls:
        dag_id, _, conf = call.partition("=")
        run = bag.dags[dag_id].test(run_conf=json.loads(conf or "{}"))
        mine = (dag_id, run.run_id)
        found = {"tasks": states(*mine), "tries": tries(*mine), "summaries": summaries(*mine)}
        outcomes.append({"dag": dag_id, "state": run.state, **found})
    print(
        "OUTCOMES "
        + json.dumps({"import_errors": bag.import_errors, "ids": sorted(bag.dags), "runs": outcomes})
    )


main(*sys.argv[1:])
