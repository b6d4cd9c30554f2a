"""Splits the dataset and writes what the candidates are fitted on: float32 columns, once, on disk."""

import logging
from pathlib import Path

import joblib
import numpy as np
import numpy.typing as npt

from esteira.case import Case
from esteira.data.dataset import Dataset
from esteira.metadata import DatasetFact
from esteira.settings import Settings
from esteira.train import encoding, features, preprocessing, scaler, workspace
from esteira.train.columns import Columns, prove
from esteira.train.encoding import Encoding, Plan
from esteira.train.features import Classes, Floats
from esteira.train.parts import PARTS, Parts
from esteira.train.prepared import Prepared
from esteira.train.split import HOLDOUT, TRAIN, VALIDATION, Split, SplitError, divide
from esteira.train.survey import Survey

log = logging.getLogger("esteira")

_PROVEN_ROWS = 8_192  # at a time: scikit-learn copies them a dozen times


def prepare(case: Case, dataset: Dataset, training_id: str, settings: Settings) -> Prepared:
    """Split, fit the preprocessing on the training part, write all three parts.

    The rows are read a few times in batches; what stays in memory is some bytes for each row and a sample
    of the training part: at most 20,000 rows, on which medians, means and variances are fitted, and what
    `encoding` takes. The columns come from the ONNX graph that will be served.

    Raises SplitError when a part would be empty or the training part holds one class only, and
    SkewError when the graph does not give what scikit-learn's preprocessing gives.
    """
    folder = workspace.start(settings, case.name, training_id)
    shape = features.layout(case.features)
    split = divide(case, dataset.path)
    survey = Survey.of(case, split)
    classes, levels, sample = survey.classes(), survey.levels(), survey.sample()
    if classes is not None:
        split = _judgeable(case, classes, split)
    plan = Plan.of(shape, levels, split.size(TRAIN))
    encoded = encoding.fit(case, plan.encoded, classes, split) if plan.encoded else None
    rows = features.frame(sample.to_pandas(), shape)
    fitted = scaler.fit(case, shape, rows, levels, plan.one_hot, encoded)
    names = scaler.names(fitted, shape, classes)
    exported = preprocessing.export(fitted, shape, len(names))
    graph = Columns(exported, shape)
    joblib.dump(fitted, folder / "scaler.joblib")
    (folder / "preprocessing.onnx").write_bytes(exported)
    _write(case, split, classes, graph, encoded, folder)
    prepared = Prepared(
        training_id=training_id,
        folder=folder,
        cleaned=dataset,
        dataset=_fact(dataset, split),
        seen=survey.seen(),
        scale=1.0 if classes else float(np.std(np.load(folder / "train_y.npy"))) or 1.0,
        classes=classes,
        column_names=names,
        since=split.cuts and (split.cuts.validation, split.cuts.holdout),
    )
    _prove(case, prepared, graph)
    log.info("%s; %d columns after preprocessing", prepared.sentence(), len(names))
    return prepared


def _judgeable(case: Case, classes: Classes, split: Split) -> Split:
    """The split without the rows that hold a class which the training part lacks."""
    if len(classes) < 2:
        raise SplitError(
            f"{split.path}: all {split.size(TRAIN):,} rows of the training part have {case.target} = "
            f"{classes[0]!r}; with one class only there is nothing to tell apart, add rows of others"
        )
    targets = [features.target(case, classes, rows) for rows, _ in split.batches([case.target])]
    unknown = np.concatenate(targets) < 0
    judged = split.without(unknown)
    if unknown.any():
        log.warning(
            "%d rows of the validation part and %d of the holdout have a class of %s that no row of the "
            "training part has; they are left out",
            split.size(VALIDATION) - judged.size(VALIDATION),
            split.size(HOLDOUT) - judged.size(HOLDOUT),
            case.target,
        )
    for side, part in PARTS.items():
        if split.size(side) and not judged.size(side):
            raise SplitError(
                f"{split.path}: no row of the {part} part has a class of {case.target} that the training "
                f"part has too; more rows of each class are needed"
            )
    return judged


def _fact(dataset: Dataset, split: Split) -> DatasetFact:
    train, validation, holdout = (split.size(side) for side in PARTS)
    return DatasetFact(
        sha256=dataset.sha,
        rows=train + validation + holdout,
        train_rows=train,
        validation_rows=validation,
        holdout_rows=holdout,
        synthetic=dataset.synthetic,
    )


def _write(
    case: Case,
    split: Split,
    classes: Classes | None,
    graph: Columns,
    encoded: Encoding | None,
    folder: Path,
) -> None:
    trained = 0
    with Parts(folder, {side: split.size(side) for side in PARTS}) as parts:
        for rows, side in split.batches([*case.features, case.target]):
            columns, train = graph.read(rows), side == TRAIN
            if encoded:
                _cross(columns, train, encoded, trained)
            arrays = {"X": columns, "y": features.target(case, classes, rows)}
            if case.train.time:
                arrays["t"] = features.doubles(rows[case.train.time])
            parts.add(rows, side, arrays)
            trained += int(np.count_nonzero(train))


def _cross(columns: Floats, train: npt.NDArray[np.bool_], encoded: Encoding, start: int) -> None:
    """Put the cross-fitted values into the training rows; the encoded columns are the last ones."""
    width = encoded.crossed.shape[1]
    own = columns[train, -width:]
    encoded.cross(own, start)
    columns[train, -width:] = own


def _prove(case: Case, prepared: Prepared, graph: Columns) -> None:
    """Compare scikit-learn with the columns of all held-out rows, as they lie on disk, and of odd ones.

    The odd rows are what requests may bring besides.
    """
    fitted, shape, names = prepared.scaler(), features.layout(case.features), prepared.column_names
    columns, at = prepared.columns("holdout"), 0
    for rows in features.batches(prepared.folder / "holdout.parquet", list(case.features)):
        for start in range(0, rows.num_rows, _PROVEN_ROWS):
            held = rows.slice(start, _PROVEN_ROWS).to_pandas()
            prove(columns[at : at + len(held)], fitted, features.frame(held, shape), names)
            at += len(held)
    odd = features.frame(features.disturbed(held, case), shape)
    prove(graph.of(odd), fitted, odd, names)
