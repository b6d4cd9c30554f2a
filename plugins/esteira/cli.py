"""Every step as a command."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Column, Table

from esteira import bundle, casefile, settings
from esteira.errors import EsteiraError
from esteira.settings import DEFAULT_CASE, Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The conveyor belt that takes a raw CSV to a live, versioned prediction API.",
)
out = Console()
err = Console(stderr=True)

CaseName = Annotated[str, typer.Argument(help="A case: the name of a file in casos/ without .yaml.")]


@app.command()
def up() -> None:
    """Start Airflow and MLflow in the background, and say where they are."""
    from esteira.deploy import live
    from esteira.stack import services

    with _explained() as now, out.status("Starting Airflow and MLflow") as waiting:
        running = services.up(now, say=waiting.update)
        live.resume(now)
        waiting.stop()
        out.print(f"Airflow  {running.airflow_url}  user {running.user}  password {running.password}")
        out.print(f"MLflow   {running.mlflow_url}")


@app.command()
def down() -> None:
    """Stop everything that was started here: the API, Airflow and MLflow."""
    from esteira.deploy import live
    from esteira.stack import services

    with _explained() as now:
        live.stop(None, now)
        services.down(now, say=out.print)
        out.print("Nothing is running any more; artefatos/ and dados/ are as they were.")


@app.command()
def status() -> None:
    """Say what is running and which versions are live."""
    from esteira.deploy import live
    from esteira.stack import services

    with _explained() as now:
        table = Table("what", "state", Column("where", no_wrap=True), "")
        for one in services.status(now):
            memory = f"{one.memory_mb:,} MB" if one.processes else ""
            table.add_row(one.service, one.state, one.url, memory)
        for name in casefile.names(now.CASOS_PATH):
            api = live.live(name, now)
            state = f"version {api.version} live" if api else "not live"
            table.add_row(f"API of {name}", state, api.url if api else "", api.target if api else "")
        out.print(table)


@app.command()
def check(
    case: Annotated[str | None, typer.Argument(help="A case; without it, all of them.")] = None,
) -> None:
    """Validate case files and say what is wrong where."""
    with _explained() as now:
        names = [case] if case else casefile.names(now.CASOS_PATH)
        faults = [fault for name in names if (fault := _fault(now, name))]
        for fault in faults:
            err.print(fault, style="red", highlight=False, markup=False)
        if faults:
            raise typer.Exit(1)


@app.command()
def run(
    case: CaseName = DEFAULT_CASE,
    local: Annotated[
        bool, typer.Option("--local", help="All steps in this process, without Airflow.")
    ] = False,
) -> None:
    """Take a case from its raw file to a live API."""
    with _explained() as now:
        casefile.load(now.CASOS_PATH, case)
        if local:
            _run_here(case, now)
        else:
            _run_in_airflow(case, now)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="A CSV file, as somebody sent it; .gz too.")],
    target: Annotated[str, typer.Option("--target", help="The column that is to be predicted.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The case's name; by default made from the file's.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a case that has this name.")] = False,
) -> None:
    """Look at a file and write its case and its profile."""
    from esteira.new import summary, write

    with _explained() as now:
        with out.status("Looking at the file") as waiting:
            written = write.new(file, target, now, name=name, replace=force, say=waiting.update)
        summary.show(written, out)


@app.command()
def versions(case: CaseName = DEFAULT_CASE) -> None:
    """List a case's published versions, with their scores and what is live."""
    from esteira.deploy import live

    with _explained() as now:
        known = bundle.versions(now.ARTEFATOS_PATH, case)
        serving = live.live(case, now)
        heads = ("version", "published", "model", "on the holdout", "rows", "")
        table = Table(*heads, title=f"Versions of {case}")
        for number in known:
            facts = bundle.load(now.ARTEFATOS_PATH, case, number).metadata
            table.add_row(
                str(number),
                f"{facts.created_at.astimezone():%Y-%m-%d %H:%M}",
                facts.chosen,
                facts.told(),
                f"{facts.dataset.rows:,}",
                "[green]live[/]" if serving and serving.version == number else "",
            )
        out.print(table if known else f"{case} has no version yet; publish one with: esteira run {case}")


def _run_here(case: str, now: Settings) -> None:
    from esteira.stack import local, summary

    now = local.tracked(now)
    local.run(case, now)
    summary.show(case, now, out)


def _run_in_airflow(case: str, now: Settings) -> None:
    from esteira.deploy.live import public_port
    from esteira.stack import services, summary
    from esteira.stack.follow import follow

    public_port(case, now)

    with out.status("Starting Airflow and MLflow") as waiting:
        running = services.up(now, say=waiting.update)
    out.print(f"Follow it too at {running.airflow_url} (user {running.user}, password {running.password})")
    outcome = follow(now, case, console=out)
    if outcome.state == "success":
        summary.show(case, now, out)
    raise typer.Exit(outcome.exit_code)


def _fault(now: Settings, name: str) -> str | None:
    try:
        case = casefile.load(now.CASOS_PATH, name)
    except EsteiraError as error:
        return str(error)
    candidates = ", ".join(one.kind for one in case.train.candidates)
    out.print(f"[green]✓[/] {name}: {case.title}, {len(case.features)} columns → {case.target}; {candidates}")
    return None


@contextmanager
def _explained() -> Iterator[Settings]:
    """The settings for a command; what goes wrong is one message and exit code 1, not a traceback."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=err, show_path=False, show_level=False, show_time=False)],
    )
    logging.getLogger("esteira").setLevel(logging.INFO)
    try:
        yield settings.load()
    except EsteiraError as error:
        err.print(f"[red]✗[/] {type(error).__name__.removesuffix('Error')}", highlight=False)
        err.print(str(error), highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
