"""What an exchange's refusal means for an order. ccxt's classes of errors in, our codes out.

Theory of operation. Only what the exchange has surely said about this request counts as a refusal;
all else, every failure of a wire and every error nobody has named, leaves the order's fate open,
because a request whose answer is lost may have been obeyed. ccxt's classes are read by name, so
that this table needs no ccxt.
"""

from collections.abc import Mapping
from enum import Enum, auto

from msgspec import Struct


class Outcome(Enum):
    """What has become of a request that failed."""

    REFUSED = auto()
    """The exchange has said no: nothing was done."""
    DUPLICATE = auto()
    """It knows an order of this id already."""
    NOT_FOUND = auto()
    """It knows no such order."""
    LOST = auto()
    """Nobody knows."""


class VenueError(Struct, frozen=True, kw_only=True):
    """`code` is ours, `words` the exchange's, without secrets."""

    code: str
    outcome: Outcome
    words: str

    @property
    def reason(self) -> str:
        return f"{self.code}: {self.words}"


RATE_LIMIT = "rate_limit"

_OUTCOMES: dict[str, Outcome] = {
    "insufficient_funds": Outcome.REFUSED,
    "invalid_order": Outcome.REFUSED,
    "would_take": Outcome.REFUSED,
    "unknown_symbol": Outcome.REFUSED,
    "market_closed": Outcome.REFUSED,
    "not_now": Outcome.REFUSED,
    "not_allowed": Outcome.REFUSED,
    RATE_LIMIT: Outcome.REFUSED,
    "clock_skew": Outcome.REFUSED,
    "bad_request": Outcome.REFUSED,
    "duplicate_id": Outcome.DUPLICATE,
    "order_not_found": Outcome.NOT_FOUND,
    "maintenance": Outcome.LOST,
    "timeout": Outcome.LOST,
    "not_available": Outcome.LOST,
    "unreadable": Outcome.LOST,
    "network": Outcome.LOST,
    "unnamed": Outcome.LOST,
}

CODES: dict[str, str] = {
    "InsufficientFunds": "insufficient_funds",
    "DuplicateOrderId": "duplicate_id",
    "OrderNotFound": "order_not_found",
    "OrderImmediatelyFillable": "would_take",
    "ContractUnavailable": "market_closed",
    "InvalidOrder": "invalid_order",
    "BadSymbol": "unknown_symbol",
    "MarketClosed": "market_closed",
    "OperationRejected": "not_now",
    "AuthenticationError": "not_allowed",
    "RateLimitExceeded": RATE_LIMIT,
    "InvalidNonce": "clock_skew",
    "ArgumentsRequired": "bad_request",
    "BadRequest": "bad_request",
    "NotSupported": "bad_request",
    "OnMaintenance": "maintenance",
    "RequestTimeout": "timeout",
    "TimeoutError": "timeout",
    "ExchangeNotAvailable": "not_available",
    "BadResponse": "unreadable",
    "NetworkError": "network",
    "OSError": "network",
}
"""The nearest class an error descends from gives its code; what is not here is ``unnamed``."""


def read_error(error: BaseException, words: str, said: Mapping[str, str]) -> VenueError:
    """Return what `error` means. `words` are its text, redacted; `said` is the dialect's list."""
    code = next((code for text, code in said.items() if text in words), None)
    if code is None:
        lineage = (kind.__name__ for kind in type(error).__mro__)
        code = next((CODES[name] for name in lineage if name in CODES), "unnamed")
    return VenueError(code=code, outcome=_OUTCOMES[code], words=words or type(error).__name__)
