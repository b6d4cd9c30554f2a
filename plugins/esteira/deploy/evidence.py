"""What watching a new version showed, for the audit."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from esteira.deploy.errors import DeployError


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Served(_Fact):
    """What the instances of one version did with their share of the live requests."""

    requests: int = 0
    errors: int = 0
    """Answered 5xx or not at all, as the callers saw it or as the gateway hid it from them."""
    p99_ms: float | None = None
    """Of the answers to /predict."""

    def __str__(self) -> str:
        p99 = "" if self.p99_ms is None else f", p99 {self.p99_ms:.1f} ms"
        return f"{self.requests} requests, {self.errors} failed{p99}"


class Evidence(_Fact):
    """What a bake showed."""

    case: str
    seconds: float
    share: float
    """The share of the requests that the new version got."""
    old: Served
    new: Served
    verdict: str
    """What is worse, or that nothing is, or that nothing was learnt."""

    def sentence(self) -> str:
        return self.verdict


class Answers(_Fact):
    """How one version answered copied questions."""

    answered: int = 0
    errors: int = 0
    median_ms: float | None = None
    p99_ms: float | None = None


class Comparison(_Fact):
    """What a shadow showed."""

    case: str
    seconds: float
    compared: int
    dropped: int
    """Copies that came faster than they could be asked, and were left."""
    agreement: float | None
    """The share of those compared that got the same class, or the same number within the tolerance."""
    mean_difference: float | None
    largest_difference: float | None
    """Of numbers, in the target's unit."""
    probability_difference: float | None
    """Of classes: the mean over questions and classes."""
    old: Answers
    new: Answers

    def sentence(self) -> str:
        if not self.compared:
            return f"no question was copied in {self.seconds:.0f} s; nothing was compared"
        return f"{self.compared} questions asked of both: {', '.join(self._said())}"

    def _said(self) -> Iterator[str]:
        yield f"{self.agreement or 0:.1%} answered alike"
        if self.mean_difference is not None:
            yield f"{self.mean_difference:.4g} apart on average, {self.largest_difference:.4g} at most"
        if self.probability_difference is not None:
            yield f"probabilities {self.probability_difference:.4f} apart on average"
        if self.new.p99_ms is not None and self.old.p99_ms is not None:
            yield f"median {self.new.median_ms:.1f} ms (old {self.old.median_ms:.1f})"
            yield f"p99 {self.new.p99_ms:.1f} ms (old {self.old.p99_ms:.1f})"
        if self.new.errors or self.old.errors:
            yield f"{self.new.errors} not answered (old {self.old.errors})"
        if self.dropped:
            yield f"{self.dropped} more left out"


class BreachError(DeployError):
    """A new version did worse than the case's `release:` limits allow."""

    def __init__(self, evidence: Evidence | Comparison, what: str) -> None:
        super().__init__(f"{what}: {evidence.sentence()}")
        self.evidence = evidence
