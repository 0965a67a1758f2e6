"""Errors as RFC 9457 has them: one shape for all, with a public code."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException, ValidationException

from interlock.console.tokens import TokenError
from interlock.console.views.base import ProblemView
from interlock.runtime.errors import UnavailableError

PROBLEM_TYPE = "about:blank"
_LONGEST_DETAIL = 500


class ProblemError(Exception):
    """Something that is answered with a problem. `code` is public, `detail` is wording."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


def unknown(what: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "unknown", what)


def unusable(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, "input", detail)


def answer(problem: ProblemError) -> Response[bytes]:
    """Return the HTTP response of a problem."""
    body = ProblemView(
        type=PROBLEM_TYPE,
        title=problem.status.phrase,
        status=problem.status.value,
        detail=problem.detail[:_LONGEST_DETAIL],
        code=problem.code,
    )
    headers: dict[str, str] = {}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    return Response(
        msgspec.json.encode(body),
        status_code=problem.status.value,
        media_type="application/problem+json",
        headers=headers,
    )


def on_problem(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Turn whatever a handler raised into a problem; what nobody foresaw names no inner thing."""
    match error:
        case ProblemError():
            return answer(error)
        case UnavailableError():
            code = "database" if "PostgreSQL" in str(error) else "bus"
            return answer(ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, code, str(error)))
        case TokenError():
            return answer(ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "tokens", str(error)))
        case NotAuthorizedException():
            return answer(ProblemError(HTTPStatus.UNAUTHORIZED, "login", "log in first"))
        case ValidationException():
            return answer(unusable(_said(error)))
        case HTTPException():
            status = HTTPStatus(error.status_code)
            is_unknown = status is HTTPStatus.NOT_FOUND
            code = "unknown" if is_unknown else status.phrase.lower().replace(" ", "_")
            return answer(ProblemError(status, code, error.detail or status.phrase))
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            return answer(ProblemError(status, "fault", "the console has a fault; see its log"))


def _said(error: ValidationException) -> str:
    parts = [error.detail]
    extra = error.extra
    if isinstance(extra, list):
        parts += [f"{one.get('key', '')} {one.get('message', '')}".strip() for one in extra]
    return "; ".join(part for part in parts if part)
