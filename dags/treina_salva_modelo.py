"""A cleaned dataset → trained candidates → a gated, published version: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, TriggerRule, dag, task

from esteira.case import Case
from esteira.chain import dag_id

DOC = """
{about}

- **Split the rows** into train, validation and holdout; fit the preprocessing.
- **fit_candidate**, one for each candidate: search, fit, score, export to ONNX, log to MLflow. One that fails
  is red and left out; the others go on.
- **Combine the candidates** into an ensemble, where the case names one.
- **Pass the gate:** the best one is finished (calibrated, with its threshold or interval) and judged once on
  the holdout, against the case's thresholds and the champion. A rejected challenger stays in MLflow with the
  reason and goes no further.
- **Publish the version:** files in `artefatos/`, a registered version in MLflow.

When a version is published, `build_deploy_infra` starts by itself.
"""


GOES_ON = TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
"""Where a candidate failed the others go on; where all did, the gate is still asked, and says so."""


def competing(here: steps.Step) -> Case:
    """The case with the candidates that were chosen in the trigger form."""
    from esteira.train import steps as train

    return train.competing(here.case, here.params["candidates"])


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
                chosen = competing(here)
                names = train.alone(chosen)
                prepared = train.split_rows(chosen, dataset, here.training_id, here.settings)
                here.say(prepared.sentence())
                return [{"name": name, "prepared": prepared.model_dump_json()} for name in names]

        @task(map_index_template="{{ candidate }}")
        def fit_candidate(name: str, prepared: Any) -> str:
            with steps.step(case) as here:
                from esteira.train import steps as train
                from esteira.train.prepared import Prepared

                here.named(name)
                parts = Prepared.model_validate_json(prepared)
                fitted = train.fit_candidate(competing(here), parts, name, here.settings)
                here.say(fitted.sentence())
                return fitted.model_dump_json()

        @task(task_display_name="Combine the candidates", trigger_rule=GOES_ON)
        def combine(trials: Any, fitted: Any) -> list[str]:
            with steps.step(case) as here:
                from esteira.train import steps as train
                from esteira.train.fitted import Fitted
                from esteira.train.prepared import Prepared

                parts = Prepared.model_validate_json(trials[0]["prepared"])
                candidates = [Fitted.model_validate_json(one) for one in fitted]
                found = train.combine(competing(here), parts, candidates, here.settings)
                here.say(found[-1].sentence() if len(found) > len(candidates) else "nothing to combine")
                return [one.model_dump_json() for one in found]

        @task(task_display_name="Pass the gate", trigger_rule=GOES_ON)
        def pass_the_gate(trials: Any, fitted: Any, combined: Any) -> str:
            with steps.step(case) as here:
                from esteira.train import steps as train
                from esteira.train.fitted import Fitted
                from esteira.train.prepared import Prepared

                parts = Prepared.model_validate_json(trials[0]["prepared"])
                candidates = [Fitted.model_validate_json(one) for one in combined or fitted]
                judgement = train.pass_the_gate(competing(here), parts, candidates, here.settings)
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
        combined = combine(trials, fitted) if "ensemble" in candidates else None
        publish_version(trials, pass_the_gate(trials, fitted, combined))

    treina_salva_modelo()


for name in steps.cases():
    make(name)
