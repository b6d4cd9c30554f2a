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
        def build_image(
            *, params: dict[str, Any], triggering_asset_events: Any, inlet_events: Any
        ) -> dict[str, Any]:
            from esteira.deploy import release

            now = steps.current()
            with steps.reporting(now) as report:
                events = triggering_asset_events.get(version_asset) or inlet_events[version_asset]
                version = params["version"] or steps.last_extra(events, f"a version of {case}")["version"]
                built = release.build(case, version, now)
                report.say(built.sentence())
                return built.model_dump(mode="json")

        @task(task_display_name="Start it and ask it the golden examples")
        def start_and_verify(built: dict[str, Any]) -> dict[str, Any]:
            from esteira.deploy import release

            now = steps.current()
            with steps.reporting(now) as report:
                started = release.start_and_verify(release.Build.model_validate(built), now)
                report.say(started.sentence())
                return started.model_dump(mode="json")

        @task(task_display_name="Switch to it", outlets=[live_asset])
        def switch(started: dict[str, Any], *, outlet_events: Any) -> int:
            from esteira.deploy import release

            now = steps.current()
            with steps.reporting(now) as report:
                live = release.switch(release.Started.model_validate(started), now)
                report.say(live.sentence())
                report.note(f"**{live.sentence()}**")
                outlet_events[live_asset].extra = {"version": live.version}
                return live.version

        @task(task_display_name="Mark it as champion in MLflow")
        def mark_champion(version: int) -> None:
            from esteira.train import registry

            now = steps.current()
            with steps.reporting(now) as report:
                registry.promote(case, version, now)
                report.say(f"version {version} is the champion")

        mark_champion(switch(start_and_verify(build_image())))  # type: ignore[arg-type]

    build_deploy_infra()


for name in steps.cases():
    make(name)
