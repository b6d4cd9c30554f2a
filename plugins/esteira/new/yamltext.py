"""Writes a sketch as the YAML of a case, each decision with its reason beside it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from esteira.columns import Column
from esteira.new.facts import counted, share
from esteira.new.sketch import Finding, Sketch
from esteira.new.yamlwords import scalar, written

_WIDTH = 110
_BESIDE = 62
"""A line that is longer has its reason above it."""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What the YAML says besides the sketch: its name and where things are."""

    name: str
    title: str
    files: str
    """`source.files`: the file's bare name if it lies in `raw`, else its absolute path."""
    raw: Path
    profile: Path


@dataclass(frozen=True)
class _Line:
    text: str
    reason: str = ""


def as_yaml(sketch: Sketch, heading: Heading) -> str:
    """The whole YAML file."""
    parts: list[Sequence[_Line]] = [
        [_Line(f"title: {scalar(heading.title)}")],
        [*_source(sketch, heading)],
        [
            _Line(f"target: {scalar(sketch.goal.name)}"),
            _Line(f"task: {sketch.goal.task}", sketch.goal.reasons[0]),
        ],
        [_Line("columns:"), *_columns(sketch)],
        [*_clean(sketch)],
        [
            _Line("train:"),
            *(_Line(f"  {one.key}: {written(one.value)}", one.reason) for one in sketch.settings),
        ],
        [_gate(sketch)],
    ]
    body = "\n".join(line for part in parts for line in _aligned(part))
    return f"{_opening(sketch, heading)}{body}\n"


def _opening(sketch: Sketch, heading: Heading) -> str:
    form = sketch.form
    said = [
        f"Written by `esteira new` from {form.path.name}: {sketch.outcome.rows:,} rows, "
        f"{len(form.names)} columns; {sketch.outcome.kept:,} rows can be used.",
        f"Each decision has its reason beside it. Correct what is wrong, then: make run CASE={heading.name}",
        f"The profile of every column: {heading.profile}",
        *(f"Look at this: {note}" for note in sketch.notes),
    ]
    return "".join(f"{line}\n" for sentence in said for line in _comment(sentence, ""))


def _source(sketch: Sketch, heading: Heading) -> Iterator[_Line]:
    yield _Line("source:")
    if Path(heading.files).is_absolute():
        reason = (
            f"to take the case to another machine, put the file into {heading.raw} "
            f"and write its bare name here"
        )
        yield _Line(f"  files: {scalar(heading.files)}", reason)
    else:
        yield _Line(f"  files: {scalar(heading.files)}", "under RAW_DATA_PATH")
    yield _Line(f"  delimiter: {json.dumps(sketch.form.delimiter)}")
    latin = "its bytes are not UTF-8" if sketch.form.encoding == "latin-1" else ""
    yield _Line(f"  encoding: {sketch.form.encoding}", latin)
    if sketch.tokens:
        told = "; ".join(f"{text!r} in {_some(names)}" for text, names in sketch.tokens.items())
        reason = f"empty, and what stands for a missing value: {told}"
        yield _Line(f"  missing: {written(['', *sketch.tokens])}", reason)
    if sketch.max_rejected is not None:
        reason = f"{sketch.outcome.rejected:,} of {sketch.outcome.rows:,} rows are expected to be rejected"
        yield _Line(f"  max_rejected: {scalar(sketch.max_rejected)}", reason)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _columns(sketch: Sketch) -> Iterator[_Line]:
    """In the order of the file, the target among them."""
    target = sketch.target.place
    before = [one for one in sketch.findings if one.facts.place < target]
    yield from map(_column, before)
    reasons = ("the target", *sketch.goal.reasons[1:])
    yield _Line(_declared(sketch.goal.name, sketch.goal.column), "; ".join(reasons))
    yield from map(_column, sketch.findings[len(before) :])


def _column(finding: Finding) -> _Line:
    name, column = finding.facts.name, finding.choice.column
    if column is None:
        return _Line(f"  # {_clear(scalar(name))}: left out, {finding.choice.reasons[0]}")
    declared = _declared(name, column)
    if finding.leak:
        reason = f"probably leaks the target: {finding.leak}; take the first # away if it is known before"
        return _Line(f"  # {declared.lstrip()}", reason)
    reasons = "; ".join(finding.choice.reasons)
    missing = finding.facts.missing
    if missing:
        reasons += f"; {share(missing, finding.facts.rows)} missing"
    return _Line(declared, reasons)


def _declared(name: str, column: Column) -> str:
    said = column.model_dump(exclude_defaults=True)
    said = {
        "type": column.type,
        **{key: said[key] for key in sorted(said, key=_ORDER.index) if key != "type"},
    }
    start = f"  {scalar(name)}: "
    return start + written(said, " " * 6)


_ORDER = (
    "type", "levels", "ignore_case", "format", "time", "min", "max", "unit", "decimal", "thousands", "symbol",
    "description", "optional",
)  # fmt: skip


def _clean(sketch: Sketch) -> Iterator[_Line]:
    repeated = counted(sketch.outcome.repeated, "row")
    if sketch.drops_duplicates:
        yield _Line("clean: [drop_duplicates]", f"{repeated} that repeat another in every column")
    elif sketch.outcome.repeated:
        told = ", ".join(sketch.identifiers)
        yield _Line("# clean: [drop_duplicates]", f"{repeated} equal to another but for {told}")
    else:
        yield _Line("# clean: [drop_duplicates]", "no row repeats another")


def _gate(sketch: Sketch) -> _Line:
    if sketch.goal.task == "regression":
        metric = "r2_log: 0.7" if any(one.key == "log_target" for one in sketch.settings) else "r2: 0.7"
        asked = f"{metric}, coverage: 0.88"
    else:
        metric = next(str(one.value) for one in sketch.settings if one.key == "metric")
        asked = f"{metric}: 0.8"
    return _Line(f"# gate: {{{asked}}}", "after a first run: what a model must reach to go live")


def _aligned(lines: Iterable[_Line]) -> Iterator[str]:
    """The reasons of a part in one column; that of a long line stands above it."""
    lines = list(lines)
    beside = [line for line in lines if line.reason and _fits(line)]
    column = max((len(line.text) for line in beside), default=0) + 2
    for line in lines:
        indent = " " * (len(line.text) - len(line.text.lstrip()))
        if not line.reason:
            yield line.text
        elif line in beside and column + len(_clear(line.reason)) + 2 <= _WIDTH:
            yield f"{line.text:<{column}}# {_clear(line.reason)}"
        else:
            yield from _comment(line.reason, indent)
            yield line.text


def _fits(line: _Line) -> bool:
    return len(line.text) <= _BESIDE and "\n" not in line.text


def _comment(sentence: str, indent: str) -> list[str]:
    return textwrap.wrap(
        _clear(sentence),
        _WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _clear(text: str) -> str:
    """A text for a comment: on one line, and of what YAML lets stand there."""
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
