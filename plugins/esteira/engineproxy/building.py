"""What an image may be that this project builds."""

from __future__ import annotations

import json
import re

from esteira.engineproxy import archive
from esteira.engineproxy.engine import LABEL
from esteira.engineproxy.refused import RefusedError
from esteira.engineproxy.request import Onward, Request, parsed_object

_TAG = re.compile(r"esteira-[a-z0-9]+(?:[._-]+[a-z0-9]+)*:v\d+", re.ASCII)
_ARGUMENTS = frozenset(
    {"CASE", "VERSION", "COMMIT", "BUNDLE", "CODE", "HOME_ID"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL"}
)
_PASSED = ("t", "q", "nocache", "rm", "forcerm", "target", "buildargs", "cachefrom")
_LIMITS = {"memory": str(4 * 2**30), "memswap": str(4 * 2**30)}


def allowed(request: Request, home: str) -> Onward:
    """A build of the API's image for this home, whose result carries its label whatever its Dockerfile says.

    Raises RefusedError for another tag, target or argument, and for anything that reaches beyond the context;
    while it streams, for what the context may not hold.
    """
    query = request.only(*_PASSED)
    tag, target = query.get("t", ""), query.get("target", "")
    if not _TAG.fullmatch(tag):
        raise RefusedError(f"An image may only be built as esteira-<case>:v<version>, not {tag!r}")
    if target != "api":
        raise RefusedError(f"Only the target api may be built, not {target!r}")
    arguments = parsed_object(query.get("buildargs", "{}"), "buildargs")
    for name in arguments:
        if name not in _ARGUMENTS:
            raise RefusedError(f"A build may not have the argument {name}")
    if arguments.get("HOME_ID") != home:
        raise RefusedError(f"A build needs the argument HOME_ID={home}, not {arguments.get('HOME_ID')!r}")
    marked = {"buildargs": json.dumps(arguments), "labels": json.dumps({LABEL: home})}
    return request.onward(
        query={**query, **_LIMITS, **marked},
        headers={"Content-Type": "application/x-tar"},
        body=archive.checked(request.body, archive.known()),
    )
