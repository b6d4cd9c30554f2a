"""The profile of a file as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import cast

from esteira import days
from esteira.columns import Category
from esteira.new import pictures
from esteira.new.facts import Facts, amount, share
from esteira.new.sketch import Finding, Sketch
from esteira.new.yamltext import Heading

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --soft: #66788a; --line: #e1e7ec; --bar: #2f7ed8;
  --box: #b9d4f3; --lost: #c2413c; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #8b98a5; --line: #2d3640;
  --bar: #5aa2ef; --box: #27476d; --lost: #f0827e; --paper: #12171c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.1rem; }
.soft { color: var(--soft); } .lost { color: var(--lost); } .scroll { overflow-x: auto; }
ul.look { border-left: 4px solid var(--lost); padding: .2rem .8rem .2rem 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .4rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--soft); font-weight: 500; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.why { color: var(--soft); font-size: .87em; max-width: 26rem; overflow-wrap: anywhere; }
tr.out td { color: var(--soft); } code { font-size: .9em; overflow-wrap: anywhere; }
svg { display: block; } .bar { fill: var(--bar); } .box { fill: var(--box); }
.hue0 { fill: #2f7ed8; } .hue1 { fill: #e8833a; } .hue2 { fill: #4aa564; } .hue3 { fill: #b65fc2; }
.hue4 { fill: #d8b32f; } .hue5 { fill: #35a8a8; } .hue6 { fill: #d55b6d; } .hue7 { fill: #8a8f98; }
.key { display: inline-block; width: .7rem; height: .7rem; margin: 0 .25rem 0 .8rem; }
.key svg { width: .7rem; height: .7rem; }
"""
_MOST_HUES = 8


def as_page(sketch: Sketch, heading: Heading) -> str:
    """The profile for a person to look at: what was decided, what deserves attention, and each column."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(heading.title)}: profile</title>"
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"{_top(sketch, heading)}{_look(sketch)}{_decided(sketch)}{_columns(sketch)}</html>\n"
    )


def _top(sketch: Sketch, heading: Heading) -> str:
    outcome, form = sketch.outcome, sketch.form
    return (
        f"<h1>{escape(heading.title)}</h1>"
        f"<p class=soft>Profile of <code>{escape(form.path.name)}</code> "
        f"for the case <b>{heading.name}</b></p>"
        f"<p><b>{outcome.rows:,}</b> rows, <b>{len(form.names):,}</b> columns; "
        f"<b>{outcome.kept:,}</b> rows can be used, {outcome.rejected:,} will be rejected, "
        f"{outcome.repeated:,} repeat another.</p>"
    )


def _look(sketch: Sketch) -> str:
    items = "".join(f"<li>{escape(note)}" for note in sketch.notes)
    return f"<h2>What deserves attention</h2><ul class=look>{items or '<li>Nothing stood out'}</ul>"


def _decided(sketch: Sketch) -> str:
    rows = [("target", sketch.goal.name, "; ".join(sketch.goal.reasons))]
    rows += [(one.key, _words(one.value), one.reason) for one in sketch.settings]
    cells = "".join(
        f"<tr><td>{escape(key)}<td><b>{escape(value)}</b><td class=soft>{escape(reason)}"
        for key, value, reason in rows
    )
    return f"<h2>What was decided</h2><table>{cells}</table>"


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _columns(sketch: Sketch) -> str:
    head = (
        "<tr><th>column<th>type<th>range or levels<th class=n>missing<th>distribution"
        f"<th>{escape(sketch.goal.name)} along it<th class=n>alone"
    )
    rows = "".join(_column(sketch, finding) for finding in sketch.findings)
    return (
        f"<h2>Columns</h2><p class=soft>{_legend(sketch)}</p><div class=scroll><table>{head}"
        f"{_target(sketch)}{rows}</table></div>"
    )


def _legend(sketch: Sketch) -> str:
    alone = (
        "<i>alone</i>: how well the target is predicted from that column only, cross-validated on a sample."
    )
    name = escape(sketch.goal.name)
    if sketch.goal.task == "regression":
        return f"Boxes hold the middle half of {name} in each tenth of a column; lines are medians. {alone}"
    classes = list(sketch.goal.classes)
    if sketch.goal.binary:
        return f"Bars show the share of {escape(classes[1])!r} in each tenth of a column. {alone}"
    keys = "".join(
        f'<span class=key><svg viewBox="0 0 1 1"><rect class=hue{place} width="1" height="1"/></svg></span>'
        f"{escape(label)}"
        for place, label in enumerate(classes[:_MOST_HUES])
    )
    return f"Bars show the share of each class in each tenth of a column:{keys}. {alone}"


def _target(sketch: Sketch) -> str:
    picture = pictures.distribution(_shown(sketch), date=False)
    name = f"<b>{escape(sketch.goal.name)}</b><div class=why>the target</div>"
    return (
        f"<tr><td>{name}<td>{sketch.goal.column.type}"
        f"<td>{_range(sketch.target)}<td class=n>{_missing(sketch.target)}<td>{picture}<td><td>"
    )


def _shown(sketch: Sketch) -> pictures.Values:
    """The target to be drawn: whole-number classes as texts."""
    target = sketch.sample.target
    if not _coded(sketch):
        return target
    return cast("pictures.Values", target.astype("int64").astype(str).astype(object))


def _coded(sketch: Sketch) -> bool:
    return isinstance(sketch.goal.column, Category) and not sketch.goal.column.is_text


def _column(sketch: Sketch, finding: Finding) -> str:
    facts, column = finding.facts, finding.choice.column
    kind = column.type if column else "left out"
    why = f"<div class=lost>leak? {escape(finding.leak)}</div>" if finding.leak else ""
    reasons = escape("; ".join(finding.choice.reasons))
    alone = str(finding.strength).rpartition(" ")[2] if finding.strength and column else ""
    return (
        f"<tr{'' if finding.used else ' class=out'}><td><b>{escape(facts.name)}</b><td>{kind}{why}"
        f"<div class=why>{reasons}</div><td>{_range(facts)}<td class=n>{_missing(facts)}"
        f"<td>{_distribution(sketch, finding)}<td>{_relation(sketch, finding)}<td class=n>{alone}"
    )


def _distribution(sketch: Sketch, finding: Finding) -> str:
    if finding.facts.present == 0:
        return ""
    values = sketch.sample.values[finding.facts.place]
    return pictures.distribution(values, date=finding.facts.date is not None)


def _relation(sketch: Sketch, finding: Finding) -> str:
    if finding.choice.column is None:
        return ""
    values, date = sketch.sample.values[finding.facts.place], finding.facts.date is not None
    if sketch.goal.task == "regression":
        logarithm = any(one.key == "log_target" for one in sketch.settings)
        return pictures.relation_to_number(values, sketch.sample.target, date=date, logarithm=logarithm)
    return pictures.relation_to_classes(values, _shown(sketch), list(sketch.goal.classes), date=date)


def _range(facts: Facts) -> str:
    if facts.reading is not None and facts.low is not None and facts.high is not None:
        ends = (
            (days.to_text(facts.low), days.to_text(facts.high))
            if facts.date
            else (amount(facts.low), amount(facts.high))
        )
        return f"{ends[0]} … {ends[1]}<div class=why>{facts.distinct:,} different</div>"
    most = ", ".join(
        f"{escape(str(text)[:40])} ({times:,})" for text, times in list((facts.counts or {}).items())[:5]
    )
    return f"{facts.distinct:,} levels<div class=why>{most}</div>"


def _missing(facts: Facts) -> str:
    return share(facts.missing, facts.rows) if facts.missing else "0"
