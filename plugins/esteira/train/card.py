"""The model card: one HTML page about a version, for people, that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from esteira.case import LOWER_IS_BETTER, Case
from esteira.data.report import Report
from esteira.metadata import Facts
from esteira.train import words
from esteira.train.facts import Evidence
from esteira.train.gate import Verdict
from esteira.train.pictures import Pictures
from esteira.train.prepared import Prepared

_STRONGEST = 10
_IN_UNIT = frozenset({"rmse", "mae", "medae"})
_SHOWN: Mapping[str, str] = {
    "predicted_against_actual": "A point for each row: on the line the prediction is right.",
    "residuals": "How the errors are spread: the narrower and the nearer to 0, the better.",
    "confusion_matrix": "A row for what was true, a column for what was answered: the diagonal is right.",
    "roc": "Found (up) for what is falsely taken for it (right): the nearer to the upper left, the better.",
    "precision_recall": "How often it is right (up) for how much it finds (right).",
    "calibration": "Near the diagonal a probability means what it says.",
    "lift": "How much better than chance the rows are that it is most sure of.",
    "partial_dependence": "How the answer changes along each of the strongest columns, all else as it is.",
}


def as_page(
    case: Case, prepared: Prepared, facts: Facts, evidence: Evidence, pictures: Pictures, verdict: Verdict
) -> str:
    """What is predicted and from what, how well in words and figures, and what the limits are."""
    report = Report.model_validate_json(prepared.cleaned.report_path.read_bytes())
    strongest = dict(list(facts.importances.items())[:_STRONGEST])
    return _TEMPLATE.render(
        case=case,
        facts=facts,
        report=report,
        verdict=verdict,
        made=datetime.now(UTC),
        in_short=words.in_short(case, facts, evidence),
        how_compared=words.how_compared(case, facts),
        scores=[(name, _score(name, facts), words.MEANINGS[name]) for name in facts.scores],
        candidates=sorted(facts.candidates, key=lambda one: _rank(case, one.scores[case.metric])),
        strongest=strongest,
        largest=max(strongest.values(), default=0.0),
        columns=_columns(case, facts, report),
        pictures=[
            (name, _inline(name, pictures[name]), text) for name, text in _SHOWN.items() if name in pictures
        ],
    )


def _score(name: str, facts: Facts) -> str:
    value = facts.scores[name]
    if name in _IN_UNIT:
        return f"{words.number(value)} {facts.unit or ''}".strip()
    return f"{value:.1%}" if name == "mape" else f"{value:.4f}"


def _rank(case: Case, value: float) -> float:
    return value if case.metric in LOWER_IS_BETTER else -value


def _columns(case: Case, facts: Facts, report: Report) -> list[tuple[str, str, str, str]]:
    """Name, kind, what training saw and the missing share, of each feature."""
    missing = {column.name: column.missing / max(report.rows_out, 1) for column in report.columns}
    return [
        (
            name,
            column.type,
            words.range_of(column, facts.seen.get(name)),
            f"{missing[name]:.1%}" if missing.get(name) else "",
        )
        for name, column in case.features.items()
    ]


def _inline(name: str, figure: Figure) -> Markup:
    """A picture as SVG that takes the page's own ink, so that it can be read on dark paper too."""
    text = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None}, dpi=120)
    drawn = text.getvalue()
    drawn = re.sub(
        r' width="[^"]*" height="[^"]*"| width="[^"]*pt"', "", drawn[drawn.index("<svg") :], count=1
    )
    inked = re.sub(r"(stroke|fill): ?#000000", r"\1: currentColor", drawn)
    width = f'style="max-width: {figure.get_figwidth():.1f}in"'
    return Markup(inked.replace("<svg", f'<svg role="img" fill="currentColor" {width}', 1))  # noqa: S704


_TEMPLATE = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("card.html")
