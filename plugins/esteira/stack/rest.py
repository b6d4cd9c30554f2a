"""HTTP to Airflow's REST API: logs in, logs in again when the token has expired, says what went wrong."""

import json
from typing import Any

import httpx

from esteira.errors import EsteiraError


class AirflowError(EsteiraError):
    """Airflow refuses the login or what it was asked for."""


class AirflowSilentError(AirflowError):
    """Airflow does not answer, or only with a fault of its own; a moment later it may."""


class Rest:
    """Requests to `/api/v2` of an Airflow, in the name of a user."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return self.ask("GET", path, params=parameters)

    def ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The answer's JSON; raises AirflowError with Airflow's reason when there is none."""
        found = self.find(method, path, **content)
        if found is None:
            raise AirflowError(f"Airflow at {self.url} does not know {path}; its UI shows what there is")
        return found

    def find(self, method: str, path: str, **content: Any) -> dict[str, Any] | None:
        """As `ask`, but None for what Airflow does not know."""
        if "Authorization" not in self._http.headers:
            self._log_in()
        answer = self._send(method, f"/api/v2{path}", **content)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._log_in()
            answer = self._send(method, f"/api/v2{path}", **content)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise AirflowError(f"Airflow refused {method} {path}: {answer.status_code} {_reason(answer)}")
        found: dict[str, Any] = answer.json()
        return found

    def _log_in(self) -> None:
        self._http.headers.pop("Authorization", None)
        answer = self._send("POST", "/auth/token", json=self._login)
        if answer.is_error:
            raise AirflowError(
                f"{self.url} refuses the login of {self._login['username']!r} "
                f"({answer.status_code} {_reason(answer)}); is it another Airflow? "
                f"Restart this project's with `esteira down` and `esteira up`"
            )
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **content)
        except httpx.HTTPError as error:
            raise AirflowSilentError(
                f"Airflow at {self.url} does not answer ({error}); start it with `esteira up`"
            ) from None
        if answer.is_server_error:
            raise AirflowSilentError(
                f"Airflow at {self.url} failed to answer {method} {path} ({answer.status_code}); "
                f"the log of airflow-api-server says why"
            )
        return answer


def _reason(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, LookupError, TypeError):
        return answer.text[:200]
    return detail if isinstance(detail, str) else json.dumps(detail)
