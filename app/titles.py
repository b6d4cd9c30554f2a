"""Which column each sent name means; a column may be called by its own name or its JSON name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import ValidationError

from app.faults import faults
from app.modelo import Modelo
from app.problems import Refusal
from esteira.columns import json_name

Cells = TypeVar("Cells")


class Titles:
    """The names of a model's columns."""

    def __init__(self, modelo: Modelo) -> None:
        self._modelo = modelo
        self.names = [json_name(name) for name in modelo.columns]
        self._aliases = [tuple(dict.fromkeys((json_name(name), name))) for name in modelo.columns]
        self._place = {alias: at for at, aliases in enumerate(self._aliases) for alias in aliases}

    def known(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self._place

    def fit(self, names: Collection[Any]) -> bool:
        """Whether each name is a column's, and no two are the same one's."""
        places = {self._place.get(name) for name in names}
        return None not in places and len(places) == len(names)

    def ordered(self, sent: Mapping[str, Cells]) -> list[Cells | None]:
        """What was sent for each column, in the model's order, None where nothing was."""
        return [next((sent[alias] for alias in aliases if alias in sent), None) for aliases in self._aliases]

    def check(self, names: Collection[str]) -> None:
        """Raise Refusal, naming each, where columns are missing, unknown or sent twice."""
        try:
            self._modelo.one.validate_python(dict.fromkeys(names))
        except ValidationError as error:
            of_names = {"missing", "extra_forbidden"}
            kinds = [detail["type"] in of_names for detail in error.errors(include_url=False)]
            found = [
                fault.model_copy(update={"sent": "nothing" if fault.sent == "nothing" else "a column"})
                for fault, is_of_names in zip(faults(error, self._modelo.columns), kinds, strict=False)
                if is_of_names
            ]
            if found:
                detail = " ".join(fault.message for fault in found[:20])
                raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail, found) from None
