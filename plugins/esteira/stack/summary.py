"""What a person reads at the end of a run: the answer, the version, its scores and where things are."""

import subprocess
import sys
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from esteira import bundle
from esteira.deploy.live import live as serving
from esteira.errors import EsteiraError
from esteira.metadata import Interval, Metadata
from esteira.settings import PROJECT, Settings
from esteira.stack.home import USER, Home


class ClientError(EsteiraError):
    """The API went live, but the client got no answer from it."""


def ask(url: str) -> str:
    """What `cliente.py` prints when it asks a live API for the case's example.

    Raises ClientError with the client's own words when it gets no answer.
    """
    answer = subprocess.run(
        [sys.executable, str(PROJECT / "cliente.py"), "--url", url],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise ClientError(f"cliente.py ended with {answer.returncode}: {answer.stderr or answer.stdout}")
    return answer.stdout.strip()


def reached(url: str, settings: Settings) -> str:
    """The address at which this process reaches what callers find at `url`."""
    return url.replace(settings.api_url, settings.GATEWAY_URL or settings.api_url, 1)


def _runs_page(facts: Metadata, settings: Settings) -> Text:
    """The address of the case's runs; where the terminal can, a link to this training's candidates.

    Only MLflow's own address where it does not answer: what was released is released.
    """
    uri, shown = settings.MLFLOW_TRACKING_URI, settings.mlflow_page
    if not uri.startswith("http"):
        return Text(uri)
    try:
        answer = httpx.get(
            f"{uri}/api/2.0/mlflow/experiments/get-by-name",
            params={"experiment_name": facts.case},
            trust_env=not settings.mlflow_is_here,
        )
        found = answer.raise_for_status().json()["experiment"]["experiment_id"]
    except (httpx.HTTPError, KeyError, ValueError):
        return Text(shown)
    page = f"{shown}/#/experiments/{found}/runs"
    chosen = quote(f"tags.`mlflow.parentRunId` = '{facts.mlflow_run_id}'")
    charts = f"workflowType=machine_learning&compareRunsMode=CHART&searchFilter={chosen}"
    return Text(page, Style(link=f"{page}?{charts}"))


def _interval(interval: Interval, unit: str | None) -> str:
    held = f"{interval.asked:.0%} asked, {interval.coverage:.1%} of the holdout inside"
    return f"{held}, half of them narrower than {interval.width:,.4g} {unit or ''}".rstrip()


def show(case: str, settings: Settings, console: Console) -> None:
    """Ask the live API once and print what is live, how good it is and where everything is."""
    live = serving(case, settings)
    if live is None:
        raise ClientError(f"{case} is not live; look at `esteira status` and at the logs of its last run")
    published = bundle.load(settings.ARTEFATOS_PATH, live.case, live.version)
    facts = published.metadata
    console.print(ask(reached(live.url, settings)), highlight=False, markup=False)
    table = Table.grid(padding=(0, 2))
    synthetic = ", [yellow]synthetic data[/]" if facts.dataset.synthetic else ""
    table.add_row(
        "live",
        f"[bold]{live.case} version {live.version}[/], trained on "
        f"{facts.dataset.train_rows:,} rows{synthetic}",
    )
    table.add_row("model", escape(f"{facts.chosen}: {facts.told()} on the holdout"))
    if facts.interval is not None:
        table.add_row("interval", escape(_interval(facts.interval, facts.unit)))
    if "cartao" in facts.files:
        table.add_row("card", escape(str(published.path("cartao"))))
    alone = live.target == "process"  # else the gateway's own page is at its root
    table.add_row("page", f"{live.url}/" if alone else f"{settings.api_url}/{live.case}/")
    table.add_row("API", f"{live.url}/docs")
    password = Home.of(settings).password()
    if password:
        table.add_row(
            "Airflow", f"{settings.airflow_url}  user [bold]{USER}[/]  password [bold]{escape(password)}[/]"
        )
    table.add_row("MLflow", _runs_page(facts, settings))
    if live.target == "process" and settings.DEPLOY_TARGET == "auto":
        table.add_row("target", "a local process; for the container start a Docker engine and run it again")
    console.print(Panel(table, title="Esteira", border_style="green", expand=False))
