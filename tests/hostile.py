"""A bundle whose every name and level is made to break a page."""

from __future__ import annotations

from pathlib import Path

from bundles import facts_of, files_with, signer_of, tiny_graph
from esteira.bundle import Bundle, publish
from esteira.columns import Category, Column, Integer, Number
from esteira.metadata import Record, Seen

SCRIPT = '"><script>alert(1)</script>'
EMOJI = "🏠 <b>'Kind'</b> & {{ 7 * 7 }}"
LEVELS = (
    "a",
    "b",
    '</option></select><script>alert("level")</script>',
    "' onfocus='alert(2)",
    "🙂",
    "é ü\u202e",
)
COLUMNS: dict[str, Column] = {
    "lang": Integer(
        type="integer", min=0, max=1000, unit='<i>m²</i>"', description="<script>alert(3)</script>"
    ),
    "part": Number(type="number", optional=True),
    SCRIPT: Category(type="category", levels=(1, 2, 3)),
    EMOJI: Category(type="category", levels=LEVELS),
}
TITLE = "</title><img src=x onerror=alert(4)> & Söhne"


def hostile_bundle(artefatos: Path) -> Bundle:
    """Publish a version of the case `hostile`, which answers as a tiny bundle does."""
    records: list[Record] = [
        {"lang": 10 + number, "part": None, SCRIPT: 1 + number % 3, EMOJI: LEVELS[number % len(LEVELS)]}
        for number in range(20)
    ]
    seen = {"lang": Seen(min=10, max=500), SCRIPT: Seen(levels=(1, 2)), EMOJI: Seen(levels=LEVELS[:3])}
    graph = tiny_graph(COLUMNS, 0)
    facts = facts_of(
        "hostile",
        COLUMNS,
        seen,
        records,
        graph,
        title=TITLE,
        target="<script>alert(5)</script>",
        unit="<u>R$</u>",
    )
    return publish(artefatos, facts, files_with(graph), signer_of(artefatos))
