"""The model's card: what it is, how good, and from what, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.page.bar import Bar
from app.page.language import Language, amount, number, percent, with_unit
from esteira.metadata import Metadata

MOST_IMPORTANCES = 10
_IN_UNIT = frozenset({"rmse", "mae", "medae"})
_IN_PERCENT = frozenset({"mape", "accuracy", "balanced_accuracy", "precision", "recall", "f1"})
_SCORES: Mapping[str, Mapping[Language, tuple[str, str]]] = {
    "r2": {
        "en": ("R²", "share of the differences between rows that it explains"),
        "pt": ("R²", "parte das diferenças entre linhas que ele explica"),
    },
    "r2_log": {"en": ("R² (log)", "the same, of the logarithm"), "pt": ("R² (log)", "o mesmo, do logaritmo")},
    "rmse": {
        "en": ("RMSE", "typical error, large ones weighing more"),
        "pt": ("RMSE", "erro típico, os grandes pesam mais"),
    },
    "mae": {"en": ("MAE", "mean error"), "pt": ("MAE", "erro médio")},
    "medae": {"en": ("MedAE", "half of the errors are smaller"), "pt": ("MedAE", "metade dos erros é menor")},
    "mape": {
        "en": ("MAPE", "mean error as a share of the true value"),
        "pt": ("MAPE", "erro médio como parte do valor real"),
    },
    "accuracy": {"en": ("Accuracy", "answers that are right"), "pt": ("Acurácia", "respostas certas")},
    "balanced_accuracy": {
        "en": ("Balanced accuracy", "each class counting the same"),
        "pt": ("Acurácia balanceada", "cada classe com o mesmo peso"),
    },
    "precision": {
        "en": ("Precision", "how often a class is right when it is answered"),
        "pt": ("Precisão", "quanto acerta ao responder uma classe"),
    },
    "recall": {
        "en": ("Recall", "how much of a class is found"),
        "pt": ("Revocação", "quanto de uma classe é encontrado"),
    },
    "f1": {"en": ("F1", "precision and recall in one"), "pt": ("F1", "precisão e revocação em um número")},
    "roc_auc": {
        "en": ("ROC AUC", "0.5 is chance, 1 is perfect"),
        "pt": ("ROC AUC", "0,5 é acaso, 1 é perfeito"),
    },
    "average_precision": {
        "en": ("Average precision", "precision over all thresholds"),
        "pt": ("Precisão média", "precisão em todos os limiares"),
    },
    "log_loss": {
        "en": ("Log loss", "of the probabilities; 0 is perfect"),
        "pt": ("Log loss", "das probabilidades; 0 é perfeito"),
    },
    "brier": {
        "en": ("Brier", "of the probabilities; 0 is perfect"),
        "pt": ("Brier", "das probabilidades; 0 é perfeito"),
    },
}
"""What people call a score, and what it says."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A figure with its name and meaning."""

    name: str
    text: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One of the models that competed, with its scores in the order of `Card.compared_by`."""

    name: str
    scores: list[str]
    won: bool


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of the version."""

    chosen: str
    version: str
    trained: str
    rows: str
    train_rows: str
    holdout_rows: str
    synthetic: bool
    coverage: str
    scores: list[Score]
    importances: list[Bar]
    compared_by: list[str]
    candidates: list[Candidate]
    of_classes: list[str]
    """What is told of each class."""
    classes: list[tuple[str, str, str, str, str]]
    """Label, precision, recall, F1 and rows of each class."""


def card(metadata: Metadata, language: Language) -> Card:
    """The version's card."""
    dataset = metadata.dataset
    shown = [name for name in metadata.scores if all(name in one.scores for one in metadata.candidates)][:4]
    return Card(
        chosen=_words(metadata.chosen),
        version=str(metadata.version),
        trained=metadata.created_at.strftime("%d/%m/%Y" if language == "pt" else "%Y-%m-%d"),
        rows=number(dataset.rows, 0, language),
        train_rows=number(dataset.train_rows, 0, language),
        holdout_rows=number(dataset.holdout_rows, 0, language),
        synthetic=dataset.synthetic,
        coverage="" if metadata.interval is None else percent(metadata.interval.coverage, language),
        scores=[
            Score(
                name=_told(name, language)[0],
                text=_score(metadata, name, value, language),
                meaning=_told(name, language)[1],
            )
            for name, value in metadata.scores.items()
        ],
        importances=_importances(metadata, language),
        compared_by=[_told(name, language)[0] for name in shown],
        candidates=[
            Candidate(
                name=_words(one.name),
                scores=[_score(metadata, name, one.scores[name], language) for name in shown],
                won=one.name == metadata.chosen,
            )
            for one in metadata.candidates
        ],
        of_classes=[_told(name, language)[0] for name in ("precision", "recall", "f1")],
        classes=[
            (
                label,
                percent(one.precision, language, 0),
                percent(one.recall, language, 0),
                percent(one.f1, language, 0),
                number(one.support, 0, language),
            )
            for label, one in metadata.per_class.items()
        ],
    )


def _importances(metadata: Metadata, language: Language) -> list[Bar]:
    strongest = [(name, value) for name, value in metadata.importances.items() if value > 0][
        :MOST_IMPORTANCES
    ]
    largest = max((value for _, value in strongest), default=1.0)
    return [
        Bar(label=name, text=amount(value, language), length=value / largest * 100)
        for name, value in strongest
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _told(name: str, language: Language) -> tuple[str, str]:
    return _SCORES[name][language] if name in _SCORES else (name, "")


def _score(metadata: Metadata, name: str, value: float, language: Language) -> str:
    if name in _IN_UNIT:
        return with_unit(amount(value, language), metadata.unit)
    return percent(value, language) if name in _IN_PERCENT else number(value, 4, language)
