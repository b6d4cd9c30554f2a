"""The faults by name, what must hold, and how each is measured, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One row of the page; `-k` and its name choose its tests."""

    fault: str
    must: str
    how: str


PROMISES: Mapping[str, Promise] = {
    "releases": Promise(
        fault="20 releases in a row",
        must="no failed request, and each answer names the version that gave it",
        how="Versions that answer differently, each taken live by all steps of a release.",
    ),
    "container_killed": Promise(
        fault="kill -9 of the live container",
        must="no failed request with two replicas; back in 2 s with one",
        how="All that runs in the container gets SIGKILL, so that the engine finds it dead and its restart "
        "policy applies; three times each. Back is the longest time without a good answer.",
    ),
    "deployer_killed": Promise(
        fault="kill -9 of the deployer at each step of a release",
        must="old or new serves, never none; never both after the next run; nothing orphaned",
        how="A release in a process of its own halts at a point between two steps, or within one, and gets "
        "SIGKILL there; then the next release of the same version. Containers, sockets, the gateway's "
        "weights and the locks are compared with what serves.",
    ),
    "bad_version": Promise(
        fault="a version that answers 500 to 5 %, or doubles its p99, or dies",
        must="rolled back by itself in the bake; at most 1 % of the requests hit it",
        how="An image derived from the version's own, with a wrapper that goes bad after the golden "
        "examples, released with a canary of 10 %. Hit are those requests that got its fault, of all from "
        "the start of the bake to the verdict; the time is from the verdict to the version's last answer.",
    ),
    "golden": Promise(
        fault="a version whose golden answers differ",
        must="never gets a request",
        how="An image derived from the version's own, with a wrapper that adds 1 to each prediction.",
    ),
    "rollback": Promise(
        fault="going back with Airflow and MLflow down",
        must="one command, 3 s, no failed request",
        how="`esteira rollback` as a process of its own: from its start to the first answer of the earlier "
        "version, to the last one of the later, and to its end; median of three.",
    ),
    "restarted": Promise(
        fault="gateway, Docker engine, MLflow, Airflow scheduler restarted",
        must="predictions go on (the engine's own restart excepted), DAG runs resume, no version lost",
        how="The gateway is reloaded, its processes get SIGKILL, its container is restarted, and the door's; "
        "gateway and live container are killed for good, then what `esteira up` does. A second engine, with "
        "the same images, is ended and started again. A run of the real DAG is baking a version when "
        "scheduler and MLflow get SIGKILL and are started by `esteira up`. What PostgreSQL's restart does "
        "is tested with the whole stack.",
    ),
    "broken_ground": Promise(
        fault="disk full, bundle altered, image deleted, port stolen",
        must="clear failure, the old version serves",
        how="Home and artefacts on a tmpfs of 4 MB that is filled between two steps; a byte of the published "
        "graph flipped between two steps; the built image removed by force; the public port held by another.",
    ),
    "together": Promise(
        fault="two releases of one case at once",
        must="one waits or fails clearly; the audit tells the truth",
        how="Two `esteira release` of two versions, as processes, at the same moment.",
    ),
    "slow_clients": Promise(
        fault="400 clients that send as slowly as they can",
        must="the others are answered as before; each slow one is ended",
        how="Heads and bodies that drip a byte at a time, on 400 connections, beside one client that asks "
        "for predictions; with `API_PATIENCE` of 5 s.",
    ),
    "fuzz": Promise(
        fault="whatever the OpenAPI documents allow, and much that they do not",
        must="each answer is one that the documentation names; 10,000 requests",
        how="Schemathesis with all its checks, but that a batch with bad rows is refused, since it is "
        "answered; random and boundary values and sequences along the links, on each case in the box, "
        "trained on data that is made up, and on cases made to be awkward.",
    ),
    "soak": Promise(
        fault="half an hour of load, a million requests",
        must="no wrong answer, no growth of memory",
        how="Eight clients ask single records, batches, bad ones, unknown paths, `/model` and `/metrics` in "
        "a closed loop, on new connections now and then. `ESTEIRA_SOAK_MINUTES` makes it shorter.",
    ),
}
