"""Chooses the winner, judges it once on the holdout, and lets it through the gate or not."""

import logging
from collections.abc import Sequence

import pandas as pd
from pydantic import BaseModel, ConfigDict

from esteira.bundle import Facts
from esteira.case import LOWER_IS_BETTER, Case
from esteira.errors import EsteiraError
from esteira.settings import Settings
from esteira.train import features, graph
from esteira.train.facts import TOLERANCE, gather
from esteira.train.features import Doubles
from esteira.train.fit import Fitted
from esteira.train.gate import gate
from esteira.train.prepared import Prepared
from esteira.train.scores import scores, sentence

log = logging.getLogger("esteira")


class RejectedError(EsteiraError):
    """The challenger did not pass the gate: it is not published and what is live stays."""


class Judgement(BaseModel):
    """The winner's holdout scores, what the gate said, and everything a version's metadata will say."""

    model_config = ConfigDict(frozen=True)

    winner: Fitted
    facts: Facts
    champion: int | None
    """The version that the challenger was compared with."""
    reasons: tuple[str, ...]
    """Why the challenger is rejected; empty when it passed."""

    def sentence(self) -> str:
        versus = f"no worse than version {self.champion}" if self.champion else "the first of its kind"
        verdict = f"passed the gate, {versus}" if self.passed else f"rejected: {'; '.join(self.reasons)}"
        return f"{self.winner.name} wins: {sentence(self.facts.scores)} on the holdout; {verdict}"

    @property
    def passed(self) -> bool:
        return not self.reasons


def choose(case: Case, fitted: Sequence[Fitted]) -> Fitted:
    """The candidate that is best on the validation part by the case's metric; the first of equals."""
    sign = -1 if case.metric not in LOWER_IS_BETTER else 1
    return min(fitted, key=lambda one: sign * one.scores[case.metric])


def judge(case: Case, prepared: Prepared, fitted: Sequence[Fitted], settings: Settings) -> Judgement:
    """Choose, prove the ONNX graph equal on the whole holdout, score it there, and ask the gate.

    Raises ParityError when the graph answers differently from scikit-learn.
    """
    winner = choose(case, fitted)
    holdout = prepared.raw("holdout")
    rows = features.frame(holdout, features.layout(case.features))
    answers = winner.estimator().predict(prepared.columns("holdout"))
    difference = _prove(case, prepared, winner, rows, answers)
    result = scores(prepared.target("holdout"), answers)
    log.info("%s wins on validation; on the holdout: %s", winner.name, sentence(result))
    facts = gather(case, prepared, fitted, winner, holdout, answers, result, difference)
    champion, reasons = gate(case, result, holdout, prepared.scale, settings)
    for reason in reasons:
        log.error("Gate: %s", reason)
    return Judgement(winner=winner, facts=facts, champion=champion, reasons=tuple(reasons))


def _prove(case: Case, prepared: Prepared, winner: Fitted, rows: pd.DataFrame, answers: Doubles) -> float:
    shape = features.layout(case.features)
    run = graph.session(winner.graph.read_bytes())
    difference = graph.parity(graph.predict(run, features.tensors(rows, shape)), answers, prepared.scale)
    if difference > TOLERANCE:
        raise graph.ParityError(
            f"{winner.name}: the ONNX graph differs from scikit-learn by {difference:.2g} on the holdout, "
            f"at most {TOLERANCE:g} is allowed; leave this candidate out of the case"
        )
    log.info("ONNX equals scikit-learn on %s holdout rows within %.2g", f"{len(rows):,}", difference)
    return difference
