"""The models that a case may name as candidates: a new one is one class here and one line in `Single`.

A candidate's cost is bounded whatever the number of rows: it is fitted on at most `max_rows` of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from esteira.vocabulary import Task, Word

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from optuna.trial import BaseTrial
    from sklearn.base import BaseEstimator

    Floats = npt.NDArray[np.float32]
    Doubles = npt.NDArray[np.float64]
    Target = npt.NDArray[np.float64] | npt.NDArray[np.int64]

_TREES = 1_000  # boosting's, of all classes
_LEAVES = 40_960  # of a forest's tree, times the classes that each holds a share of
_MANY_ROWS = 15_000
_ON_MANY_ROWS = {"iterations": 400, "max_leaf_nodes": 63, "max_features": 0.3, "l2_regularization": 1.0}
_BATCH_ROWS = 2_048  # what fits into a core's cache is factored three times faster


@dataclass(frozen=True)
class Span:
    """Where a parameter is searched, both ends allowed, on a logarithmic scale; whole between whole ends."""

    low: float
    high: float

    def choose(self, trial: BaseTrial, name: str) -> float:
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=True)
        return trial.suggest_float(name, self.low, self.high, log=True)


class _Model(Word):
    tasks: ClassVar[frozenset[Task]] = frozenset({"regression", "classification"})
    """What it can be trained for."""
    search_weight: ClassVar[float] = 1
    """Its share of a search's seconds, relative to the other candidates' shares."""
    rows_per_thread: ClassVar[int] = 50_000
    """With fewer rows for each, threads wait for each other longer than they work."""
    starts: ClassVar[tuple[Mapping[str, float], ...]] = ()
    """Where else than at its own parameters a search begins: what did well on other tables."""

    max_rows: int = Field(500_000, ge=50)

    def rows(self, available: int) -> int:
        """How many of the training part's rows it is fitted on."""
        return min(available, self.max_rows)

    def bound(self, available: int) -> str:
        """How its cost is bounded, in words."""
        return f"{self.rows(available):,} of {available:,} rows"

    def among(self, classes: int, rows: int) -> Self:
        """The same candidate for so many classes and rows.

        What would grow with the classes is bounded, and many rows bear more detail; what the case's YAML
        gives a value stays.
        """
        return self

    @property
    def searched(self) -> dict[str, Span]:
        """The parameters that a search may set: those with a span that the case's YAML gives no value."""
        fields = type(self).model_fields.items()
        spans = {name: span for name, field in fields for span in field.metadata if isinstance(span, Span)}
        return {name: span for name, span in spans.items() if name not in self.model_fields_set}

    def suggest(self, trial: BaseTrial) -> Self:
        """The same candidate with the trial's values for the searched parameters."""
        return self.model_copy(
            update={name: span.choose(trial, name) for name, span in self.searched.items()}
        )

    def fit(
        self, columns: Floats, target: Target, task: Task, weights: Doubles | None = None
    ) -> BaseEstimator:
        """A plain scikit-learn model, fitted on preprocessed columns [N, p] and their target [N].

        The target is numbers, or the places of classes; `weights` [N] say how much each row counts.
        """
        return self.estimator(len(target), task).fit(columns, target, sample_weight=weights)

    @abstractmethod
    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        """The scikit-learn model that is to be fitted on so many rows."""


class _LeastSquares(_Model):
    """A linear model on the preprocessed columns, in double precision.

    The rows are folded batch by batch into the triangle R of their QR decomposition, which has the
    same least-squares solution (Golub and Van Loan, Matrix Computations, 5.3), with a penalty on the
    coefficients as without, so that the memory does not grow with the rows.
    """

    tasks = frozenset({"regression"})
    rows_per_thread = (
        1_000_000_000  # never two: small matrices: on a busy machine two threads take ten times as long
    )
    max_rows: int = Field(5_000_000, ge=50)

    def fit(
        self, columns: Floats, target: Target, task: Task, weights: Doubles | None = None
    ) -> BaseEstimator:
        import numpy as np

        middle, level = columns.mean(axis=0, dtype=np.float64), target.mean()
        triangle = np.empty((0, len(middle) + 1))
        for start in range(0, len(target), _BATCH_ROWS):
            batch = slice(start, start + _BATCH_ROWS)
            centred = np.column_stack([columns[batch] - middle, target[batch] - level])
            triangle = np.asarray(np.linalg.qr(np.vstack([triangle, centred]), mode="r"))
        model = self.estimator(len(target), task).fit(triangle[:, :-1], triangle[:, -1])
        model.intercept_ = level - middle @ model.coef_
        return model


class LinearRegression(_LeastSquares):
    """Ordinary least squares."""

    kind: Literal["linear_regression"] = "linear_regression"

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.linear_model import LinearRegression as Estimator

        return Estimator(fit_intercept=False)


