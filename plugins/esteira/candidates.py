"""The models that a case may name as candidates: a new one is one class here and one line in `Candidate`.

A candidate's cost is bounded whatever the number of rows: it is fitted on at most `max_rows` of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from esteira.vocabulary import Task, Word

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from sklearn.base import RegressorMixin

    Floats = npt.NDArray[np.float32]
    Doubles = npt.NDArray[np.float64]

_BATCH_ROWS = 2_048  # what fits into a core's cache is factored three times faster


class _Model(Word):
    tasks: ClassVar[frozenset[Task]] = frozenset({"regression", "classification"})
    """What it can be trained for."""

    max_rows: int = Field(500_000, ge=50)

    def rows(self, available: int) -> int:
        """How many of the training part's rows it is fitted on."""
        return min(available, self.max_rows)

    def bound(self, available: int) -> str:
        """How its cost is bounded, in words."""
        return f"{self.rows(available):,} of {available:,} rows"

    def fit(self, columns: Floats, target: Doubles) -> RegressorMixin:
        """A plain scikit-learn model, fitted on preprocessed columns [N, p] and their target [N]."""
        return self.estimator(len(target)).fit(columns, target)

    @abstractmethod
    def estimator(self, rows: int) -> RegressorMixin:
        """The scikit-learn model that is to be fitted on so many rows."""


class LinearRegression(_Model):
    """Ordinary least squares on the preprocessed columns, in double precision.

    The rows are folded batch by batch into the triangle R of their QR decomposition, which has the
    same least-squares solution (Golub and Van Loan, Matrix Computations, 5.3), so that the memory
    does not grow with the rows.
    """

    tasks = frozenset({"regression"})
    kind: Literal["linear_regression"] = "linear_regression"
    max_rows: int = Field(5_000_000, ge=50)

    def fit(self, columns: Floats, target: Doubles) -> RegressorMixin:
        import numpy as np

        middle, level = columns.mean(axis=0, dtype=np.float64), target.mean()
        triangle = np.empty((0, len(middle) + 1))
        for start in range(0, len(target), _BATCH_ROWS):
            batch = slice(start, start + _BATCH_ROWS)
            centred = np.column_stack([columns[batch] - middle, target[batch] - level])
            triangle = np.asarray(np.linalg.qr(np.vstack([triangle, centred]), mode="r"))
        model = self.estimator(len(target)).fit(triangle[:, :-1], triangle[:, -1])
        model.intercept_ = level - middle @ model.coef_
        return model

    def estimator(self, rows: int) -> RegressorMixin:
        from sklearn.linear_model import LinearRegression as Estimator

        return Estimator(fit_intercept=False)


class DecisionTree(_Model):
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

    def bound(self, available: int) -> str:
        return f"{super().bound(available)} in one tree of at most {self.max_leaf_nodes:,} leaves"


class RandomForest(_Model):
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

    def bound(self, available: int) -> str:
        sample = min(self.rows(available), self.rows_per_tree)
        leaves = f"at most {self.max_leaf_nodes:,} leaves"
        return f"{super().bound(available)}, {sample:,} for each of {self.trees} trees of {leaves}"


class HistGradientBoosting(_Model):
    """Gradient boosting on binned columns."""

    kind: Literal["hist_gradient_boosting"] = "hist_gradient_boosting"
    max_rows: int = Field(200_000, ge=50)
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

    def bound(self, available: int) -> str:
        return f"{super().bound(available)} in 255 bins per column, {self.iterations} iterations"


def parameters(candidate: Candidate) -> dict[str, Any]:
    """The parameters of a candidate, without its name."""
    return candidate.model_dump(exclude={"kind"})


Candidate = Annotated[
    LinearRegression | DecisionTree | RandomForest | HistGradientBoosting,
    Field(discriminator="kind"),
]
