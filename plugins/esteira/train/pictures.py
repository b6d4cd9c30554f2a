"""Which pictures a model gets, by the names of their files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from esteira.case import Case
from esteira.train import class_plots, importance, plots
from esteira.train.answers import Answers
from esteira.train.importance import Ask
from esteira.train.prepared import Prepared

if TYPE_CHECKING:
    from optuna import Study
    from pandas import DataFrame

Pictures = Mapping[str, Figure]

_STRONGEST = 5
_ROWS = 50_000  # of which curves are drawn


def of_answers(
    case: Case, classes: Sequence[Any] | None, actual: npt.NDArray[Any], answers: Answers
) -> Pictures:
    """How N answers fare beside their targets (numbers, or places of classes)."""
    if classes is None:
        unit = getattr(case.target_column, "unit", None)
        shown = f"({unit})" if unit else ""
        pair = actual, np.asarray(answers.prediction, np.float64)
        return {
            "predicted_against_actual": plots.predicted_against_actual(*pair, shown),
            "residuals": plots.residuals(*pair, shown),
        }
    assert answers.probabilities is not None
    some = plots.thinned(actual, _ROWS), plots.thinned(answers.probabilities, _ROWS), classes
    return {
        "confusion_matrix": class_plots.confusion(actual, np.asarray(answers.prediction, np.int64), classes),
        "roc": class_plots.roc(*some),
        "precision_recall": class_plots.precision_recall(*some),
        "calibration": class_plots.calibration(*some),
        "lift": class_plots.lift(*some),
    }


def of_features(
    case: Case, prepared: Prepared, sample: DataFrame, ask: Ask
) -> tuple[dict[str, float], Pictures]:
    """The permutation importances, and the pictures of what the answers depend on.

    `sample` holds raw rows that whoever answers was not fitted on: by others, noise that it learned by
    heart looks important.
    """
    drops = importance.importances(case, prepared.classes, sample, ask)
    strongest = list(drops or case.features)[:_STRONGEST]
    found = importance.dependences(case, strongest, sample, ask)
    return drops, {
        "importances": plots.importances(drops, case.metric),
        "partial_dependence": plots.dependences(found, _answer(case, prepared), prepared.classes),
    }


def of_study(study: Study) -> Pictures:
    """A search's history, and what its parameters matter, as far as its trials tell."""
    from optuna.trial import TrialState
    from optuna.visualization import matplotlib as drawn

    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    if not complete:
        return {}
    tellable = len({trial.value for trial in complete}) > 1 and any(trial.params for trial in complete)
    with warnings.catch_warnings(), mpl.rc_context():  # Optuna sets a style for all pictures to come
        warnings.simplefilter("ignore")  # that its pictures are experimental, or its trials few
        found = {"search_history": _taken(drawn.plot_optimization_history(study))}
        if tellable:
            found["parameter_importances"] = _taken(drawn.plot_param_importances(study))
    return found


def write(folder: Path, pictures: Pictures) -> Path:
    """The pictures as .png files in a folder, which is given back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures.items():
        figure.savefig(folder / f"{name}.png")
        figure.set_layout_engine("none")  # it is laid out now, also for who draws it again
    return folder


def _answer(case: Case, prepared: Prepared) -> str:
    if prepared.classes is None:
        return f"mean {case.target}"
    return f"probability of {prepared.classes[1]}" if len(prepared.classes) == 2 else "probability"


def _taken(axes: Any) -> Figure:
    """The figure of some axes, out of pyplot's keeping, which would hold and show it."""
    from matplotlib import pyplot

    figure: Figure = axes.get_figure()
    pyplot.close(figure)
    return figure
