"""Going back: to which version, with what, and when it is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from releasing import ANSWER, ask, publish, release, running, traffic

from esteira.bundle import BundleError, load
from esteira.casefile import CaseError
from esteira.deploy import journal, marks
from esteira.deploy.back import roll_back
from esteira.deploy.errors import NoWayBackError, PinnedError, WithdrawnError
from esteira.deploy.live import live
from esteira.deploy.release import build, retire
from esteira.settings import Settings
from esteira.withdrawn import withdrawn


@pytest.fixture
def three(on_target: Settings) -> Settings:
    """A home in which versions 1 to 3 were released, one after the other."""
    for number in range(3):
        publish(on_target, offset=1000 * number)
        release(on_target)
    return on_target


def test_going_back_puts_the_version_that_served_before_live_without_a_failed_request(three: Settings):
    before = [entry.instances for entry in journal.releases(three.ARTEFATOS_PATH, "tiny")]
    with traffic(three) as answers:
        back = roll_back("tiny", None, three)
        retire(back, three)
    assert (back.version, back.from_version, back.back, back.outcome) == (2, 3, True, "live")
    assert set(answers) <= {str(ANSWER + 2000), str(ANSWER + 1000)}
    assert ask(three) == ANSWER + 1000
    assert running(three) == list(back.instances)
    if three.DEPLOY_TARGET == "docker":
        assert back.instances == before[1]  # the container that served it then

    again = roll_back("tiny", None, three)
    assert (again.version, ask(three)) == (1, ANSWER)
    with pytest.raises(NoWayBackError, match=r"No version of 'tiny' served before.*--to"):
        roll_back("tiny", None, three)
    assert ask(three) == ANSWER


def test_a_named_version_is_gone_back_to_and_an_unknown_one_is_refused(three: Settings):
    assert roll_back("tiny", 1, three).version == 1
    with pytest.raises(BundleError, match="Version 9 of 'tiny' does not exist"):
        roll_back("tiny", 9, three)
    assert ask(three) == ANSWER


def test_a_version_that_cannot_be_read_may_be_withdrawn_and_no_other_mark_put_on_it(settings: Settings):
    publish(settings)
    load(settings.ARTEFATOS_PATH, "tiny", 1).metadata_path.write_text("{")
    with pytest.raises(BundleError, match=r"metadados_v1\.json"):
        marks.mark(settings, "tiny", 1, "pinned", None)
    with pytest.raises(BundleError, match=r"Version 7 of .* does not exist"):
        marks.mark(settings, "tiny", 7, "withdrawn", None)
    marks.mark(settings, "tiny", 1, "withdrawn", "damaged")
    assert withdrawn(settings.ARTEFATOS_PATH, "tiny") == {1}


def test_a_withdrawn_version_is_never_released_again_by_accident(settings: Settings):
    for number in range(3):
        publish(settings, offset=1000 * number)
        release(settings)
    with pytest.raises(WithdrawnError, match="Version 3 of 'tiny' serves now; go back first"):
        marks.mark(settings, "tiny", 3, "withdrawn", None)
    roll_back("tiny", 1, settings)
    marks.mark(settings, "tiny", 3, "withdrawn", "wrong prices")

    with pytest.raises(WithdrawnError, match=r"withdrawn on .* by .*: wrong prices; .*--undo"):
        build("tiny", 3, settings)
    assert build("tiny", None, settings).version == 2
    assert withdrawn(settings.ARTEFATOS_PATH, "tiny") == {3}
    with pytest.raises(WithdrawnError):
        roll_back("tiny", 3, settings)
    marks.mark(settings, "tiny", 3, "restored", None)
    assert withdrawn(settings.ARTEFATOS_PATH, "tiny") == set()
    assert build("tiny", None, settings).version == 3


def test_a_pinned_case_takes_no_other_version_until_it_is_unpinned(settings: Settings):
    publish(settings)
    release(settings)
    marks.mark(settings, "tiny", marks.serving(settings, "tiny"), "pinned", "audit in May")
    publish(settings, offset=1000)
    with pytest.raises(PinnedError, match=r"pinned to version 1 on .*: audit in May.*esteira unpin tiny"):
        release(settings)
    assert release(settings, version=1).version == 1
    marks.unpin(settings, "tiny")
    assert release(settings).version == 2


def test_the_audit_tells_what_happened_in_its_order(settings: Settings):
    publish(settings)
    publish(settings, offset=1000)
    release(settings, version=1)
    release(settings, version=2)
    roll_back("tiny", None, settings)
    marks.mark(settings, "tiny", 2, "withdrawn", "wrong")
    with pytest.raises(WithdrawnError):
        release(settings, version=2)
    lines = journal.releases(settings.ARTEFATOS_PATH, "tiny")
    assert [(line.version, line.from_version, line.outcome, line.back) for line in lines] == [
        (1, None, "live", False),
        (2, 1, "live", False),
        (1, 2, "live", True),
        (2, None, "withdrawn", False),
        (2, 1, "failed", False),
    ]
    assert all(line.by and line.when for line in lines)
    now = live("tiny", settings)
    assert now is not None
    assert now.instances == lines[2].instances


def test_a_case_file_with_faults_does_not_keep_anybody_from_going_back(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    for number in range(2):
        publish(settings, offset=1000 * number)
        release(settings)
    (tmp_path / "casos").mkdir()
    (tmp_path / "casos" / "tiny.yaml").write_text("title: [oops\n")
    now = settings.model_copy(update={"CASOS_PATH": tmp_path / "casos"})
    with caplog.at_level(logging.WARNING, "esteira"):
        back = roll_back("tiny", None, now)
        retire(back, now)
    assert (back.version, ask(now)) == (1, ANSWER)
    assert running(now) == list(back.instances)
    assert "tiny.yaml" in caplog.text
    with pytest.raises(CaseError):
        release(now, version=2)
