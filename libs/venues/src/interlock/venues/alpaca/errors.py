"""Alpaca's refusals as codes of ours, and which failures say nothing about an order.

Theory of operation. Alpaca answers a request it will not serve with a JSON object that has a
`message`. Such an answer with a status of 400 to 499 is its word: the order is not there. All
else (429, 408, 5xx, a page of HTML from something between us, an empty body, a broken connection,
no answer in time) says nothing about the order, and is a failure of the wire.
"""

import re
from enum import StrEnum

import msgspec

_MAX_WORDS = 300
_TRANSIENT = frozenset({408, 425, 429})
_TOO_MANY_REQUESTS = 429
_CLIENT_ERRORS = range(400, 500)


class RefusalCode(StrEnum):
    """Why the venue refused, in a closed vocabulary. Its own words stand behind it."""

    UNAUTHORIZED = "unauthorized"
    ACCOUNT_BLOCKED = "account_blocked"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INSUFFICIENT_QUANTITY = "insufficient_quantity"
    MARKET_CLOSED = "market_closed"
    HALTED = "halted"
    UNKNOWN_SYMBOL = "unknown_symbol"
    WASH_TRADE = "wash_trade"
    PRECISION = "precision"
    MIN_NOTIONAL = "min_notional"
    DUPLICATE_ID = "duplicate_id"
    NOT_CANCELABLE = "not_cancelable"
    NOT_FOUND = "not_found"
    UNSUPPORTED = "unsupported"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"


class AlpacaRefusedError(Exception):
    """The venue's word that it will not. The text is the code and its own words."""

    def __init__(self, code: RefusalCode, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code


class TooLateError(Exception):
    """The order's approval ended before it could be sent."""


class AlpacaWireError(Exception):
    """No answer, or one that is not the venue's.

    `again`: asking once more may help. `busy`: too many requests, this one was not looked at.
    """

    def __init__(self, words: str, *, again: bool = True, busy: bool = False) -> None:
        super().__init__(words)
        self.again = again
        self.busy = busy


_WORDS: list[tuple[RefusalCode, str]] = [
    (RefusalCode.DUPLICATE_ID, r"client_order_id must be unique"),
    (RefusalCode.WASH_TRADE, r"wash trade"),
    (
        RefusalCode.UNAUTHORIZED,
        r"unauthori[sz]ed|not authori[sz]ed|^forbidden\.?$|access key verification|auth failed",
    ),
    (RefusalCode.INSUFFICIENT_QUANTITY, r"insufficient (qty|balance|quantity)|not enough shares"),
    (RefusalCode.INSUFFICIENT_FUNDS, r"insufficient .*(buying power|funds)|buying power"),
    (RefusalCode.MARKET_CLOSED, r"market is (not open|closed)|market hours|outside .*hours"),
    (RefusalCode.HALTED, r"halt|not tradable|not active|is inactive"),
    (RefusalCode.UNKNOWN_SYMBOL, r"asset .*not found|could not find asset|invalid symbol"),
    (RefusalCode.MIN_NOTIONAL, r"minimal amount of order|min(imum)? (notional|order|amount)"),
    (
        RefusalCode.PRECISION,
        r"sub-penny|increment|precision|decimal|fractional|minimum pricing criteria",
    ),
    (RefusalCode.NOT_CANCELABLE, r"cancelable|cancellable|already (in|been)|pending cancel"),
    (RefusalCode.ACCOUNT_BLOCKED, r"account .*(blocked|not allowed|restricted|suspend)"),
]
_PATTERNS = [(code, re.compile(pattern, re.IGNORECASE)) for code, pattern in _WORDS]
_BY_STATUS = {
    401: RefusalCode.UNAUTHORIZED,
    403: RefusalCode.FORBIDDEN,
    404: RefusalCode.NOT_FOUND,
}


class _Body(msgspec.Struct):
    message: str
    code: int | None = None


def failure(status: int, body: str) -> AlpacaRefusedError | AlpacaWireError:
    """Return what an answer with an error status means.

    `body` must be free of secrets. Alpaca's `code` is the status and two digits: it says less
    than the message, so the message decides.
    """
    words = _words(body)
    if status in _TRANSIENT or status not in _CLIENT_ERRORS:
        told = f"HTTP {status}: {words or _glimpse(body)}"
        return AlpacaWireError(told, busy=status == _TOO_MANY_REQUESTS)
    if not words:
        return AlpacaWireError(f"HTTP {status}, which is not Alpaca's: {_glimpse(body)}")
    return AlpacaRefusedError(refusal_code(status, words), words)


def refusal_code(status: int, words: str) -> RefusalCode:
    for code, pattern in _PATTERNS:
        if pattern.search(words):
            return code
    return _BY_STATUS.get(status, RefusalCode.INVALID)


def _words(body: str) -> str:
    try:
        return msgspec.json.decode(body.encode(), type=_Body).message[:_MAX_WORDS]
    except (msgspec.DecodeError, UnicodeError):
        return ""


def _glimpse(body: str) -> str:
    if not body.strip():
        return "an empty body"
    text = " ".join(re.sub(r"<[^>]*>", " ", body).split())
    return f"no JSON: {text[:100]}"
