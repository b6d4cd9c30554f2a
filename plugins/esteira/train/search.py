"""Searches a candidate's parameters within a budget of seconds and trials."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState
from pydantic import BaseModel, ConfigDict

from esteira.candidates import Ensemble, Single
from esteira.case import LOWER_IS_BETTER, Case
from esteira.train import trial
from esteira.train.learn import CandidateError
from esteira.train.prepared import Prepared

log = logging.getLogger("esteira")

_STARTUP_TRIALS = 6
_SEED = 0
_REASON = "reason"


class TrialFact(BaseModel):
    """One trial of a search, as it ended."""

    model_config = ConfigDict(frozen=True)

    number: int
    parameters: dict[str, float]
    value: float | None
    """The case's metric, of a pruned trial the last one that it came to; None if it came to none."""
    state: Literal["complete", "pruned", "failed"]
    seconds: float
    reason: str | None = None
    """Why it failed."""


OnTrial = Callable[[TrialFact], None]


@dataclass(frozen=True)
class Found:
    """A candidate with the best parameters that a search came by, and the study that tells how."""

    candidate: Single
    study: optuna.Study


def seconds_for(case: Case, candidate: Single) -> float | None:
    """A candidate's share of the case's `train.search.seconds`, by weight; None if nothing is searched."""
    if case.train.search is None or not candidate.searched:
        return None
    rivals = [one for one in case.train.candidates if not isinstance(one, Ensemble) and one.searched]
    return case.train.search.seconds * candidate.search_weight / sum(one.search_weight for one in rivals)


def search(
    case: Case,
    prepared: Prepared,
    candidate: Single,
    seconds: float,
    trials: int,
    on_trial: OnTrial | None = None,
) -> Found:
    """The best parameters for the case's metric that so many trials find in so many seconds.

    Trial 0 has the candidate's own parameters, the next ones its `starts`; the others are chosen by a
    tree-structured Parzen estimator (Bergstra et al. 2011). A trial is given up when it is worse than
    the median of the earlier ones at the same step, or when it would not end in time; none is begun that
    would not. `on_trial` is told of each.

    Raises CandidateError when every trial fails.
    """
    deadline = time.monotonic() + seconds
    steps = trial.Steps.of(case, prepared, candidate)
    study = _study(case, candidate)

    def objective(asked: optuna.Trial) -> float:
        try:
            return trial.run(case, prepared, candidate.suggest(asked), steps, asked, deadline)
        except CandidateError as error:
            asked.set_user_attr(_REASON, str(error))
            raise

    def ended(study: optuna.Study, done: FrozenTrial) -> None:
        fact = _fact(done)
        log.info("%s, %s", candidate.kind, _sentence(case, fact))
        if on_trial is not None:
            on_trial(fact)
        if time.monotonic() + _usual_seconds(study) > deadline:
            study.stop()

    study.optimize(objective, trials, callbacks=[ended], catch=(CandidateError,))
    return Found(_best(case, candidate, study), study)


def _study(case: Case, candidate: Single) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=f"{case.name} {candidate.kind}",
        direction="minimize" if case.metric in LOWER_IS_BETTER else "maximize",
        sampler=optuna.samplers.TPESampler(n_startup_trials=_STARTUP_TRIALS, multivariate=True, seed=_SEED),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS),
    )
    own = {name: getattr(candidate, name) for name in candidate.searched}
    for start in ({}, *candidate.starts):
        study.enqueue_trial({name: start.get(name, value) for name, value in own.items()})
    return study


def _usual_seconds(study: optuna.Study) -> float:
    """How long a trial takes that is not given up."""
    done = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return sum(_seconds(one) for one in done) / len(done) if done else 0.0


def _seconds(done: FrozenTrial) -> float:
    return done.duration.total_seconds() if done.duration else 0.0


def _fact(done: FrozenTrial) -> TrialFact:
    states: dict[TrialState, Literal["complete", "pruned"]] = {
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: "pruned",
    }
    return TrialFact(
        number=done.number,
        parameters=done.params,
        value=done.value,
        state=states.get(done.state, "failed"),
        seconds=round(_seconds(done), 3),
        reason=done.user_attrs.get(_REASON),
    )


def _sentence(case: Case, fact: TrialFact) -> str:
    value = "no value" if fact.value is None else f"{case.metric} {fact.value:.5g}"
    words = ", ".join(f"{name} {value:.4g}" for name, value in fact.parameters.items())
    reason = f" ({fact.reason})" if fact.reason else ""
    return f"trial {fact.number}: {value}, {fact.state}{reason} in {fact.seconds:.1f} s with {words}"


def _best(case: Case, candidate: Single, study: optuna.Study) -> Single:
    """The candidate of the best complete trial; the one that was asked for if none was completed."""
    ended = study.get_trials(deepcopy=False)
    complete = [one for one in ended if one.state == TrialState.COMPLETE]
    if not complete:
        if all(one.state == TrialState.FAIL for one in ended):
            raise CandidateError(ended[0].user_attrs[_REASON])
        log.info("%s: a trial takes longer than there is to search; its own parameters stay", candidate.kind)
        return candidate
    log.info(
        "%s: %d trials, %s from %.5g to %.5g",
        candidate.kind,
        len(ended),
        case.metric,
        ended[0].value if ended[0].value is not None else float("nan"),
        study.best_value,
    )
    return candidate.model_copy(update=study.best_params)
