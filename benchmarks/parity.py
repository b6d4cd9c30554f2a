"""How near the ONNX graph of each case is to its scikit-learn model: `python -m benchmarks.parity`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import training
from esteira import casefile


@dataclass(frozen=True, kw_only=True)
class Parity:
    """The largest relative difference on the held-out rows; a label that differs fails the training."""

    case: str
    chosen: str
    holdout_rows: int
    difference: float


def measure() -> list[Parity]:
    """Every case in casos/, on generated data. Raises RejectedError when one does not pass its gate."""
    with tempfile.TemporaryDirectory(prefix="esteira-parity-") as name:
        now = training.home(Path(name))
        return [_of(case, Path(name)) for case in casefile.names(now.CASOS_PATH)]


def _of(name: str, folder: Path) -> Parity:
    now = training.home(folder)
    _, judgement = training.judged(casefile.load(now.CASOS_PATH, name), now)
    facts = judgement.facts
    return Parity(
        case=name,
        chosen=facts.chosen,
        holdout_rows=facts.dataset.holdout_rows,
        difference=facts.parity,
    )


if __name__ == "__main__":
    for found in measure():
        print(f"{found.case}: {found.chosen}, {found.holdout_rows:,} rows, {found.difference:.1e}")
