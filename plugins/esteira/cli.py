"""Every step as a command."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.status import Status
from rich.table import Column, Table

from esteira import bundle, casefile, settings
from esteira.errors import EsteiraError
from esteira.settings import DEFAULT_CASE, Settings

if TYPE_CHECKING:
    from esteira.deploy.marks import Marks

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The conveyor belt that takes a raw CSV to a live, versioned prediction API.",
)
keys = typer.Typer(no_args_is_help=True, help="API keys, for an API that others can reach.")
app.add_typer(keys, name="keys")
out = Console(emoji=False)
err = Console(stderr=True, emoji=False)

SHADOW_PERCENT = 20

CaseName = Annotated[str, typer.Argument(help="A case: the name of a file in casos/ without .yaml.")]


@app.command()
def up() -> None:
    """Start Airflow and MLflow in the background, and say where they are."""
    from esteira.deploy import champion, live
    from esteira.stack import services

    with _explained() as now, out.status("Starting Airflow and MLflow") as waiting:
        running = services.up(now, say=_beside(waiting))
        for one in live.resume(now):
            champion.try_to_follow(one.case, now)
        waiting.stop()
        login = f"user {running.user}  password {running.password}"
        out.print(escape(f"Airflow  {running.airflow_url}  {login}"))
        out.print(escape(f"MLflow   {running.mlflow_url}"))


@app.command()
def down() -> None:
    """Stop everything that was started here: the API, Airflow and MLflow."""
    from esteira.deploy import live
    from esteira.stack import services

    with _explained() as now:
        try:
            live.stop(None, now)
        finally:
            services.down(now, say=_print)
        out.print("Nothing is running any more; artefatos/ and dados/ are as they were.")


@app.command()
def status() -> None:
    """Say what is running and which versions are live."""
    from esteira.deploy import live, marks
    from esteira.stack import services

    with _explained() as now:
        table = Table("what", "state", Column("where", no_wrap=True), "")
        for one in services.status(now):
            memory = f"{one.memory_mb:,} MB" if one.processes else ""
            table.add_row(one.service, one.state, escape(one.url), memory)
        for name in casefile.names(now.CASOS_PATH):
            api = live.live(name, now)
            state = f"version {api.version} live" if api else "not live"
            state += ", pinned" if marks.read(now, name).pinned else ""
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
            written = write.new(file, target, now, name=name, replace=force, say=_beside(waiting))
        summary.show(written, out)


@app.command()
def release(
    case: CaseName = DEFAULT_CASE,
    version: Annotated[
        int | None, typer.Option(min=1, help="The version; by default the newest that is not withdrawn.")
    ] = None,
    canary: Annotated[
        int | None, typer.Option(min=0, max=50, help="Percent of the requests that it gets first.")
    ] = None,
    bake: Annotated[float | None, typer.Option(min=1, help="Seconds for which they are watched.")] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Compare its answers to copies of live requests before that.")
    ] = False,
) -> None:
    """Put a version live: beside the old one first, then on a share of the traffic, then on all of it."""
    from esteira.deploy.facts import Wanted
    from esteira.deploy.limits import limits
    from esteira.deploy.whole import go_live

    with _explained() as now, out.status(escape(f"Releasing {case}")) as waiting:
        copied = (limits(now, case).shadow or SHADOW_PERCENT) if shadow else None
        wanted = Wanted(canary=canary, bake=bake, shadow=copied)
        go_live(case, version, now, wanted, say=_told(_beside(waiting)))


@app.command()
def rollback(
    case: CaseName = DEFAULT_CASE,
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="The version; by default the one that served before.")
    ] = None,
) -> None:
    """Go back to an earlier version, at once; Airflow and MLflow need not run."""
    from esteira.deploy import back, champion
    from esteira.deploy import release as steps

    with _explained() as now:
        with out.status(escape(f"Going back to an earlier version of {case}")) as waiting:
            went = back.roll_back(case, to, now)
            out.print(f"[green]✓[/] {escape(went.sentence())}, in {went.seconds:.1f} s", highlight=False)
            waiting.update("Stopping what served before")
            steps.retire(went, now)
        champion.try_to_follow(case, now)


@app.command()
def releases(
    case: CaseName = DEFAULT_CASE,
    as_json: Annotated[bool, typer.Option("--json", help="The journal's lines as they are.")] = False,
) -> None:
    """Show what went live when, from which version, by whom, and how it ended."""
    from esteira.deploy import audit, journal

    with _explained() as now:
        lines = journal.releases(now.ARTEFATOS_PATH, case)
        if as_json:
            for line in lines:
                out.print_json(line.model_dump_json(exclude_none=True), indent=None)
        else:
            nothing = escape(f"Nothing of {case} was released yet")
            out.print(audit.table(case, lines, out.width) if lines else nothing)


@app.command()
def withdraw(
    case: CaseName,
    version: Annotated[int, typer.Argument(min=1)],
    reason: Annotated[str | None, typer.Option(help="Why; for whoever wants to release it.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let it be released again.")] = False,
) -> None:
    """Have a version never released again."""
    from esteira.deploy import marks

    with _explained() as now:
        marks.mark(now, case, version, "restored" if undo else "withdrawn", reason)
        done = "may be released again" if undo else "is withdrawn: no release takes it"
        _print(f"Version {version} of {case} {done}")


@app.command()
def pin(
    case: CaseName,
    version: Annotated[int | None, typer.Option(min=1, help="By default the one that serves.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; for whoever wants another one.")] = None,
) -> None:
    """Have no other version of a case go live until `unpin`."""
    from esteira.deploy import marks

    with _explained() as now:
        pinned = marks.mark(now, case, version or marks.serving(now, case), "pinned", reason)
        _print(f"{case} stays at version {pinned.version} until: esteira unpin {case}")


@app.command()
def unpin(case: CaseName) -> None:
    """Let other versions of a case go live again."""
    from esteira.deploy import marks

    with _explained() as now:
        marks.unpin(now, case)
        _print(f"{case} takes new versions again")


@app.command()
def versions(case: CaseName = DEFAULT_CASE) -> None:
    """List a case's published versions, with their scores and what is live, pinned or withdrawn."""
    from esteira.deploy import live, marks

    with _explained() as now:
        known = bundle.versions(now.ARTEFATOS_PATH, case)
        serving, said = live.live(case, now), marks.read(now, case)
        heads = ("version", "published", "model", "on the holdout", "rows", "")
        table = Table(*heads, title=escape(f"Versions of {case}"))
        for number in known:
            facts = bundle.load(now.ARTEFATOS_PATH, case, number).metadata
            table.add_row(
                str(number),
                f"{facts.created_at.astimezone():%Y-%m-%d %H:%M}",
                escape(facts.chosen),
                escape(facts.told()),
                f"{facts.dataset.rows:,}",
                _standing(number, serving.version if serving else None, said),
            )
        none = escape(f"{case} has no version yet; publish one with: esteira run {case}")
        out.print(table if known else none)


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Who it is for.")],
    rate: Annotated[
        str | None, typer.Option(help="How often it may ask, such as 50/s; by default without a limit.")
    ] = None,
) -> None:
    """Make a key and show it, this once."""
    from esteira import apikeys

    with _explained() as now:
        key = apikeys.add(now.ESTEIRA_HOME, name, _per_second(rate))
        told = f"The key of {name}, which is not kept and cannot be shown again:"
        err.print(told, highlight=False, markup=False)
        print(key)
        err.print(
            f"An API asks for it that is started with API_KEYS_FILE={apikeys.path(now.ESTEIRA_HOME)}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


@keys.command("list")
def list_keys() -> None:
    """Show whose keys there are; never the keys."""
    from esteira import apikeys

    with _explained() as now:
        table = Table("name", "rate", "made", title="API keys")
        known = apikeys.read(now.ESTEIRA_HOME)
        for one in known:
            rate = f"{one.rate:g}/s" if one.rate else "no limit"
            table.add_row(escape(one.name), rate, f"{one.created.astimezone():%Y-%m-%d %H:%M}")
        out.print(table if known else "There is no API key; make one with: esteira keys add NAME")


@keys.command("revoke")
def revoke_key(name: str) -> None:
    """Have a key let nobody in any more, in running APIs too."""
    from esteira import apikeys

    with _explained() as now:
        apikeys.revoke(now.ESTEIRA_HOME, name)
        _print(f"The key of {name} is revoked; running APIs know it within a second")


def _per_second(rate: str | None) -> float | None:
    try:
        return None if rate is None else float(rate.removesuffix("/s"))
    except ValueError:
        raise typer.BadParameter(
            f"--rate is requests a second, such as 50/s or 0.5/s, not {rate!r}"
        ) from None


def _standing(version: int, serving: int | None, said: "Marks") -> str:
    words = ["[green]live[/]"] if version == serving else []
    words += ["[cyan]pinned[/]"] if said.pinned and said.pinned.version == version else []
    words += ["[yellow]withdrawn[/]"] if version in said.withdrawn else []
    return ", ".join(words)


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
        running = services.up(now, say=_beside(waiting))
    login = f"user {running.user}, password {running.password}"
    out.print(escape(f"Follow it too at {running.airflow_url} ({login})"))
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
    told = f"{name}: {case.title}, {len(case.features)} columns → {case.target}; {candidates}"
    out.print(f"[green]✓[/] {escape(told)}")
    return None


def _told(update: Callable[[str], None]) -> Callable[[str], None]:
    """Each sentence stays on the screen, and stands beside the spinner until the next one."""

    def tell(sentence: str) -> None:
        out.print(f"[green]✓[/] {escape(sentence)}", highlight=False)
        update(sentence)

    return tell


def _beside(waiting: Status) -> Callable[[str], None]:
    """Puts a sentence beside the spinner as it is: it may quote what users wrote."""
    return lambda sentence: waiting.update(escape(sentence))


def _print(sentence: str) -> None:
    out.print(sentence, highlight=False, markup=False)


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
