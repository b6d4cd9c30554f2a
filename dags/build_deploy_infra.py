"""A published version → an image → the live API: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, task

from esteira.chain import dag_id

DOC = """
{about}

- **Build the image** of a version, after every file of it was verified.
- **Start it beside the old one** and ask it the golden examples: it must answer as the training did.
- **Switch traffic to it** without a failed request; on any failure the old one serves on.
- **Mark the champion in MLflow.**

Without a Docker engine the API runs as a local process.
"""


def make(case: str) -> None:
    about, _ = steps.about(case)
    version_asset, live_asset = steps.asset(case, "version"), steps.asset(case, "live")

    @dag(
        dag_id=dag_id("build_deploy_infra", case),
        dag_display_name=f"3 build_deploy_infra · {case}",
        description=f"A published version to the live API ({case})",
        doc_md=DOC.format(about=about),
        tags=[case, "3 deploy"],
        schedule=[version_asset],
        max_active_runs=1,
        default_args=steps.DEFAULTS,
        params={
            "version": Param(
                None,
                type=["null", "integer"],
                minimum=1,
                title="Version",
                description="The version to put live; an earlier one goes back. "
                "Empty: the one that was just published.",
            )
        },
    )
    def build_deploy_infra() -> None:
        @task(task_display_name="Build the image", inlets=[version_asset])
        def build_image() -> str:
            with steps.step(case) as here:
                from esteira.deploy import release

                version = here.params["version"] or here.given(version_asset)["version"]
                built = release.build(case, version, here.settings)
                here.say(built.sentence())
                return built.model_dump_json()

        @task(task_display_name="Start it beside the old one and ask the golden examples")
        def start_and_verify(built: Any) -> str:
            with steps.step(case) as here:
                from esteira.deploy import release
                from esteira.deploy.facts import Build

                started = release.start_and_verify(Build.model_validate_json(built), here.settings)
                here.say(started.sentence())
                return started.model_dump_json()

        @task(task_display_name="Switch traffic to it", outlets=[live_asset])
        def switch(started: Any) -> int:
            with steps.step(case) as here:
                from esteira.deploy import release
                from esteira.deploy.facts import Started

                live = release.switch(Started.model_validate_json(started), here.settings)
                here.say(live.sentence())
                here.note(f"**{live.sentence()}**")
                here.produced(live_asset, {"version": live.version})
                return live.version

        @task(task_display_name="Mark the champion in MLflow")
        def mark_champion(version: Any) -> None:
            with steps.step(case) as here:
                from esteira.train import registry

                registry.promote(case, version, here.settings)
                here.say(f"version {version} is the champion")

        mark_champion(switch(start_and_verify(build_image())))

    build_deploy_infra()


for name in steps.cases():
    make(name)
