"""Raw files → a checked, cleaned dataset: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, task

from esteira.chain import dag_id

DOC = """
{about}

Finds the raw file, checks every cell against the case, applies the case's cleaning rules and writes
the dataset with a quality report beside it. Rows that are dropped are counted by reason and kept in
the `rejected` file. When it succeeds, `treina_salva_modelo` starts by itself.
"""


def make(case: str) -> None:
    about, _ = steps.about(case)
    raw_asset, dataset_asset = steps.asset(case, "raw"), steps.asset(case, "dataset")

    @dag(
        dag_id=dag_id("extrai_trata_dados", case),
        dag_display_name=f"1 extrai_trata_dados · {case}",
        description=f"Raw files to a cleaned dataset ({case})",
        doc_md=DOC.format(about=about),
        tags=["esteira", case, "1 data"],
        schedule=None,
        max_active_runs=1,
        default_args=steps.DEFAULTS,
        params={
            "files": Param(
                None,
                type=["null", "string"],
                title="Raw files",
                description="Another file or glob under RAW_DATA_PATH, for this run only. "
                "Empty: the one that the case names.",
            )
        },
    )
    def extrai_trata_dados() -> None:
        @task(task_display_name="Find the raw files", outlets=[raw_asset])
        def find_raw_files(*, params: dict[str, Any], outlet_events: Any) -> dict[str, Any]:
            from esteira.data import raw

            now = steps.current()
            with steps.reporting(now) as report:
                found = raw.find(steps.load(case, now).reading(params["files"]), now)
                report.say(found.sentence())
                outlet_events[raw_asset].extra = found.model_dump(mode="json")
                return found.model_dump(mode="json")

        @task(task_display_name="Check and clean the rows", outlets=[dataset_asset])
        def check_and_clean(
            found: dict[str, Any], *, params: dict[str, Any], outlet_events: Any
        ) -> dict[str, Any]:
            from esteira.data import clean, raw

            now = steps.current()
            with steps.reporting(now) as report:
                dataset = clean.clean(
                    steps.load(case, now).reading(params["files"]), raw.RawFiles.model_validate(found), now
                )
                report.say(dataset.sentence())
                report.note(f"{dataset.sentence()}\n\nDataset `{dataset.path}`, report `{dataset.report}`")
                outlet_events[dataset_asset].extra = dataset.model_dump(mode="json")
                return dataset.model_dump(mode="json")

        check_and_clean(find_raw_files())

    extrai_trata_dados()


for name in steps.cases():
    make(name)
