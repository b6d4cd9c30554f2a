"""Many releases, one after the other, while clients ask."""

from __future__ import annotations

import pytest
from figures import Figures, count
from ground import CASE, FULL, expected, go_live, publish_next, see_nothing_orphaned, under_load

from benchmarks.rows import Row, at_most
from esteira.deploy import journal
from esteira.deploy.release import build
from esteira.settings import Settings

pytestmark = pytest.mark.docker

RELEASES = 20 if FULL else 3


def test_many_releases_in_a_row_fail_no_request_and_each_answer_names_its_version(
    home: Settings, figures: Figures
):
    took = []
    with under_load(home) as load:
        for _ in range(RELEASES):
            built = build(CASE, publish_next(home), home)
            took.append(go_live(home, built).seconds)

    answers = load.answers
    versions = range(1, RELEASES + 2)
    right = {(version, expected(version)) for version in versions}
    figures.add(
        "releases",
        count(
            f"failed requests in {RELEASES} releases, at {answers.rate:.0f}/s",
            answers.failed,
            answers.requests,
        ),
        count("answers that another version gave", *_wrong(answers, right)),
        at_most("longest time without a good answer", answers.longest_gap, 1, "{:.2f} s"),
        Row(what="p50 and p99 of the answers", figure=_times(answers), target="", met=True),
        Row(what="a release, median", figure=f"{sorted(took)[len(took) // 2]:.1f} s", target="", met=True),
    )
    assert answers.failures == {}
    assert answers.pairs == right
    assert [line.version for line in journal.releases(home.ARTEFATOS_PATH, CASE)] == list(versions)
    see_nothing_orphaned(home, versions[-1])


def _wrong(answers, right):
    return sum(
        n.reason == "" and (n.version, n.prediction) not in right for n in answers.all
    ), answers.requests


def _times(answers):
    return f"{answers.percentile(0.5) * 1e3:.1f} ms, {answers.percentile(0.99) * 1e3:.1f} ms"
