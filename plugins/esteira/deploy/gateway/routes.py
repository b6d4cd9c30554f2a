"""Which servers answer for which case, and what HAProxy reads of it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from esteira.deploy.facts import Standing
from esteira.deploy.gateway.folders import socket_inside

_HEAVIEST = 256
"""HAProxy's own limit."""


class Server(BaseModel):
    """One container behind the gateway; of a case's requests it gets its share of all weights."""

    model_config = ConfigDict(frozen=True)

    name: str
    weight: int

    @property
    def address(self) -> str:
        return f"unix@{socket_inside(self.name)}"


Routes = Mapping[str, Sequence[Server]]
"""The servers of each case."""


def servers(standing: Standing) -> list[Server]:
    """Who answers for a case: those on trial get their percent of its requests, all together.

    Weights are as large as they can be, since they are whole: where one each were too much for those on
    trial, some of them get none.
    """
    old, new = standing.instances, standing.trial
    percent = standing.percent if new else 0
    shares = ((old, 100 - percent), (new, percent))
    unit = min((_HEAVIEST * len(names) / share for names, share in shares if share), default=0.0)
    return [server for names, share in shares for server in _spread(names, unit * share)]


def backends(routes: Routes) -> str:
    """The file `cases.cfg`."""
    parts = ["\n".join([f"backend {case}", *map(_line, routes[case])]) for case in sorted(routes)]
    return "\n\n".join(["# Written by esteira: who answers for each live case.", *parts]) + "\n"


def page(standings: Iterable[Standing]) -> str:
    """The file `index.html`: the live cases with their links."""
    rows = "\n".join(
        f'<li><a href="/{one.case}/">{html.escape(one.title)}</a>'
        f' <small data-case="{one.case}">{one.case}</small>'
        f' <small><a href="/{one.case}/docs">API</a></small></li>'
        for one in standings
    )
    return _PAGE.replace("{rows}", rows or "<li>No case is live yet: <code>make run</code></li>")


def _line(server: Server) -> str:
    return f"    server {server.name} {server.address} weight {server.weight}"


def _spread(names: Sequence[str], total: float) -> list[Server]:
    whole, many = max(1, round(total)) if total else 0, len(names)
    weights = [whole * (place + 1) // many - whole * place // many for place in range(many)]
    return [Server(name=name, weight=weight) for name, weight in zip(names, weights, strict=True)]


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Esteira: live cases</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
li { margin: .6rem 0 } small { opacity: .7 } li > a { font-size: 1.15rem }
</style>
<h1>Live cases</h1>
<ul>
{rows}
</ul>
<p><small>POST /&lt;case&gt;/predict asks a case; <a href="/-/metrics">/-/metrics</a>
counts its requests by version.</small></p>
<script>
for (const place of document.querySelectorAll("[data-case]")) {
  fetch(`/${place.dataset.case}/check`).then(answer => answer.json()).then(said => {
    place.textContent = `${place.dataset.case}, version ${said.version}`;
  }).catch(() => { place.textContent = `${place.dataset.case}, not answering now`; });
}
</script>
</html>
"""
