"""Shows how a run goes: a live table in a terminal, one line for each finished task elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from esteira.stack.records import Run, TaskRun

_MARKS = {
    "success": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "upstream_failed": "[red]·[/]",
    "skipped": "[yellow]–[/]",
    "running": "[cyan]▶[/]",
    "up_for_retry": "[yellow]↻[/]",
}


@dataclass(frozen=True, kw_only=True)
class TaskView:
    """A task of a run, how the Airflow UI calls it, and the sentence that it gave as its result."""

    name: str
    task: TaskRun
    summary: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run and its tasks in the order of the work."""

    run: Run
    tasks: tuple[TaskView, ...] = ()


class Progress(Protocol):
    """Who is told how a run goes."""

    def say(self, text: str) -> None: ...
    def show(self, view: RunView) -> None: ...
    def close(self) -> None: ...


def progress_on(console: Console) -> Progress:
    """A live table where the console is a terminal, lines where it is not."""
    return LiveTable(console) if console.is_terminal else Lines(console)


class LiveTable:
    """Redraws the table of the current run; that of a finished run stays as it ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def say(self, text: str) -> None:
        self._console.print(escape(text))

    def show(self, view: RunView) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="visible")
            self._live.start()
        self._live.update(_picture(view), refresh=True)
        if view.run.is_over:
            self.close()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class Lines:
    """Prints a line when a run starts, when a task of it ends and when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed: set[tuple[str, ...]] = set()

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, view: RunView) -> None:
        run = view.run
        self._once((run.dag_id, run.run_id), f"{run.dag_id} started")
        for item in view.tasks:
            if item.task.is_over:
                self._once((run.run_id, *_identity(item.task)), _line(run, item))
        if run.is_over:
            self._once((run.run_id, "over"), f"{run.dag_id}: {run.state} in {run.seconds:.1f} s")

    def close(self) -> None:
        pass

    def _once(self, key: tuple[str, ...], text: str) -> None:
        if key not in self._printed:
            self._printed.add(key)
            self.say(text)


def _identity(task: TaskRun) -> tuple[str, str]:
    return task.task_id, str(task.map_index)


def _line(run: Run, item: TaskView) -> str:
    result = f": {item.summary}" if item.summary else ""
    return f"  {run.dag_id} / {item.name} {item.task.state} in {item.task.seconds:.1f} s{result}"


def _picture(view: RunView) -> Group:
    title = Text.assemble((view.run.dag_id, "bold"), f"  {view.run.state}  {view.run.seconds:.1f} s")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for item in view.tasks:
        table.add_row(*_row(item))
    return Group(title, table)


def _row(item: TaskView) -> Sequence[str]:
    task = item.task
    mark = _MARKS.get(task.state or "", "[dim]·[/]")
    time = f"{task.seconds:.1f} s" if task.start_date else ""
    return mark, escape(item.name), time, escape(item.summary or "")
