"""What an HTTP status of a model endpoint means."""

from http import HTTPStatus

from interlock.reasoning.ports import AskFailedError
from interlock.wire.reasoning import ReasonerFailure

# No retry brings the money back.
_EXHAUSTED = ("insufficient_quota", "insufficient_user_quota", "credit balance", "billing")


def failure_of_status(
    status: int, detail: str, retry_after_seconds: float | None
) -> AskFailedError:
    """Return the failure for an HTTP error. Only 408, 429 and 5xx are worth another try."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        exhausted = any(word in detail.lower() for word in _EXHAUSTED)
        return AskFailedError(
            ReasonerFailure.RATE_LIMIT,
            detail,
            retryable=not exhausted,
            retry_after_seconds=retry_after_seconds,
        )
    passing = status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return AskFailedError(
        ReasonerFailure.PROVIDER,
        detail,
        retryable=passing,
        retry_after_seconds=retry_after_seconds,
    )


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Return a ``Retry-After`` header in seconds, none where it is absent, a date or nonsense."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return float(retry_after[:6])
