"""The preprocessing that all candidates share: from raw features to float32 columns.

Numbers: missing ones become the median, with an indicator column. Dates: likewise, then the words of
the calendar. Categories with few levels: one column for each level, all zero for a level that training
did not see; with many: their target encoding; in between both. What is not a level's column gets zero
mean and unit variance. Everything is computed in double precision and cast to float32 last, so that
scikit-learn and ONNX see the same numbers; what single precision cannot hold becomes the largest number
that it can.
"""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from esteira.case import Case
from esteira.columns import Date
from esteira.train.dates import CALENDAR, CLOCK, Calendar
from esteira.train.encoding import Encoding
from esteira.train.features import Classes, Layout
from esteira.train.survey import Levels

LARGEST = float(np.finfo(np.float32).max)


def fit(
    case: Case,
    shape: Layout,
    features: pd.DataFrame,
    levels: Levels,
    one_hot: Collection[str],
    encoding: Encoding | None,
) -> Pipeline:
    """Fit on rows of the training part; `levels` are those that the whole training part holds.

    The categories in `one_hot` get a column for each level.

    A category without any level is left out: it is missing everywhere.
    """
    few = [name for name in shape.names if levels.get(name) and name in one_hot]
    dates = [name for name in shape.numbers if isinstance(case.features[name], Date)]
    numbers = [name for name in shape.numbers if name not in levels and name not in dates]
    codes, texts = ([name for name in few if name in side] for side in (shape.numbers, shape.texts))
    steps: list[tuple[str, Any, list[str]]] = [
        ("numbers", make_pipeline(_imputer(), StandardScaler()), numbers),
        ("dates", make_pipeline(_imputer(), _calendar(case, dates), StandardScaler()), dates),
        ("codes", _one_hot(codes, levels, float), codes),
        ("texts", _one_hot(texts, levels, object), texts),
    ]
    if encoding:
        steps.append(("encoded", FrozenEstimator(encoding.fitted), list(encoding.names)))
    columns = ColumnTransformer(
        [(step, how, [shape.names.index(name) for name in names]) for step, how, names in steps if names],
        sparse_threshold=0,
    )
    return Pipeline(
        [
            ("columns", columns),
            ("range", FunctionTransformer(np.clip, kw_args={"a_min": -LARGEST, "a_max": LARGEST})),
            ("float32", FunctionTransformer(np.asarray, kw_args={"dtype": np.float32})),
        ]
    ).fit(features)


def names(fitted: Pipeline, shape: Layout, classes: Classes | None) -> tuple[str, ...]:
    """What each column is, for people."""
    found: list[str] = []
    for step, how, places in fitted.named_steps["columns"].transformers_:
        if step != "remainder":
            found.extend(_names(step, how, [shape.names[place] for place in places], classes or ()))
    return tuple(found)


def _names(step: str, how: Any, columns: list[str], classes: tuple[Any, ...]) -> Iterator[str]:
    if step == "numbers":
        yield from columns
    if step == "dates":
        yield from (f"{name}: {word}" for word in CALENDAR for name in columns)
        timed = [columns[place] for place in how[1].timed]
        yield from (f"{name}: {word}" for word in CLOCK for name in timed)
    if step in ("numbers", "dates"):
        yield from (f"{columns[place]} is missing" for place in how[0].indicator_.features_)
    if step in ("codes", "texts"):
        for name, levels in zip(columns, how.categories_, strict=True):
            yield from (f"{name} is {_shown(level)}" for level in levels)
    if step == "encoded":
        kinds = [f" ({label})" for label in classes] if len(classes) > 2 else [""]
        width = len(how.estimator[0].encodings_) // len(columns)
        yield from (f"{name} by target{kind}" for name in columns for kind in kinds[:width])


def _shown(level: Any) -> str:
    return f"{level:.0f}" if isinstance(level, float) else level or "missing"


def _imputer() -> SimpleImputer:
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def _calendar(case: Case, dates: list[str]) -> Calendar:
    timed = tuple(place for place, name in enumerate(dates) if getattr(case.features[name], "time", False))
    return Calendar(len(dates), timed)


def _one_hot(columns: list[str], levels: Levels, dtype: type) -> OneHotEncoder:
    categories: list[npt.NDArray[Any]] = [np.array(levels[name], dtype=dtype) for name in columns]
    return OneHotEncoder(
        categories=categories, handle_unknown="ignore", sparse_output=False, dtype=np.float32
    )
