"""A published version → an image → the live API: one DAG for each case."""

from __future__ import annotations

from typing import Any

import steps
from airflow.sdk import Param, dag, task

from esteira.chain import dag_id

DOC = """
{about}

- **Build the image** of a version, after every file of it was verified.
- **Start it beside the old one**, where no caller reaches it, until it is ready.
- **Ask it the golden examples**: it must answer as the training did.
- **Try it on live traffic**, where that is asked for: on copies of requests, then on a share of them. What is
  worse than the case's `release:` limits goes back by itself.
- **Switch all traffic to it** without a failed request; on any failure the old one serves on.
- **Drain and stop the old one**, which is kept for going back: `esteira rollback {case}`.
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
        doc_md=DOC.format(about=about, case=case),
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
            ),
            "canary": Param(
                None,
                type=["null", "integer"],
                minimum=0,
                maximum=50,
                title="Canary",
                description="Percent of the requests that the version gets first. Empty: as the case says.",
            ),
            "bake": Param(
                None,
                type=["null", "number"],
                exclusiveMinimum=0,
                title="Bake",
                description="Seconds for which the canary is watched. Empty: as the case says.",
            ),
            "shadow": Param(
                None,
                type=["null", "integer"],
                minimum=0,
                maximum=100,
                title="Shadow",
                description="Percent of the requests that are copied to the version, unseen by their "
                "callers, to compare its answers. Empty: as the case says.",
            ),
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

        @task(task_display_name="Start it beside the old one")
        def start_beside(built: Any) -> str:
            with steps.step(case) as here:
                from esteira.deploy import release
                from esteira.deploy.facts import Build

                started = release.start(Build.model_validate_json(built), here.settings)
                here.say(started.sentence())
                return started.model_dump_json()

        @task(task_display_name="Ask it the golden examples")
        def ask_golden(started: Any) -> str:
            with steps.step(case) as here:
                from esteira.deploy import release
                from esteira.deploy.facts import Started

                verified = release.ask_golden(Started.model_validate_json(started), here.settings)
                here.say(verified.sentence())
                return verified.model_dump_json()

        @task(task_display_name="Try it on live traffic")
        def try_on_traffic(verified: Any) -> str:
            with steps.step(case) as here:
                from esteira.deploy import trial
                from esteira.deploy.facts import Verified, Wanted

                wanted = Wanted.model_validate({name: here.params[name] for name in Wanted.model_fields})
                ready = Verified.model_validate_json(verified)
                tried = trial.try_out(ready, wanted, here.settings, here.say)
                return tried.model_dump_json()

        @task(task_display_name="Switch all traffic to it", outlets=[live_asset])
        def switch(tried: Any) -> str:
            with steps.step(case) as here:
                from esteira.deploy import release
                from esteira.deploy.facts import Verified

                live = release.switch(Verified.model_validate_json(tried), here.settings)
                here.say(live.sentence())
                here.note(f"**{live.sentence()}**")
                here.produced(live_asset, {"version": live.version})
                return live.model_dump_json()

        @task(task_display_name="Drain and stop the old one")
        def retire_old(live: Any) -> None:
            with steps.step(case) as here:
                from esteira.deploy import release
                from esteira.deploy.facts import Release

                here.say(release.retire(Release.model_validate_json(live), here.settings).sentence())

        @task(task_display_name="Mark the champion in MLflow")
        def mark_champion() -> None:
            with steps.step(case) as here:
                from esteira.deploy import champion

                version = champion.follow(case, here.settings)
                here.say(f"version {version} is the champion" if version else "MLflow does not know it")

        live = switch(try_on_traffic(ask_golden(start_beside(build_image()))))
        retire_old(live) >> mark_champion()

    build_deploy_infra()


for name in steps.cases():
    make(name)
