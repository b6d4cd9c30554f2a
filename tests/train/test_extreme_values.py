"""One extreme cell costs a candidate its place, never the training or the versions that come after it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from esteira import bundle
from esteira.candidates import Ridge
from esteira.case import Case
from esteira.data import clean, raw
from esteira.metadata import Facts
from esteira.train import importance, steps
from esteira.train.answers import Answers
from esteira.train.fitted import Fitted
from esteira.train.judge import Judgement
from esteira.train.learn import CandidateError, scored
from esteira.train.split import HOLDOUT, VALIDATION, sides


def rents(**changes: object) -> Case:
    case = {
        "name": "rents",
        "title": "Rents",
        "source": {"files": "rents.csv"},
        "target": "rent",
        "task": "regression",
        "columns": {
            "size": {"type": "number", "min": 0.0},
            "rooms": {"type": "integer", "min": 0, "max": 20},
            "rent": {"type": "number", "min": 1.0},
        },
        "train": {
            "log_target": True,
            "metric": "r2_log",
            "candidates": [{"kind": "ridge"}, {"kind": "decision_tree"}],
        },
    }
    return Case.model_validate_json(json.dumps({**case, **changes}))


def write_rents(path, side):
    """A linear law of the rent's logarithm, and on the side wanted one row whose size is mistyped."""
    random, rows = np.random.default_rng(0), 2_000
    size, rooms = np.round(random.uniform(0, 10, rows), 2), random.integers(1, 6, rows)
    rent = np.round(np.exp(5 + 0.3 * size + 0.1 * rooms + random.normal(0, 0.05, rows)), 2)
    mistyped = pd.DataFrame({"size": np.arange(1300.0, 2200.0, 7), "rooms": 3, "rent": 2000.0})
    odd = mistyped[sides(mistyped) == side].head(1)
    pd.concat([pd.DataFrame({"size": size, "rooms": rooms, "rent": rent}), odd]).to_csv(path, index=False)


def prepared_rents(case, now, side, training="rents"):
    write_rents(now.RAW_DATA_PATH / "rents.csv", side)
    return steps.split_rows(case, clean.clean(case, raw.find(case, now), now), training, now)


def test_a_candidate_whose_error_is_infinite_is_left_out_and_the_next_training_can_still_read_the_version(
    now,
):
    case = rents()
    prepared = prepared_rents(case, now, VALIDATION)
    with pytest.raises(CandidateError, match=r"rmse.* can no longer be counted; look for extreme values"):
        steps.fit_candidate(case, prepared, "ridge", now)
    fitted = steps.fit_all(case, prepared, now)
    assert [one.name for one in fitted] == ["decision_tree"]
    judgement = steps.pass_the_gate(case, prepared, fitted, now)
    assert Judgement.model_validate_json(judgement.model_dump_json()) == judgement
    assert steps.publish_version(prepared, judgement, now).version == 1
    assert bundle.load(now.ARTEFATOS_PATH, "rents").version == 1
    again = prepared_rents(case, now, VALIDATION, "again")
    judgement = steps.pass_the_gate(case, again, steps.fit_all(case, again, now), now)
    assert steps.publish_version(again, judgement, now).version == 2


@pytest.mark.parametrize("compare", [False, True])
def test_one_whose_error_is_infinite_on_the_holdout_makes_room_for_the_next_best(now, caplog, compare):
    case = rents(serve={"compare": compare})
    prepared = prepared_rents(case, now, HOLDOUT)
    fitted = steps.fit_all(case, prepared, now)
    judgement = steps.pass_the_gate(case, prepared, fitted, now)
    assert [one.name for one in fitted] == ["ridge", "decision_tree"]
    assert judgement.winner.name == "decision_tree"
    assert "ridge: some answers to the holdout are so far off" in caplog.text
    assert steps.publish_version(prepared, judgement, now).version == 1
    assert bundle.load(now.ARTEFATOS_PATH, "rents").metadata.chosen == "decision_tree"


def test_a_score_that_is_no_number_is_the_candidates_end(now):
    case = rents()
    prepared = prepared_rents(case, now, VALIDATION)
    actual, found = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 1e170])
    with pytest.raises(CandidateError, match="r2, rmse can no longer be counted"):
        scored(case, prepared, actual, found)


def test_a_column_whose_shuffling_gives_no_number_has_no_importance():
    rows = pd.DataFrame({"size": [1.0, 2.0, 3.0] * 200, "rooms": [1, 2] * 300})
    sample = rows.assign(rent=rows["size"] + rows["rooms"])

    def ask(asked):
        wild = np.where(asked["size"].to_numpy() == rows["size"].to_numpy()[: len(asked)], 0.0, 1e200)
        return Answers(prediction=np.asarray(asked["size"] + asked["rooms"], float) + wild)

    drops = importance.importances(rents(train={"candidates": [{"kind": "ridge"}]}), None, sample, ask)
    assert list(drops) == ["rooms"]


def test_what_could_not_be_read_again_is_never_written(tmp_path, flat_story):
    facts = flat_story.judgement.facts
    with pytest.raises(ValidationError, match="finite number"):
        Facts.model_validate({**dict(facts), "scores": {"rmse": float("inf")}})
    with pytest.raises(ValidationError, match="finite number"):
        Fitted(
            candidate=Ridge(),
            scores={"rmse": float("inf")},
            seconds=1,
            bound="all rows",
            model=tmp_path,
            graph=tmp_path,
            answers=tmp_path,
        )
