"""What deserves a person's attention in a file, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from esteira.new import kinds
from esteira.new.facts import Facts, amount, counted
from esteira.new.sketch import Finding, Sketch

_MOSTLY_MISSING = 0.4
_FAR_OUT = 20
_SHOWN = 3


def notes(sketch: Sketch, outlying: str | None) -> Iterator[str]:
    """The gravest first: leaks, lost rows, doubts, then what is merely odd."""
    yield from (
        f"{one.facts.name} probably leaks the target: {one.leak}" for one in sketch.findings if one.leak
    )
    yield from (_strong(one) for one in sketch.findings if one.used and one.strength and one.strength.strong)
    yield from _target(sketch)
    if outlying:
        yield outlying
    yield from sketch.form.notes
    broken = sketch.outcome.rows - sketch.target.rows
    if broken:
        yield (
            f"{counted(broken, 'row')} without as many fields as the header, or with an open quote: "
            f"to be rejected"
        )
    for finding in sketch.findings:
        yield from _column(sketch, finding)
    yield from _repeated(sketch)
    if sketch.max_rejected is not None:
        yield (
            f"{sketch.outcome.rejected:,} of {sketch.outcome.rows:,} rows will be rejected, so "
            f"source.max_rejected is {sketch.max_rejected:g}"
        )


def _strong(finding: Finding) -> str:
    return (
        f"{finding.facts.name} tells much all alone ({finding.strength}): "
        f"make sure that it is known before the target is"
    )


def _target(sketch: Sketch) -> Iterator[str]:
    target = sketch.target
    if target.missing:
        yield (
            f"the target {target.name} is missing in {target.missing:,} of {target.rows:,} rows: "
            f"they are rejected"
        )
    yield from sketch.goal.notes
    yield from _unreadable(target)


def _column(sketch: Sketch, finding: Finding) -> Iterator[str]:
    facts = finding.facts
    if not finding.used:
        return
    yield from _unreadable(facts)
    if facts.reading and facts.reading.doubt:
        yield f"{facts.name}: {facts.reading.doubt}"
    if facts.missing >= _MOSTLY_MISSING * facts.rows:
        yield f"{facts.name} is missing in {facts.missing / facts.rows:.0%} of the rows"
    yield from _spellings(finding)
    yield from _outlying(sketch, facts)


def _unreadable(facts: Facts) -> Iterator[str]:
    if facts.lost:
        what = "dates" if facts.date else "numbers"
        shown = ", ".join(map(repr, facts.unreadable[:_SHOWN]))
        yield f"{facts.name}: {counted(facts.lost, 'cell')} with no {what} ({shown}): their rows are rejected"


def _spellings(finding: Finding) -> Iterator[str]:
    """Only closed levels can be told to be the same in capitals and small letters."""
    facts = finding.facts
    if facts.reading or not facts.counts or getattr(finding.choice.column, "ignore_case", False):
        return
    spellings = len(facts.counts) - len(kinds.folded(facts.counts))
    if spellings:
        yield f"{facts.name}: {spellings} of its levels differ from others in capitals only and stay apart"


def _outlying(sketch: Sketch, facts: Facts) -> Iterator[str]:
    import numpy as np

    if facts.number is None or facts.high is None or facts.distinct <= _SHOWN:
        return
    values = sketch.sample.values[facts.place].compressed()
    if not len(values):
        return
    usual = float(np.quantile(values, 0.99))
    if usual > 0 and facts.high > _FAR_OUT * usual:
        yield (
            f"{facts.name} goes up to {amount(facts.high)}, and 99 % of it stays below {amount(usual)}: "
            f"a typing error? A `max` would set such rows apart"
        )
    filler = _filler(facts)
    if filler is not None:
        yield f"{facts.name}: {filler:g} may stand for a missing value; if so, add it to source.missing"


def _filler(facts: Facts) -> float | None:
    """A number of nines, far from all others, that occurs again and again."""
    if not facts.counts or facts.low is None or facts.high is None or len(facts.counts) <= _SHOWN:
        return None
    for extreme in (facts.low, facts.high):
        reach = max(abs(float(value)) for value in facts.counts if value != extreme)
        nines = re.fullmatch("99+", f"{abs(extreme):g}") is not None
        if nines and abs(extreme) > 2 * reach and facts.counts[extreme] > _SHOWN:
            return extreme
    return None


def _repeated(sketch: Sketch) -> Iterator[str]:
    if not sketch.outcome.repeated:
        return
    repeated = counted(sketch.outcome.repeated, "row")
    if sketch.drops_duplicates:
        yield f"{repeated} that repeat another in every column: to be dropped"
    else:
        told = ", ".join(sketch.identifiers)
        yield f"{repeated} equal to another but for {told}: kept"
