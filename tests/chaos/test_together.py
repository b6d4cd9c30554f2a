"""Two releases of one case at the same moment."""

from __future__ import annotations

import pytest
from figures import Figures, count, said
from ground import CASE, esteira, expected, publish_next, see_nothing_orphaned, under_load

from esteira.deploy import journal, standing
from esteira.settings import Settings

pytestmark = pytest.mark.docker


def test_together_two_releases_of_one_case_wait_for_each_other_and_the_audit_tells_the_truth(
    home: Settings, figures: Figures
):
    versions = [publish_next(home), publish_next(home)]
    with under_load(home) as load:
        both = [esteira(home, "release", CASE, "--version", str(version)) for version in versions]
        outputs = [process.communicate()[0] for process in both]

    answers = load.answers
    lines = journal.releases(home.ARTEFATOS_PATH, CASE)[1:]
    order = [line.version for line in lines]
    known = standing.read(home, CASE)
    assert known is not None
    figures.add(
        "together",
        count("failed requests", answers.failed, answers.requests),
        said("audit: versions that went live", sorted(order), versions),
        said("audit: from which version each", [one.from_version for one in lines], [1, order[0]]),
        said("the version that serves", known.version, order[-1]),
    )
    assert [process.returncode for process in both] == [0, 0], outputs
    assert [line.outcome for line in lines] == ["live", "live"]
    assert answers.failures == {}
    assert answers.pairs <= {(version, expected(version)) for version in (1, *versions)}
    first = [answers.first(version) for version in order]
    assert first == sorted(first)
    assert [line.from_version for line in lines] == [1, order[0]]
    see_nothing_orphaned(home, order[-1])
