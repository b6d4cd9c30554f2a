"""Going back to an earlier version with one command, while clients ask and nothing else of ours runs."""

from __future__ import annotations

import time
from statistics import median

import pytest
from figures import Figures, count
from ground import CASE, FULL, esteira, expected, go_live, publish_next, see_nothing_orphaned, under_load

from benchmarks.rows import at_most
from esteira.deploy import journal, port
from esteira.deploy.release import build
from esteira.settings import Settings

pytestmark = pytest.mark.docker

TIMES = 3 if FULL else 1


def test_rollback_is_one_command_and_fails_no_request(home: Settings, figures: Figures):
    alone = home.model_copy(
        update={"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port.spare()}", "AIRFLOW_PORT": port.spare()}
    )
    first, alone_again, whole, failed, asked = [], [], [], 0, 0
    for _ in range(TIMES):
        version = publish_next(alone)
        go_live(alone, build(CASE, version, alone))
        with under_load(alone) as load:
            begun = time.monotonic()
            process = esteira(alone, "rollback", CASE, "--to", "1")
            said = process.communicate()[0]
            whole.append(time.monotonic() - begun)
        answers = load.answers
        assert process.returncode == 0, said
        first.append(answers.first(1) - begun)
        alone_again.append(answers.last(version) - begun)
        failed, asked = failed + answers.failed, asked + answers.requests
        assert answers.failures == {}
        assert answers.pairs == {(1, expected(1)), (version, expected(version))}
        line = journal.releases(alone.ARTEFATOS_PATH, CASE)[-1]
        assert (line.version, line.from_version, line.outcome, line.back) == (1, version, "live", True)
        see_nothing_orphaned(alone, 1)

    figures.add(
        "rollback",
        count(f"failed requests in {TIMES}", failed, asked),
        at_most("to the earlier version's first answer", median(first), 3, "{:.1f} s"),
        at_most("to the later version's last answer", median(alone_again), 3, "{:.1f} s"),
        at_most("to the end of the command, the later version stopped", median(whole), 3, "{:.1f} s"),
    )
