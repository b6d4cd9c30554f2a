"""A cleaned dataset → trained candidates → a gated, published version: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, task

from esteira.chain import dag_id

DOC = """
{about}

- **Split the rows** into train, validation and holdout; fit the preprocessing.
- **fit_candidate**, one for each candidate: fit, score on the validation part, export to ONNX, log to MLflow.
- **Pass the gate:** the best one is judged once on the holdout, against the case's thresholds and the
  champion. A rejected challenger stays in MLflow with the reason and goes no further.
- **Publish the version:** files in `artefatos/`, a registered version in MLflow.

When a version is published, `build_deploy_infra` starts by itself.
"""


def make(case: str) -> None:
    about, candidates = steps.about(case)
    dataset_asset, version_asset = steps.asset(case, "dataset"), steps.asset(case, "version")

    @dag(
        dag_id=dag_id("treina_salva_modelo", case),
        dag_display_name=f"2 treina_salva_modelo · {case}",
        description=f"A dataset to a published version ({case})",
        doc_md=DOC.format(about=about),
        tags=[case, "2 train"],
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
        @task(task_display_name="Split the rows", inlets=[dataset_asset])
        def split_rows() -> list[dict[str, str]]:
            with steps.step(case) as here:
                from esteira.data.dataset import Dataset
                from esteira.train import steps as train

                dataset = Dataset.model_validate(here.given(dataset_asset))
                prepared = train.split_rows(here.case, dataset, here.training_id, here.settings)
                here.say(prepared.sentence())
                names = here.params["candidates"] or [one.kind for one in here.case.train.candidates]
                return [{"name": name, "prepared": prepared.model_dump_json()} for name in names]

        @task(map_index_template="{{ candidate }}")
        def fit_candidate(name: str, prepared: Any) -> str:
            with steps.step(case) as here:
                from esteira.train import steps as train
                from esteira.train.prepared import Prepared

                here.named(name)
                parts = Prepared.model_validate_json(prepared)
                fitted = train.fit_candidate(here.case, parts, name, here.settings)
                here.say(fitted.sentence())
                return fitted.model_dump_json()

        @task(task_display_name="Pass the gate")
        def pass_the_gate(trials: Any, fitted: Any) -> str:
            with steps.step(case) as here:
                from esteira.train import steps as train
                from esteira.train.fit import Fitted
                from esteira.train.prepared import Prepared

                parts = Prepared.model_validate_json(trials[0]["prepared"])
                candidates = [Fitted.model_validate_json(one) for one in fitted]
                judgement = train.pass_the_gate(here.case, parts, candidates, here.settings)
                here.say(judgement.sentence())
                return judgement.model_dump_json()

        @task(task_display_name="Publish the version", outlets=[version_asset])
        def publish_version(trials: Any, judgement: Any) -> None:
            with steps.step(case) as here:
                from esteira.train import steps as train
                from esteira.train.judge import Judgement
                from esteira.train.prepared import Prepared

                judged = Judgement.model_validate_json(judgement)
                parts = Prepared.model_validate_json(trials[0]["prepared"])
                bundle = train.publish_version(parts, judged, here.settings)
                here.say(f"version {bundle.version} of {case}")
                here.note(f"**Version {bundle.version}** is published. {judged.sentence()}")
                here.produced(version_asset, {"version": bundle.version})

        trials: Any = split_rows()
        fitted = fit_candidate.expand_kwargs(trials)
        publish_version(trials, pass_the_gate(trials, fitted))

    treina_salva_modelo()


for name in steps.cases():
    make(name)
