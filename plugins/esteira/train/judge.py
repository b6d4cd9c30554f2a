"""Chooses the winner, finishes it, judges it once on the holdout, and lets it through the gate or not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from esteira.case import Case
from esteira.errors import EsteiraError
from esteira.metadata import Facts
from esteira.settings import Settings
from esteira.train import card, features, finish, graph, importance, pictures
from esteira.train.answers import Answers
from esteira.train.facts import Evidence, gather
from esteira.train.finish import Finished
from esteira.train.fitted import Fitted
from esteira.train.gate import Holdout, gate
from esteira.train.golden import TOLERANCE
from esteira.train.learn import endless
from esteira.train.prepared import Prepared
from esteira.train.scores import better, scores, sentence, technical_details

log = logging.getLogger("esteira")


class RejectedError(EsteiraError):
    """The challenger did not pass the gate: it is not published and what is live stays."""


class NoCandidateError(EsteiraError):
    """Every candidate failed: there is nothing to judge."""


class Judgement(BaseModel):
    """The final model, its holdout scores, what the gate said, and everything its metadata will say."""

    model_config = ConfigDict(frozen=True)

    winner: Fitted
    finished: Finished
    facts: Facts
    card: Path
    pictures: Path
    """The folder of the holdout's pictures."""
    champion: int | None
    """The version that the challenger was compared with."""
    reasons: tuple[str, ...]
    """Why the challenger is rejected; empty when it passed."""
    chance: str | None = None
    """By how much it is worse than that version, where chance explains it."""

    def sentence(self) -> str:
        versus = f"no worse than version {self.champion}" if self.champion else "the first of its kind"
        passed = f"passed the gate, {self.chance or versus}"
        verdict = passed if self.passed else f"rejected: {'; '.join(self.reasons)}"
        told = sentence(self.facts.task, self.facts.scores)
        return f"{self.winner.name} wins: {told} on the holdout; {verdict}"

    @property
    def passed(self) -> bool:
        return not self.reasons


def choose(case: Case, fitted: Sequence[Fitted]) -> Fitted:
    """The candidate that is best by the case's metric where candidates are compared; the first of equals.

    Raises NoCandidateError when there is none.
    """
    if not fitted:
        raise NoCandidateError(
            f"No candidate of the case {case.name!r} could be fitted and scored; see why each failed"
        )
    best = fitted[0]
    for one in fitted[1:]:
        if better(case.metric, one.scores[case.metric], best.scores[case.metric]):
            best = one
    return best


def judge(case: Case, prepared: Prepared, fitted: Sequence[Fitted], settings: Settings) -> Judgement:
    """Choose and finish the winner, prove its ONNX graph equal, score it on the holdout, and ask the gate.

    A candidate whose answers to the holdout cannot be scored or exported makes room for the next best.
    Raises NoCandidateError without candidates, ParityError when the graph answers differently from
    scikit-learn.
    """
    winner, finished, answers, parity = _proven(case, prepared, fitted)
    ask = importance.asking(case, finished.graph.read_bytes())
    drops, drawn = pictures.of_features(case, prepared, prepared.sample("holdout"), ask)
    evidence = Evidence(actual=prepared.target("holdout"), answers=answers, parity=parity, importances=drops)
    facts = gather(case, prepared, fitted, winner, finished, evidence)
    log.info("%s wins; on the holdout: %s", winner.name, sentence(case, facts.scores))
    seen = Holdout(
        rows=prepared.raw("holdout"),
        answers=answers,
        scores=facts.scores,
        interval=facts.interval,
        calibrated=len(winner.answered()),
    )
    verdict = gate(case, prepared, seen, settings)
    for reason in verdict.reasons:
        log.error("Gate: %s", reason)
    shown = {**pictures.of_answers(case, prepared.classes, evidence.actual, answers), **drawn}
    folder = pictures.write(prepared.folder / "pictures", shown)
    page = prepared.folder / "cartao.html"
    page.write_text(card.as_page(case, prepared, facts, evidence, shown, verdict), encoding="utf-8")
    return Judgement(
        winner=winner,
        finished=finished,
        facts=facts,
        card=page,
        pictures=folder,
        champion=verdict.champion,
        reasons=verdict.reasons,
        chance=verdict.chance,
    )


def _proven(
    case: Case, prepared: Prepared, fitted: Sequence[Fitted]
) -> tuple[Fitted, Finished, Answers, float]:
    """The best candidate whose graph answers as it does, finished, with its answers to the holdout."""
    winner = choose(case, fitted)
    others = [one for one in fitted if one is not winner]
    finished = finish.finish(case, prepared, winner, others)
    with np.errstate(over="ignore", invalid="ignore"):
        answers = finish.answers(finished, prepared.columns("holdout"))
        wild = _wild(case, prepared, winner, finished, answers)
    if wild:
        log.error(
            "%s: some answers to the holdout are so far off that their errors can no longer be counted; look "
            "for extreme values in the data. The other candidates go on",
            " and ".join(sorted(wild)),
        )
        return _proven(case, prepared, [one for one in fitted if one.name not in wild])
    try:
        return winner, finished, answers, _prove(case, prepared, winner, finished, answers)
    except graph.ParityError as error:
        if not others:
            raise
        log.error("%s; the next best is taken", error)  # noqa: TRY400
        return _proven(case, prepared, others)


def _wild(
    case: Case, prepared: Prepared, winner: Fitted, finished: Finished, answers: Answers
) -> frozenset[str]:
    """Which of those that the version would answer with have a score on the holdout that is no number."""
    actual = prepared.target("holdout")
    counted = [(winner.name, scores(case, actual, answers, prepared.classes))]
    if answers.models is not None:
        counted += [
            (name, technical_details(case, actual, answers.models[:, place]))
            for place, name in enumerate(finished.compared)
        ]
    return frozenset(name for name, found in counted if endless(found))


def _prove(case: Case, prepared: Prepared, winner: Fitted, finished: Finished, answers: Answers) -> float:
    """The largest difference on the whole holdout, and on rows with what a request may bring besides."""
    ask, holdout = importance.asking(case, finished.graph.read_bytes()), prepared.raw("holdout")
    odd = features.disturbed(holdout, case)
    frame = features.frame(odd, features.layout(case.features))
    of_odd = finish.answers(finished, prepared.scaler().transform(frame))
    difference = max(
        graph.parity(ask(holdout), answers, prepared.scale), graph.parity(ask(odd), of_odd, prepared.scale)
    )
    if difference > TOLERANCE:
        raise graph.ParityError(
            f"{winner.name}: the ONNX graph differs from scikit-learn by {difference:.2g} on the holdout, "
            f"at most {TOLERANCE:g} is allowed; leave this candidate out of the case"
        )
    rows = f"{len(holdout):,} holdout and {len(odd):,} disturbed rows"
    log.info("ONNX equals scikit-learn on %s within %.2g", rows, difference)
    return difference
