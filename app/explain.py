"""POST /explain: what pushed the answer to a record up or down."""

from __future__ import annotations

from http import HTTPStatus

import anyio.to_thread
from anyio import CapacityLimiter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from app import body, kinds, problems
from app.answers import Answers
from app.contributions import MOST_FIELDS, Shares, Sharing
from app.modelo import Modelo, values_of
from app.outputs import NotFiniteError
from app.problems import Refusal
from app.seen import Values
from esteira.columns import Date, Value, json_name
from esteira.days import to_text
from esteira.metadata import Answer

MOST_WAITING = 16
ABOUT = (
    "By how much each field's value moves the answer, as against the model's own examples: Shapley values, "
    "which with `base` add up to `value`. It takes the model thousands of answers, and does not hold up POST "
    "/predict. Castro et al. 2009; Štrumbelj and Kononenko 2014."
)


class Contribution(BaseModel):
    """What one field's value adds to the answer."""

    field: str
    value: Value = Field(description="As the model takes it; null is a missing one.")
    contribution: float


class Explanation(BaseModel):
    """What pushed an answer up or down."""

    case: str
    version: int
    prediction: Answer
    explained: str = Field(description="`prediction`, or the predicted class's `probability`.")
    value: float = Field(description="What is shared out.")
    base: float = Field(description="The mean of the same over those examples.")
    contributions: list[Contribution] = Field(description="Strongest first; with `base` they make `value`.")
    compared_with: int = Field(description="How many of the model's own examples.")
    exact: bool = Field(description="Every set of fields was tried, not only many orders.")


class Explainer:
    """Explains the answers of one version, one at a time, aside from all other requests."""

    def __init__(self, modelo: Modelo, answers: Answers) -> None:
        self._modelo, self._answers = modelo, answers
        self._limiter = CapacityLimiter(1)
        self._sharing = Sharing(modelo)
        self.is_able = len(modelo.columns) <= MOST_FIELDS and self._sharing.known > 0

    async def explain(self, request: Request) -> Response:
        """The route; raises Refusal."""
        content = await body.read(request.scope, request.receive, body.LARGEST_RECORD)
        self._answers.one(content)  # what POST /predict refuses is refused here, in the same words
        values = values_of(self._modelo.one.validate_json(content))
        if self.is_busy:
            detail = f"{MOST_WAITING} explanations are waiting already; ask again in a moment"
            return problems.answer(kinds.OVERLOADED, detail, headers={"Retry-After": "1"})
        explanation = await self.of(values)
        return Response(explanation.model_dump_json(), media_type="application/json")

    @property
    def is_busy(self) -> bool:
        return self._limiter.statistics().tasks_waiting >= MOST_WAITING

    async def of(self, values: Values) -> Explanation:
        """The explanation of the answer to a valid record; raises Refusal where there can be none."""
        if not self.is_able:
            detail = f"Only answers from at most {MOST_FIELDS} columns are explained; this model has more"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        try:
            shares = await anyio.to_thread.run_sync(self._sharing.of, values, limiter=self._limiter)
        except NotFiniteError:
            detail = "An answer between this record's and the model's examples' is not a finite number"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{detail}; send values nearer to those") from None
        return self._told(values, shares)

    def _told(self, values: Values, shares: Shares) -> Explanation:
        metadata = self._modelo.metadata
        fields = zip(self._modelo.columns.items(), values, shares.each.tolist(), strict=True)
        contributions = [
            Contribution(field=json_name(name), value=_shown(column, value), contribution=share)
            for (name, column), value, share in fields
        ]
        contributions.sort(key=lambda one: -abs(one.contribution))
        return Explanation(
            case=metadata.case,
            version=metadata.version,
            prediction=shares.value if metadata.classes is None else metadata.classes[shares.place],
            explained="prediction" if metadata.classes is None else "probability",
            value=shares.value,
            base=shares.base,
            contributions=contributions,
            compared_with=self._sharing.known,
            exact=shares.exact,
        )


def _shown(column: object, value: Value) -> Value:
    return to_text(value) if isinstance(column, Date) and isinstance(value, float) else value
