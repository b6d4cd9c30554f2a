"""What the page says, in its languages."""

from __future__ import annotations

from collections.abc import Mapping

from app.page.language import Language

_BOTH: Mapping[str, tuple[str, str]] = {
    "tag": ("en", "pt-BR"),
    "other_tag": ("pt-BR", "en"),
    "other_language": ("Português", "English"),
    "skip": ("Skip to the answer", "Ir para a resposta"),
    "version": ("version {}", "versão {}"),
    "predicts": ("Predicts", "Prevê"),
    "links": ("Pages of this model", "Páginas deste modelo"),
    "api": ("API for programs", "API para programas"),
    "facts": ("All facts (JSON)", "Todos os dados (JSON)"),
    "synthetic": (
        "Trained on synthetic data: it was generated, not observed, and says nothing about the world.",
        "Treinado com dados sintéticos: foram gerados, não observados, e nada dizem sobre o mundo.",
    ),
    "form": ("Your values", "Seus valores"),
    "optional": ("optional", "opcional"),
    "nothing": ("not known", "não sei"),
    "choose": ("choose", "escolha"),
    "ask": ("Predict", "Prever"),
    "again": ("Back to the example", "Voltar ao exemplo"),
    "answer": ("Answer", "Resposta"),
    "no_answer": ("No answer yet", "Ainda sem resposta"),
    "fix": ("Look at these values:", "Veja estes valores:"),
    "unseen": ("Unlike the training, so be careful:", "Diferente do treino, então cuidado:"),
    "interval": ("In {} of cases the true value lies between", "Em {} dos casos o valor real fica entre"),
    "and": ("and", "e"),
    "marks": (
        "small marks: the model's own examples",
        "marcas pequenas: exemplos do próprio modelo",
    ),
    "probabilities": ("How probable each class is", "Quão provável é cada classe"),
    "threshold": (
        "From {1} on the answer is {0}: what serves this case best.",
        "A partir de {1} a resposta é {0}: o que melhor serve a este caso.",
    ),
    "others": ("{} others together", "outros {} juntos"),
    "beside": ("The models side by side", "Os modelos lado a lado"),
    "model": ("Model", "Modelo"),
    "says": ("Says", "Diz"),
    "agrees": ("same as the answer", "igual à resposta"),
    "why": ("What pushed it up or down", "O que a puxou para cima ou para baixo"),
    "why_number": (
        "The mean over {} examples is <b>{}</b>; these values took it to <b>{}</b>.",
        "A média de {} exemplos é <b>{}</b>; estes valores a levaram a <b>{}</b>.",
    ),
    "why_class": (
        "The probability of <b>{3}</b>: its mean over {0} examples is <b>{1}</b>; "
        "these values took it to <b>{2}</b>.",
        "A probabilidade de <b>{3}</b>: sua média em {0} exemplos é <b>{1}</b>; "
        "estes valores a levaram a <b>{2}</b>.",
    ),
    "exact": ("Shapley values, exact for these examples.", "Valores de Shapley, exatos para estes exemplos."),
    "sampled": (
        "Shapley values, estimated from many orders of the fields.",
        "Valores de Shapley, estimados com muitas ordens dos campos.",
    ),
    "busy": (
        "Too many explanations at once; change a value to try again.",
        "Explicações demais ao mesmo tempo; mude um valor para tentar de novo.",
    ),
    "file": ("A whole file", "Um arquivo inteiro"),
    "file_about": (
        "A CSV with these columns comes back with a prediction for each row. "
        "It goes to this API and nowhere else.",
        "Um CSV com estas colunas volta com uma previsão para cada linha. "
        "Ele vai para esta API e para nenhum outro lugar.",
    ),
    "drop": ("Drop a CSV here, or choose one", "Solte um CSV aqui, ou escolha um"),
    "template": ("A small CSV to try it with", "Um pequeno CSV para experimentar"),
    "sending": ("Sending {name} …", "Enviando {name} …"),
    "receiving": ("{rows} rows answered …", "{rows} linhas respondidas …"),
    "done": ("Done: {rows} rows in {file}", "Pronto: {rows} linhas em {file}"),
    "done_bad": (
        "Done: {rows} rows in {file}; {bad} of them without an answer, its last column says why",
        "Pronto: {rows} linhas em {file}; {bad} delas sem resposta, a última coluna diz por quê",
    ),
    "save": ("Save {file}", "Salvar {file}"),
    "suffix": ("predictions", "previsoes"),
    "cancel": ("Cancel", "Cancelar"),
    "cancelled": ("Cancelled", "Cancelado"),
    "failed": ("{name} could not be answered: {why}", "{name} não pôde ser respondido: {why}"),
    "unreachable": (
        "The API does not answer now; try again in a moment.",
        "A API não responde agora; tente de novo em instantes.",
    ),
    "card": ("About this model", "Sobre este modelo"),
    "kind": ("Kind", "Tipo"),
    "trained": ("Trained", "Treinado em"),
    "rows": ("Rows", "Linhas"),
    "rows_told": ("{} ({} to train, {} held out)", "{} ({} para treinar, {} reservadas)"),
    "coverage": ("Intervals that held the true value", "Intervalos que contiveram o valor real"),
    "scores": ("How good it is", "Quão bom ele é"),
    "scores_about": (
        "On {} rows that it never saw in training.",
        "Em {} linhas que ele nunca viu no treino.",
    ),
    "importances": ("What it looks at most", "O que mais pesa"),
    "importances_about": (
        "By how much it gets worse when a column is shuffled.",
        "Quanto piora quando uma coluna é embaralhada.",
    ),
    "candidates": ("The models that competed", "Os modelos que competiram"),
    "candidates_about": (
        "Scores before the final test; the bold one won.",
        "Notas antes do teste final; o vencedor em negrito.",
    ),
    "per_class": ("Class by class", "Classe por classe"),
    "class": ("Class", "Classe"),
    "table_rows": ("Rows", "Linhas"),
}

TEXTS: Mapping[Language, Mapping[str, str]] = {
    "en": {name: both[0] for name, both in _BOTH.items()},
    "pt": {name: both[1] for name, both in _BOTH.items()},
}
