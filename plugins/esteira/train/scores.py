"""The scores of a regression, by the names that a case uses."""

import numpy as np
import numpy.typing as npt
from sklearn import metrics

Doubles = npt.NDArray[np.float64]


def scores(actual: Doubles, predicted: Doubles) -> dict[str, float]:
    """R², RMSE, MAE, MedAE (in the target's unit) and MAPE (a share of the actual value)."""
    return {
        "r2": float(metrics.r2_score(actual, predicted)),
        "rmse": float(metrics.root_mean_squared_error(actual, predicted)),
        "mae": float(metrics.mean_absolute_error(actual, predicted)),
        "mape": float(metrics.mean_absolute_percentage_error(actual, predicted)),
        "medae": float(metrics.median_absolute_error(actual, predicted)),
    }


def sentence(values: dict[str, float]) -> str:
    """The two scores that people look at first, for a log or a run note."""
    return f"R² {values['r2']:.4f}, RMSE {values['rmse']:,.4g}"
