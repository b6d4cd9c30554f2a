"""Raw files → a checked, cleaned dataset: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, task

from esteira.chain import dag_id

DOC = """
{about}

- **Find the raw files:** those that the case names, under RAW_DATA_PATH; a case with a generator writes one.
- **Check and clean the rows:** every cell against the case, then the case's rules. The dataset, a quality
  report and the rejected rows with their reasons are written side by side.

When it succeeds, `treina_salva_modelo` starts by itself.
"""


def make(case: str) -> None:
    about, _ = steps.about(case)
    raw_asset, dataset_asset = steps.asset(case, "raw"), steps.asset(case, "dataset")

    @dag(
        dag_id=dag_id("extrai_trata_dados", case),
        dag_display_name=f"1 extrai_trata_dados · {case}",
        description=f"Raw files to a cleaned dataset ({case})",
        doc_md=DOC.format(about=about),
        tags=[case, "1 data"],
        schedule=[raw_asset],
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
        @task(task_display_name="Find the raw files")
        def find_raw_files() -> str:
            with steps.step(case) as here:
                from esteira.data import raw

                found = raw.find(here.case, here.settings)
                here.say(found.sentence())
                return found.model_dump_json()

        @task(task_display_name="Check and clean the rows", outlets=[dataset_asset])
        def check_and_clean(found: Any) -> None:
            with steps.step(case) as here:
                from esteira.data import clean, raw

                dataset = clean.clean(here.case, raw.RawFiles.model_validate_json(found), here.settings)
                here.say(dataset.sentence())
                here.note(f"{dataset.sentence()}. Report: `{dataset.page_path.name}` beside the dataset")
                here.produced(dataset_asset, dataset.model_dump(mode="json"))

        check_and_clean(find_raw_files())

    extrai_trata_dados()


for name in steps.cases():
    make(name)
