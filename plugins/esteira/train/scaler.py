"""The preprocessing that all candidates share: from raw features to float32 columns.

Numbers: missing ones become the median, with an indicator column; then zero mean and unit variance.
Categories: one column for each level, all zero for a level that training did not see.
Everything is computed in double precision and cast to float32 last, so that scikit-learn and ONNX
see the same numbers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from esteira.case import Case, Category
from esteira.train.features import Layout

Levels = Mapping[str, tuple[int, ...] | tuple[str, ...]]


def fit(case: Case, shape: Layout, features: pd.DataFrame, levels: Levels) -> Pipeline:
    """Fit on rows of the training part; `levels` are those that the whole training part holds."""
    numeric = [i for i, name in enumerate(shape.names) if not isinstance(case.features[name], Category)]
    codes = [i for i, name in enumerate(shape.numbers) if i not in numeric]
    texts = [len(shape.numbers) + i for i in range(len(shape.texts))]
    steps = [
        ("numbers", make_pipeline(_imputer(), StandardScaler()), numeric),
        ("codes", _one_hot(shape, codes, levels, float), codes),
        ("texts", _one_hot(shape, texts, levels, object), texts),
    ]
    columns = ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0)
    return Pipeline(
        [("columns", columns), ("float32", FunctionTransformer(np.asarray, kw_args={"dtype": np.float32}))]
    ).fit(features)


def _imputer() -> SimpleImputer:
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def _one_hot(shape: Layout, positions: list[int], levels: Levels, dtype: type) -> OneHotEncoder:
    categories: list[npt.NDArray[Any]] = [np.array(levels[shape.names[i]], dtype=dtype) for i in positions]
    return OneHotEncoder(
        categories=categories, handle_unknown="ignore", sparse_output=False, dtype=np.float32
    )