class Ridge(_LeastSquares):
    """Least squares with a penalty on the coefficients' squares, which steadies related columns."""

    kind: Literal["ridge"] = "ridge"
    search_weight = 0.5
    alpha: Annotated[float, Span(1e-3, 1e4)] = Field(1.0, gt=0)

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.linear_model import Ridge as Estimator

        return Estimator(alpha=self.alpha, fit_intercept=False, solver="svd")


class LogisticRegression(_Model):
    """Logistic regression: one set of coefficients for each class, with a penalty on their squares."""

    tasks = frozenset({"classification"})
    kind: Literal["logistic_regression"] = "logistic_regression"
    starts = ({"c": 30.0},)
    max_rows: int = Field(200_000, ge=50)
    c: Annotated[float, Span(1e-3, 1e3)] = Field(1.0, gt=0)
    """The larger, the weaker the penalty."""
    iterations: int = Field(500, ge=1)

    def fit(
        self, columns: Floats, target: Target, task: Task, weights: Doubles | None = None
    ) -> BaseEstimator:
        import numpy as np

        model: Any = super().fit(columns, target, task, weights)
        # So that it answers in double precision, as the exported graph does.
        model.coef_, model.intercept_ = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
        return model

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.linear_model import LogisticRegression as Estimator

        return Estimator(C=self.c, max_iter=self.iterations)


class DecisionTree(_Model):
    """One tree."""

    kind: Literal["decision_tree"] = "decision_tree"
    search_weight = 0.5
    max_leaf_nodes: Annotated[int, Span(8, 4096)] = Field(4096, ge=2)
    min_samples_leaf: Annotated[int, Span(1, 200)] = Field(5, ge=1)
    seed: int = 0

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        return (DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier)(
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.seed,
        )

    def bound(self, available: int) -> str:
        return f"{super().bound(available)} in one tree of at most {self.max_leaf_nodes:,} leaves"


