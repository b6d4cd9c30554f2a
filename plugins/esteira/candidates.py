"""The models that a case may name as candidates: a new one is one class here and one line in `Candidate`.

A candidate's cost is bounded by its own parameters, whatever the number of rows, and `bound` says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from esteira.vocabulary import Word

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin


class LinearRegression(Word):
    """Ordinary least squares on the preprocessed columns."""

    kind: Literal["linear_regression"] = "linear_regression"

    def estimator(self, rows: int) -> RegressorMixin:
        import numpy as np
        from skl2onnx.sklapi import CastTransformer
        from sklearn.linear_model import LinearRegression as Estimator
        from sklearn.pipeline import make_pipeline

        return make_pipeline(CastTransformer(dtype=np.float64), Estimator(copy_X=False))

    def bound(self, rows: int) -> str:
        return f"all {rows:,} rows in one least-squares solution"


class DecisionTree(Word):
    """One regression tree."""

    kind: Literal["decision_tree"] = "decision_tree"
    max_leaf_nodes: int = Field(4096, ge=2)
    min_samples_leaf: int = Field(5, ge=1)
    seed: int = 0

    def estimator(self, rows: int) -> RegressorMixin:
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.seed,
        )

    def bound(self, rows: int) -> str:
        return f"all {rows:,} rows in one tree of at most {self.max_leaf_nodes:,} leaves"


class RandomForest(Word):
    """A forest of regression trees, each grown on a bootstrap sample of at most `rows_per_tree` rows."""

    kind: Literal["random_forest"] = "random_forest"
    trees: int = Field(60, ge=1)
    rows_per_tree: int = Field(20_000, ge=1)
    max_leaf_nodes: int = Field(1024, ge=2)
    min_samples_leaf: int = Field(2, ge=1)
    max_features: float = Field(0.5, gt=0, le=1)
    seed: int = 0

    def estimator(self, rows: int) -> RegressorMixin:
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(
            n_estimators=self.trees,
            max_samples=min(rows, self.rows_per_tree),
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            random_state=self.seed,
            n_jobs=-1,
        )

    def bound(self, rows: int) -> str:
        sample = min(rows, self.rows_per_tree)
        size = f"{self.trees} trees of at most {self.max_leaf_nodes:,} leaves"
        return f"{size}, each on {sample:,} of {rows:,} rows"


class HistGradientBoosting(Word):
    """Gradient boosting on binned columns."""

    kind: Literal["hist_gradient_boosting"] = "hist_gradient_boosting"
    iterations: int = Field(150, ge=1)
    learning_rate: float = Field(0.1, gt=0)
    max_leaf_nodes: int = Field(31, ge=2)
    seed: int = 0

    def estimator(self, rows: int) -> RegressorMixin:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            max_iter=self.iterations,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            random_state=self.seed,
        )

    def bound(self, rows: int) -> str:
        return f"all {rows:,} rows in 255 bins per column, {self.iterations} iterations"


def parameters(candidate: Candidate) -> dict[str, Any]:
    """The parameters of a candidate, without its name."""
    return candidate.model_dump(exclude={"kind"})


Candidate = Annotated[
    LinearRegression | DecisionTree | RandomForest | HistGradientBoosting,
    Field(discriminator="kind"),
]
