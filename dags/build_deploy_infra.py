"""A published version → an image → the live API: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, task

from esteira.chain import dag_id

DOC = """
{about}

Builds the image of a version, starts it beside the old one, waits until it is ready and asks it the
version's golden examples. Only then does it take over the public port. On any failure the old one
serves on and the task says why. Without a Docker engine the API runs as a local process.
"""


def make(case: str) -> None:
    about, _ = steps.about(case)
    version_asset, live_asset = steps.asset(case, "version"), steps.asset(case, "live")

    @dag(
        dag_id=dag_id("build_deploy_infra", case),
        dag_display_name=f"3 build_deploy_infra · {case}",
        description=f"A published version to the live API ({case})",
        doc_md=DOC.format(about=about),
        tags=["esteira", case, "3 deploy"],
        schedule=[version_asset],
        max_active_runs=1,
        default_args=steps.DEFAULTS,
        params={
            "version": Param(
                None,
                type=["null", "integer"],
                minimum=1,
                title="Version",
                description="The version to put live. Empty: the one that was just published.",
            )
        },
    )
    def build_deploy_infra() -> None:
        @task(task_display_name="Build the image", inlets=[version_asset])
        def build_image() -> str:
            from esteira.deploy import release

            with steps.step(case) as here:
                version = here.params["version"] or here.given(version_asset)["version"]
                built = release.build(case, version, here.settings)
                here.say(built.sentence())
                return built.model_dump_json()

        @task(task_display_name="Start it and ask it the golden examples")
        def start_and_verify(built: Any) -> str:
            from esteira.deploy import release
            from esteira.deploy.facts import Build

            with steps.step(case) as here:
                started = release.start_and_verify(Build.model_validate_json(built), here.settings)
                here.say(started.sentence())
                return started.model_dump_json()

        @task(task_display_name="Switch to it", outlets=[live_asset])
        def switch(started: Any) -> int:
            from esteira.deploy import release
            from esteira.deploy.facts import Started

            with steps.step(case) as here:
                live = release.switch(Started.model_validate_json(started), here.settings)
                here.say(live.sentence())
                here.note(f"**{live.sentence()}**")
                here.produced(live_asset, {"version": live.version})
                return live.version

        @task(task_display_name="Mark it as champion in MLflow")
        def mark_champion(version: Any) -> None:
            from esteira.train import registry

            with steps.step(case) as here:
                registry.promote(case, version, here.settings)
                here.say(f"version {version} is the champion")

        mark_champion(switch(start_and_verify(build_image())))

    build_deploy_infra()


for name in steps.cases():
    make(name)