class _Forest(_Model):
    """The mean of many trees, each of which is grown in a random way of its own."""

    search_weight = 1.5
    trees: int = Field(60, ge=1)
    max_leaf_nodes: Annotated[int, Span(256, 8192)] = Field(4096, ge=2)
    min_samples_leaf: Annotated[int, Span(1, 20)] = Field(2, ge=1)
    max_features: Annotated[float, Span(0.1, 1.0)] = Field(0.4, gt=0, le=1)
    """The share of the columns that each split may choose from."""
    seed: int = 0

    def among(self, classes: int, rows: int) -> Self:
        """Each leaf holds a share of every class: with many classes trees have fewer leaves."""
        most = max(64, _LEAVES // max(classes, 1))
        if self.max_leaf_nodes <= most or "max_leaf_nodes" in self.model_fields_set:
            return self
        return self.model_copy(update={"max_leaf_nodes": most})

    def _options(self) -> dict[str, Any]:
        return {
            "n_estimators": self.trees,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features,
            "random_state": self.seed,
            "n_jobs": -1,
        }


class RandomForest(_Forest):
    """A forest of trees, each grown on a bootstrap sample of at most `rows_per_tree` rows."""

    kind: Literal["random_forest"] = "random_forest"
    starts = ({"max_features": 0.9, "min_samples_leaf": 1}, {"min_samples_leaf": 6})
    rows_per_tree: int = Field(100_000, ge=1)

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        sample = min(rows, self.rows_per_tree)
        return (RandomForestRegressor if task == "regression" else RandomForestClassifier)(
            max_samples=sample, **self._options()
        )

    def bound(self, available: int) -> str:
        sample = min(self.rows(available), self.rows_per_tree)
        leaves = f"at most {self.max_leaf_nodes:,} leaves"
        return f"{super().bound(available)}, {sample:,} for each of {self.trees} trees of {leaves}"


class ExtraTrees(_Forest):
    """A forest whose trees grow on all rows and split at random thresholds (Geurts et al. 2006).

    Its errors are other ones than a random forest's or boosting's: it is strong beside them.
    """

    kind: Literal["extra_trees"] = "extra_trees"
    starts = ({"max_features": 0.9}, {"max_features": 0.9, "min_samples_leaf": 1}, {"min_samples_leaf": 6})
    max_rows: int = Field(50_000, ge=50)
    trees: int = Field(40, ge=1)
    max_features: Annotated[float, Span(0.1, 1.0)] = Field(0.5, gt=0, le=1)

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        return (ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier)(**self._options())

    def bound(self, available: int) -> str:
        return f"{super().bound(available)} for {self.trees} trees of at most {self.max_leaf_nodes:,} leaves"


class HistGradientBoosting(_Model):
    """Gradient boosting on binned columns."""

    kind: Literal["hist_gradient_boosting"] = "hist_gradient_boosting"
    search_weight = 6
    starts = (
        {"iterations": 400, "max_leaf_nodes": 63, "min_samples_leaf": 10, "max_features": 0.3},
        {"learning_rate": 0.03, "max_leaf_nodes": 20, "max_features": 0.35, "l2_regularization": 5.0},
        {"iterations": 500, "max_leaf_nodes": 63, "min_samples_leaf": 5, "max_features": 0.3},
    )
    max_rows: int = Field(200_000, ge=50)
    iterations: Annotated[int, Span(100, 500)] = Field(300, ge=1)
    learning_rate: Annotated[float, Span(0.02, 0.2)] = Field(0.05, gt=0)
    max_leaf_nodes: Annotated[int, Span(8, 128)] = Field(31, ge=2)
    min_samples_leaf: Annotated[int, Span(5, 60)] = Field(20, ge=1)
    max_features: Annotated[float, Span(0.15, 1.0)] = Field(0.5, gt=0, le=1)
    """The share of the columns that each split may choose from."""
    l2_regularization: Annotated[float, Span(0.001, 10.0)] = Field(0.001, ge=0)
    seed: int = 0

    def among(self, classes: int, rows: int) -> Self:
        """On many rows larger trees; and as each iteration grows one for every class, fewer for many classes.

        Those fewer take longer steps.
        """
        sized = self._on_many_rows() if rows >= _MANY_ROWS else self
        most = max(30, _TREES // max(classes, 1))
        if sized.iterations <= most or {"iterations", "learning_rate"} & self.model_fields_set:
            return sized
        step = min(0.3, sized.learning_rate * sized.iterations / most)
        return sized.model_copy(update={"iterations": most, "learning_rate": step})

    def _on_many_rows(self) -> Self:
        """Still open to a search; as it is if the YAML gives one of the searched parameters a value."""
        if self.model_fields_set & type(self)().searched.keys():
            return self
        sized = self.model_copy(update=_ON_MANY_ROWS)
        sized.model_fields_set.difference_update(_ON_MANY_ROWS)
        return sized

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        return (HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier)(
            max_iter=self.iterations,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            l2_regularization=self.l2_regularization,
            early_stopping=False,
            random_state=self.seed,
        )

    def bound(self, available: int) -> str:
        return f"{super().bound(available)} in 255 bins per column, {self.iterations} iterations"


class SVC(_Model):
    """A support vector machine with a radial kernel, its decisions turned into probabilities (Platt 1999).

    Its cost grows with the square of the rows, so it is fitted on a sample of them; the curves from
    decisions to probabilities come from `curve_folds` further fits, each on the rows of all folds but one.
    """

    tasks = frozenset({"classification"})
    kind: Literal["svc"] = "svc"
    starts = ({"c": 10.0}, {"c": 10.0, "gamma": 0.3})
    search_weight = 2
    max_rows: int = Field(5_000, ge=50)
    c: Annotated[float, Span(0.1, 100.0)] = Field(1.0, gt=0)
    """The larger, the closer it follows the rows that it was fitted on."""
    gamma: Annotated[float, Span(0.1, 10.0)] = Field(1.0, gt=0)
    """How narrow the kernel is: a multiple of 1 / (number of columns · their variance)."""
    curve_folds: int = Field(3, ge=2)
    seed: int = 0

    def fit(
        self, columns: Floats, target: Target, task: Task, weights: Doubles | None = None
    ) -> BaseEstimator:
        model = self.estimator(len(target), task)
        model.set_params(estimator__gamma=self.gamma / (columns.shape[1] * (float(columns.var()) or 1.0)))
        return model.fit(columns, target, sample_weight=weights)

    def estimator(self, rows: int, task: Task) -> BaseEstimator:
        from sklearn import svm
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedKFold

        folds = StratifiedKFold(self.curve_folds, shuffle=True, random_state=self.seed)
        return CalibratedClassifierCV(svm.SVC(C=self.c), cv=folds, ensemble=False)

    def bound(self, available: int) -> str:
        return f"a sample of {super().bound(available)}, because its cost grows with their square"


class Ensemble(Word):
    """The best of the other candidates together: nothing is fitted for it but how they are combined."""

    tasks: ClassVar[frozenset[Task]] = frozenset({"regression", "classification"})
    kind: Literal["ensemble"] = "ensemble"
    members: int = Field(3, ge=2)
    """At most so many candidates are combined."""

    def bound(self, available: int) -> str:
        return f"at most {self.members} of the other candidates together"


def parameters(candidate: Candidate) -> dict[str, Any]:
    """The parameters of a candidate, without its name."""
    return candidate.model_dump(exclude={"kind"})


Single = (
    LinearRegression
    | Ridge
    | LogisticRegression
    | DecisionTree
    | RandomForest
    | ExtraTrees
    | HistGradientBoosting
    | SVC
)
"""A candidate that is fitted on rows."""

Candidate = Annotated[Single | Ensemble, Field(discriminator="kind")]
