import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from esteira.stack.progress import Lines, LiveTable, RunView, TaskView, progress_on
from esteira.stack.records import Run, TaskRun

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def view(state: str, *tasks: TaskView) -> RunView:
    end = NOON + timedelta(seconds=4) if state != "running" else None
    run = Run(dag_id="train", dag_run_id="one", state=state, start_date=NOON, end_date=end)
    return RunView(run=run, tasks=tasks)


def task(name: str, state: str, summary: str | None = None) -> TaskView:
    ended = TaskRun(
        task_id=name,
        map_index=-1,
        state=state,
        try_number=1,
        start_date=NOON,
        end_date=NOON + timedelta(seconds=1.5),
    )
    return TaskView(task=ended, name=name, summary=summary)


def test_in_a_pipe_each_end_of_a_task_is_one_line_once() -> None:
    text = io.StringIO()
    lines = progress_on(Console(file=text, width=60))
    assert isinstance(lines, Lines)
    long = "linear_regression: R² 0.981, RMSE 1,612, MAE 1,203, in 2.1 s on 400,000 rows [bounded]"
    for state in ("running", "running", "success"):
        lines.show(view(state, task("Fit", "success", long), task("Publish", "running")))
    assert text.getvalue().splitlines() == [
        "train started",
        f"  train / Fit success in 1.5 s: {long}",
        "train: success in 4.0 s",
    ]


def test_in_a_terminal_the_finished_table_stays_with_each_result() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100, color_system=None)
    live = progress_on(console)
    assert isinstance(live, LiveTable)
    live.show(view("running", task("Fit", "running")))
    live.show(view("success", task("Fit", "success", "R² 0.981 [bounded]")))
    live.close()
    last = text.getvalue().rsplit("train", 1)[1]
    assert "success  4.0 s" in last
    assert "R² 0.981 [bounded]" in last
