"""The quality report as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape

from esteira.data.report import ColumnProfile, Report, Source, Step

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --soft: #66788a; --line: #e1e7ec; --bar: #2f7ed8;
  --lost: #d9534f; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #8b98a5; --line: #2d3640;
  --bar: #5aa2ef; --lost: #f0827e; --paper: #12171c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.1rem; }
.soft { color: var(--soft); } .lost { color: var(--lost); }
.warn { border-left: 4px solid var(--lost); padding: .4rem .8rem; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .35rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: middle; } th { color: var(--soft); font-weight: 500; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.track { background: var(--line); height: .8rem; border-radius: .2rem; min-width: 12rem; }
.fill { background: var(--bar); height: 100%; border-radius: .2rem; }
code { font-size: .85em; overflow-wrap: anywhere; } svg { display: block; } rect { fill: var(--bar); }
"""
_WIDTH, _HEIGHT = 192, 36


def as_page(report: Report) -> str:
    """The report for a person to look at: the funnel, what went and why, and each column."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(report.title)}: data quality</title>"
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"{_heading(report)}{_funnel(report)}{_losses(report)}{_classes(report)}{_columns(report)}"
        f"{_sources(report)}</html>\n"
    )


def _heading(report: Report) -> str:
    warning = (
        '<p class="warn">This data is synthetic: it was generated, not observed.</p>'
        if report.synthetic
        else ""
    )
    return (
        f"<h1>{escape(report.title)}</h1><p class=soft>Data quality of <b>{escape(report.case)}</b> "
        f"{report.sha}, {report.created_at:%Y-%m-%d %H:%M} UTC, in {report.seconds:.1f} s</p>{warning}"
        f"<p><b>{report.rows_in:,}</b> rows in, <b>{report.rows_out:,}</b> out: "
        f"{report.rejected:,} kept aside, {report.duplicates:,} duplicates.</p>"
    )


def _funnel(report: Report) -> str:
    start = f"<tr><td>read<td class=n>{report.rows_in:,}<td>{_track(1.0)}<td>"
    rows = "".join(_stage(step, report.rows_in) for step in report.steps)
    return f"<h2>From rows in to rows out</h2><table>{start}{rows}</table>"


def _stage(step: Step, rows_in: int) -> str:
    lost = sum(drop.rows for drop in step.drops)
    loss = f"<span class=lost>−{lost:,}</span>" if lost else "<span class=soft>nothing dropped</span>"
    track = _track(step.rows_after / max(rows_in, 1))
    return f"<tr><td>{escape(step.name)}<td class=n>{step.rows_after:,}<td>{track}<td>{loss}"


def _track(share: float) -> str:
    return f'<div class=track><div class=fill style="width:{100 * share:.2f}%"></div></div>'


def _losses(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(step.name)}<td>{escape(drop.reason)}<td class=n>{drop.rows:,}"
        f"<td>{f'{escape(drop.file or str())} line {drop.line:,}' if drop.line else ''}"
        f"<td><code>{escape(drop.example or '')}</code>"
        for step in report.steps
        for drop in step.drops
    )
    if not rows:
        return ""
    head = "<tr><th>step<th>reason<th class=n>rows<th>first<th>example"
    return f"<h2>What was dropped, and why</h2><table>{head}{rows}</table>"


def _classes(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(bar.label)}<td class=n>{bar.rows:,}<td>{_track(bar.rows / report.rows_out)}"
        f"<td class=n>{bar.rows / report.rows_out:.1%}"
        for bar in report.classes
    )
    return f"<h2>Classes of {escape(report.target)}</h2><table>{rows}</table>" if rows else ""


def _columns(report: Report) -> str:
    figures = "<th class=n>missing<th class=n>min<th class=n>mean<th class=n>max"
    head = f"<tr><th>column<th>type{figures}<th>distribution"
    return f"<h2>Columns</h2><table>{head}{''.join(map(_column, report.columns))}</table>"


def _column(column: ColumnProfile) -> str:
    unit = f" <span class=soft>{escape(column.unit)}</span>" if column.unit else ""
    levels = f" <span class=soft>{column.levels:,} levels</span>" if column.levels is not None else ""
    figures = "".join(f"<td class=n>{value}" for value in column.figures())
    return (
        f"<tr><td>{escape(column.name)}{unit}<td>{column.type}{levels}<td class=n>{column.missing:,}"
        f"{figures}<td>{_chart(column)}"
    )


def _chart(column: ColumnProfile) -> str:
    highest = max((bar.rows for bar in column.bars), default=0)
    if not highest:
        return ""
    step = _WIDTH / len(column.bars)
    bars = "".join(
        f'<rect x="{place * step:.1f}" y="{_HEIGHT * (1 - bar.rows / highest):.1f}" width="{step - 1:.1f}" '
        f'height="{_HEIGHT * bar.rows / highest:.1f}"><title>{escape(bar.label)}: {bar.rows:,}</title></rect>'
        for place, bar in enumerate(column.bars)
    )
    return f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img">{bars}</svg>'


def _sources(report: Report) -> str:
    return f"<h2>Files</h2><table>{''.join(map(_source, report.sources))}</table>"


def _source(source: Source) -> str:
    ignored = f"<br><span class=soft>not used: {escape(', '.join(source.ignored_columns))}</span>"
    return (
        f"<tr><td>{escape(source.path.name)}{ignored if source.ignored_columns else ''}"
        f"<td class=n>{source.rows:,} rows<td class=n>{source.bytes:,} bytes<td><code>{source.sha256}</code>"
    )
