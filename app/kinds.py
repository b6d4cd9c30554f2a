"""The kinds of problems that an answer can tell of; what each is called never changes."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

PREFIX = "/problems/"
"""With a kind's name behind it, it is the kind's `type`, and the path of the page that explains it."""


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its name, its status, what it means and what to do about it."""

    name: str
    status: HTTPStatus
    title: str
    means: str
    remedy: str

    @property
    def type(self) -> str:
        return PREFIX + self.name


MALFORMED_REQUEST = Kind(
    "malformed-request",
    HTTPStatus.BAD_REQUEST,
    "Malformed request",
    "The request is not HTTP, ended early, or its body is not what its Content-Type says.",
    "Look at the position that `detail` names; send UTF-8.",
)
API_KEY_NEEDED = Kind(
    "api-key-needed",
    HTTPStatus.UNAUTHORIZED,
    "API key needed",
    "The request came without an API key, or with one that is not known here or was revoked.",
    "Send `Authorization: Bearer KEY` or `X-API-Key: KEY`; whoever runs the API makes one with "
    "`esteira keys add NAME`.",
)
NOT_FOUND = Kind(
    "not-found",
    HTTPStatus.NOT_FOUND,
    "No such path",
    "There is nothing at this path.",
    "GET /docs lists what there is.",
)
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "Method not allowed",
    "The path is right, the method is not.",
    "Send the method that `detail` and the header Allow name.",
)
NOT_ACCEPTABLE = Kind(
    "not-acceptable",
    HTTPStatus.NOT_ACCEPTABLE,
    "Not acceptable",
    "No answer can be given in the media type that Accept asks for.",
    "Ask for one that `detail` names, or send no Accept.",
)
TOO_SLOW_REQUEST = Kind(
    "request-too-slow",
    HTTPStatus.REQUEST_TIMEOUT,
    "Request too slow",
    "The request did not come within the time that it may take; the connection was closed.",
    "Send it again, over a better connection or in smaller parts.",
)
TOO_LARGE = Kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "Too large",
    "The body is larger than the limit of its path.",
    "Send fewer records at once; `detail` names the limit.",
)
WRONG_MEDIA_TYPE = Kind(
    "wrong-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "Wrong media type",
    "The body is of a type that this path does not read.",
    "Send the Content-Type that `detail` names.",
)
INVALID_RECORD = Kind(
    "invalid-record",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Invalid record",
    "What was sent can be read, but is not what the model takes, or has no finite answer.",
    "Correct the fields in `errors`; each entry says what was sent and what is allowed.",
)
RATE_EXCEEDED = Kind(
    "rate-exceeded",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Rate exceeded",
    "The API key was used more often than its rate allows.",
    "Wait as many seconds as Retry-After says; send many records in one POST /predict/batch.",
)
HEAD_TOO_LARGE = Kind(
    "head-too-large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "Head too large",
    "The request's line and headers are larger than the limit.",
    "Send fewer or shorter headers.",
)
INTERNAL_ERROR = Kind(
    "internal-error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Internal error",
    "An error of the API itself. Its log holds the rest, under the `request_id` of the answer.",
    "Report the `request_id` to whoever runs the API.",
)
NO_MODEL = Kind(
    "no-model",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "No model",
    "The process is up, but has no verified version to answer with.",
    "Whoever runs the API corrects what `detail` names.",
)
OVERLOADED = Kind(
    "overloaded",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Overloaded",
    "More requests wait than the API lets wait; this one was not begun.",
    "Send it again after as many seconds as Retry-After says.",
)
TOO_SLOW_ANSWER = Kind(
    "answer-too-slow",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Answer too slow",
    "The answer was not begun within the time that it may take; the connection was closed.",
    "Send smaller batches, or the same one later.",
)
BROKEN_OFF = Kind(
    "broken-off",
    HTTPStatus.BAD_GATEWAY,
    "Broken off",
    "Of the gateway: the version that was asked broke off.",
    "Send the request again.",
)
NO_ANSWER = Kind(
    "no-answer",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "No version answers",
    "Of the gateway: no version of this case answers now.",
    "Send it again in a moment; whoever runs the API looks at `esteira status`.",
)
GATEWAY_TIMEOUT = Kind(
    "gateway-timeout",
    HTTPStatus.GATEWAY_TIMEOUT,
    "Gateway timeout",
    "Of the gateway: the answer took longer than it waits.",
    "Send smaller batches.",
)

KINDS = (
    MALFORMED_REQUEST,
    API_KEY_NEEDED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    TOO_SLOW_REQUEST,
    TOO_LARGE,
    WRONG_MEDIA_TYPE,
    INVALID_RECORD,
    RATE_EXCEEDED,
    HEAD_TOO_LARGE,
    INTERNAL_ERROR,
    NO_MODEL,
    OVERLOADED,
    TOO_SLOW_ANSWER,
    BROKEN_OFF,
    NO_ANSWER,
    GATEWAY_TIMEOUT,
)
"""Every kind; the first of a status is what a refusal with that status is, unless it names another."""


def of(status: HTTPStatus) -> Kind:
    """The kind of a refusal that says its status alone."""
    return next((kind for kind in KINDS if kind.status == status), MALFORMED_REQUEST)
