"""A cleaned dataset → trained candidates → a gated, published version: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, get_current_context, task

from esteira.chain import dag_id

DOC = """
{about}

Splits the dataset, fits each candidate as a task of its own, judges the best one once on the holdout
and, if it passes the gate, publishes it as the next version: files in `artefatos/`, runs, pictures and
the registered version in MLflow. A rejected challenger stays in MLflow with the reason and goes no
further. When a version is published, `build_deploy_infra` starts by itself.
"""


def make(case: str) -> None:
    about, candidates = steps.about(case)
    dataset_asset, version_asset = steps.asset(case, "dataset"), steps.asset(case, "version")

    @dag(
        dag_id=dag_id("treina_salva_modelo", case),
        dag_display_name=f"2 treina_salva_modelo · {case}",
        description=f"A dataset to a published version ({case})",
        doc_md=DOC.format(about=about),
        tags=["esteira", case, "2 train"],
        schedule=[dataset_asset],
        max_active_runs=1,
        default_args=steps.DEFAULTS,
        params={
            "candidates": Param(
                candidates,
                type="array",
                items={"type": "string", "enum": candidates} if candidates else {"type": "string"},
                examples=candidates,
                title="Candidates",
                description="The models that compete, out of those that the case names.",
            )
        },
    )
    def treina_salva_modelo() -> None:
        @task(task_display_name="Split the rows", inlets=[dataset_asset], multiple_outputs=True)
        def split_rows(
            *, params: dict[str, Any], triggering_asset_events: Any, inlet_events: Any
        ) -> dict[str, Any]:
            from esteira.data.dataset import Dataset
            from esteira.train import steps as train

            now = steps.current()
            with steps.reporting(now) as report:
                loaded = steps.load(case, now)
                events = triggering_asset_events.get(dataset_asset) or inlet_events[dataset_asset]
                dataset = Dataset.model_validate(steps.last_extra(events, f"a dataset of {case}"))
                run = get_current_context()["dag_run"]
                prepared = train.split_rows(loaded, dataset, f"{run.dag_id} {run.run_id}", now)
                report.say(prepared.sentence())
                return {
                    "dataset": dataset.model_dump(mode="json"),
                    "prepared": prepared.model_dump(mode="json"),
                    "candidates": params["candidates"] or [one.kind for one in loaded.train.candidates],
                }

        @task(task_display_name="Fit a candidate", map_index_template="{{ candidate }}")
        def fit_candidate(name: str, dataset: dict[str, Any], prepared: dict[str, Any]) -> dict[str, Any]:
            from esteira.data.dataset import Dataset
            from esteira.train import steps as train
            from esteira.train.prepare import Prepared

            get_current_context()["candidate"] = name  # type: ignore[literal-required]
            now = steps.current()
            with steps.reporting(now) as report:
                fitted = train.fit_candidate(
                    steps.load(case, now),
                    Dataset.model_validate(dataset),
                    Prepared.model_validate(prepared),
                    name,
                    now,
                )
                report.say(fitted.sentence())
                return fitted.model_dump(mode="json")

        @task(task_display_name="Pass the gate")
        def pass_the_gate(prepared: dict[str, Any], fitted: Any) -> dict[str, Any]:
            from esteira.train import steps as train
            from esteira.train.fit import Fitted
            from esteira.train.prepare import Prepared

            now = steps.current()
            with steps.reporting(now) as report:
                judgement = train.pass_the_gate(
                    steps.load(case, now),
                    Prepared.model_validate(prepared),
                    [Fitted.model_validate(one) for one in fitted],
                    now,
                )
                report.say(judgement.sentence())
                return judgement.model_dump(mode="json")

        @task(task_display_name="Publish the version", outlets=[version_asset])
        def publish_version(
            prepared: dict[str, Any], judgement: dict[str, Any], *, outlet_events: Any
        ) -> int:
            from esteira.train import steps as train
            from esteira.train.judge import Judgement
            from esteira.train.prepare import Prepared

            now = steps.current()
            with steps.reporting(now) as report:
                judged = Judgement.model_validate(judgement)
                published = train.publish_version(Prepared.model_validate(prepared), judged, now)
                report.say(f"version {published.version} of {case}")
                report.note(f"**Version {published.version}** published. {judged.sentence()}")
                outlet_events[version_asset].extra = {"version": published.version}
                return published.version

        split: Any = split_rows()
        fits = fit_candidate.partial(dataset=split["dataset"], prepared=split["prepared"]).expand(
            name=split["candidates"]
        )
        publish_version(split["prepared"], pass_the_gate(split["prepared"], fits))

    treina_salva_modelo()


for name in steps.cases():
    make(name)
