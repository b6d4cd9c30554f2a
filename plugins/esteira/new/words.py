"""What people write in tables, in English and Portuguese: for missing values, for yes, in column names."""

from __future__ import annotations

import re
import unicodedata

_MISSING = {
    "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "nan", "-nan", "inf", "-inf", "null", "nil", "(null)",
    "<na>", "?", "??", "-", "--", "---", ".", "..", "*", "\\n", "n/d", "n.d.", "nd", "s/i", "missing",
    "unknown", "desconhecido", "undefined", "indefinido", "0000-00-00", "00/00/0000", "#value!", "#div/0!",
    "#ref!",
    "sem info", "sem informação", "sem informacao", "não informado", "nao informado", "não disponível",
    "nao disponivel", "not available", "not applicable", "no data", "sem dados", "0000-00-00 00:00:00",
}  # fmt: skip
_LEVELS_TOO = {"missing", "unknown", "desconhecido", "undefined", "indefinido", "not applicable"}
MISSING_AMONG_TEXTS = _MISSING - _LEVELS_TOO
"""What stands for a missing value even among texts, in small letters."""

_POSITIVE = {
    "yes", "y", "sim", "s", "si", "true", "t", "verdadeiro", "v", "1", "positive", "positivo", "pos",
    "presence", "present", "bad", "default", "fraud", "spam", "malignant", "churned", "churn", ">50k",
    ">50k.",
}  # fmt: skip
_IDENTIFIER = {
    "id", "ids", "uuid", "guid", "key", "chave", "codigo", "cod", "code", "index", "idx", "indice",
    "number", "numero", "no", "nr", "num", "row", "rownum", "rownumber", "registro", "protocolo",
    "matricula", "cpf", "cnpj", "rg",
}  # fmt: skip
_BORN = re.compile(r"(birth|nasc|dob|born)", re.IGNORECASE)
_BELOW_ZERO = re.compile(
    r"(temp|lat|lon|lng|delta|diff|change|varia|balance|saldo|lucro|profit|return|retorno|score|residual|"
    r"celsius|altitude|elevation|coord|_x$|_y$|^x$|^y$|^z$)",
    re.IGNORECASE,
)
_FROM_ZERO = re.compile(
    r"(area|sqft|m2|size|tamanho|price|preco|valor|custo|cost|amount|quant|qtd|count|num|rooms|quarto|banheiro|"
    r"bath|bed|garage|vaga|age$|^age|idade|weight|peso|height|altura|length|width|depth|income|renda|salar|"
    r"km|mile|hour|hora|year|ano|distance|distancia|speed|rain|humidity|pressure)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"(city|cidade|bairro|neighbo|district|distrito|county|municip|state$|^uf$|estado$|region|regiao|country|pais$|"
    r"location|local|place|lugar|street|rua|address|endereco|brand|marca|maker|manufac|fabric|model|company|"
    r"empresa|product|produto|vendor|store|loja|airline|carrier|airport|port|team|time$|school|escola|name|nome)",
    re.IGNORECASE,
)


def is_missing(text: str) -> bool:
    """Whether a text is known to stand for a missing value wherever it appears among numbers or dates."""
    return text.casefold() in _MISSING


def is_missing_among_texts(text: str) -> bool:
    """The same among texts, where `unknown` is as good a level as any."""
    return text.casefold() in MISSING_AMONG_TEXTS


def is_positive(text: str) -> bool:
    """Whether of two classes this one is the yes."""
    return text.casefold() in _POSITIVE


def plain(text: str) -> str:
    """A text without accents, in small letters."""
    bare = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in bare if not unicodedata.combining(letter)).lower()


def names_an_identifier(name: str) -> bool:
    """Whether a column is called like what tells one row from another: `customerID`, `id_cliente`."""
    words = _words(name)
    return bool(_IDENTIFIER & set(words)) and (len(words) < 4 or bool({"id", "uuid", "guid"} & set(words)))


def says_date_of_birth(name: str) -> bool:
    """Whether a date belongs to a person rather than to the row."""
    return bool(_BORN.search(name))


def may_be_negative(name: str) -> bool:
    """Whether what a column is called can be below zero even where this file shows none."""
    return bool(_BELOW_ZERO.search(name))


def starts_at_zero(name: str) -> bool:
    """Whether what a column is called cannot be below zero: an area, a price, a count."""
    return bool(_FROM_ZERO.search(name)) and not may_be_negative(name)


def goes_on(name: str) -> bool:
    """Whether there are always more of what a column is called: cities, brands, products."""
    return bool(_GOES_ON.search(plain(name)))


def _words(name: str) -> list[str]:
    """`customerID` and `Customer ID` are both customer and id."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]+", plain(apart))
