"""Problem documents: how a request was wrong, for programs and people (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from smallvision.text import show_text

PROBLEM_TYPE = "application/problem+json"
RETRY = {"Retry-After": "1"}


class ProblemError(Exception):
    """A request that is answered with a problem document.

    Attributes:
        status: of HTTP.
        detail: what is wrong and what to do, in one sentence.
        headers: of the answer.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def render(self) -> tuple[bytes, dict[str, str]]:
        """The document and its headers."""
        body = render_problem(self.status, self.detail)
        told = {"Content-Type": PROBLEM_TYPE, "Content-Length": str(len(body))}
        return body, told | self.headers


def render_problem(status: int, detail: str) -> bytes:
    """A problem document in ASCII; what it quotes of the request is shown with escapes."""
    title = HTTPStatus(status).phrase
    fields = {"type": "about:blank", "title": title, "status": status, "detail": show_text(detail)}
    return json.dumps(fields).encode()


def busy(what: str) -> ProblemError:
    """The answer to a request that has to be made again later."""
    return ProblemError(503, f"the server is busy ({what}); try again later", headers=RETRY)
