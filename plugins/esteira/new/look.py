"""Looks at a file as a person would and decides what its case says, each decision with its reason."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from esteira.columns import Category, Column, Integer, Number
from esteira.data import checks
from esteira.new import goal as goals
from esteira.new import kinds, leaks, sample, survey, table, training
from esteira.new.errors import NewCaseError
from esteira.new.facts import Facts
from esteira.new.form import Form
from esteira.new.goal import FEWEST_ROWS, Goal
from esteira.new.kinds import Choice
from esteira.new.notes import notes
from esteira.new.sample import Sample
from esteira.new.sketch import Finding, Outcome, Sketch
from esteira.new.table import Table


def look(form: Form, target: str, work: Path, say: Callable[[str], None]) -> Sketch:
    """Find out all about a file; `work` is a folder for what does not fit into memory.

    Raises NewCaseError when there is no such target or nothing can be learned.
    """
    check_target(form, target)
    say("Reading the rows")
    with table.opened(form, work) as rows:
        if rows.rows < FEWEST_ROWS:
            raise NewCaseError(f"{form.path} has {rows.rows} rows; a case needs at least {FEWEST_ROWS}")
        say(f"Looking at {len(form.names)} columns of {rows.rows:,} rows")
        return _sketched(rows, form.names.index(target), say)


def check_target(form: Form, target: str) -> None:
    """Raise NewCaseError, with the nearest names, where a file has no such column."""
    if target in form.names:
        return
    by_lower = {name.lower(): name for name in form.names}
    near = difflib.get_close_matches(target.strip().lower(), by_lower, n=3, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(repr(by_lower[name]) for name in near)}?"
        if near
        else f"its columns are: {', '.join(form.names)[:500]}"
    )
    raise NewCaseError(f"{form.path.name} has no column {target!r}; {hint}")


def _sketched(rows: Table, place: int, say: Callable[[str], None]) -> Sketch:
    facts = survey.survey(rows)
    target = facts[place]
    goal = goals.decide(target)
    chosen = [(one, kinds.choose(one)) for one in facts if one.place != place]
    if not any(choice.column for _, choice in chosen):
        raise NewCaseError(_all_unusable(rows.form, chosen))
    tokens = ("", *sorted({token for one in facts for token in one.tokens}))
    say("Looking for columns that give the target away")
    drawn = sample.draw(rows, {**_read(chosen), place: goal.column}, place, tokens)
    found = leaks.strengths(drawn, goal)
    findings = tuple(
        Finding(facts=one, choice=choice, strength=found.get(one.place)) for one, choice in chosen
    )
    if not any(finding.used for finding in findings):
        raise NewCaseError(_all_leaks(rows.form, goal, findings))
    seen = _spread(goal, target, drawn)
    goal = _positive(goal, seen)
    say("Checking every row against the case")
    outcome = _outcome(rows, findings, goal, place, tokens)
    if outcome.kept - outcome.repeated < FEWEST_ROWS:
        raise NewCaseError(
            f"{rows.form.path} has {outcome.kept - outcome.repeated} different rows that can be used, of "
            f"{outcome.rows:,}; a case needs at least {FEWEST_ROWS}"
        )
    kept = [(one.facts, one.choice) for one in findings if one.used]
    sketched = Sketch(
        form=rows.form,
        goal=goal,
        target=target,
        findings=findings,
        settings=tuple(training.settings(goal, kept, outcome.kept, seen)),
        outcome=outcome,
        sample=drawn,
        notes=(),
    )
    outlying = training.far_out(target, seen) if seen else None
    return replace(sketched, notes=tuple(notes(sketched, outlying)))


def _read(chosen: Sequence[tuple[Facts, Choice]]) -> dict[int, Column]:
    """How each column is read for the sample, also one that the case leaves out."""
    text = Category(type="category", optional=True)
    return {
        facts.place: choice.column or (facts.reading.column if facts.reading else text)
        for facts, choice in chosen
    }


def _spread(goal: Goal, target: Facts, drawn: Sample) -> training.Spread | None:
    import numpy as np

    if goal.task == "classification":
        return None
    return training.spread(target, np.asarray(drawn.target, dtype=np.float64))


def _positive(goal: Goal, seen: training.Spread | None) -> Goal:
    """The logarithm needs a target that is declared as positive."""
    if seen is None or not seen.skewed or not isinstance(goal.column, Integer | Number):
        return goal
    lowest = 10.0 ** math.floor(math.log10(seen.low))
    low = max(1, int(lowest)) if isinstance(goal.column, Integer) else lowest
    column = goal.column.model_copy(update={"min": int(low) if low >= 1 else low})
    reasons = (*(one for one in goal.reasons if one != kinds.BY_NATURE), "above 0 for the logarithm")
    return replace(goal, column=column, reasons=reasons)


def _outcome(
    rows: Table, findings: Sequence[Finding], goal: Goal, place: int, tokens: tuple[str, ...]
) -> Outcome:
    """Reads all rows by the very expressions that cleaning uses."""
    columns = {f"c{one.facts.place}": one.choice.column for one in findings if one.used and one.choice.column}
    columns[f"c{place}"] = goal.column
    cells = rows.cells
    typed = checks.typed(cells, checks.cells(cells, {key: key for key in columns}, columns, tokens))
    sound = typed.filter(typed[checks.FAULT].isnull()).drop(checks.FAULT)
    values = ", ".join(sound.columns)
    ((kept, different),) = rows.ask(
        f"SELECT count(*), count(DISTINCT hash({values})) FROM ({rows.connection.compile(sound)})"  # noqa: S608
    )
    return Outcome(rows=rows.rows + rows.broken, kept=int(kept), repeated=int(kept) - int(different))


def _all_unusable(form: Form, chosen: Sequence[tuple[Facts, Choice]]) -> str:
    said = "; ".join(f"{facts.name!r}: {choice.reasons[0]}" for facts, choice in chosen[:5])
    return f"{form.path} has no column to predict the target from: {said or 'there is no other'}"


def _all_leaks(form: Form, goal: Goal, findings: Sequence[Finding]) -> str:
    said = "; ".join(f"{one.facts.name!r}: {one.leak}" for one in findings if one.leak)
    return (
        f"{form.path} has no column to predict {goal.name!r} from but those that seem to hold it ({said}); "
        f"add columns that are known before the target is"
    )
