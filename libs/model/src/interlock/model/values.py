"""Closed vocabularies and the checks that keep numbers honest."""

from decimal import Decimal
from enum import StrEnum
from math import isfinite

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """What an intent may ask for, and what protects a position: a stop waits for its price."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    TRAILING_STOP = "trailing_stop"


ENTRY_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT})
"""What an intent may ask for. Stops are not asked for: they come with an approved order."""


class TimeInForce(StrEnum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"


class InstrumentKind(StrEnum):
    """What a thing is, for permissions and for how its exposure is counted."""

    EQUITY = "equity"
    OPTION = "option"
    FUTURE = "future"
    CRYPTO = "crypto"
    FX = "fx"


class TradingMode(StrEnum):
    DEMO = "demo"
    LIVE = "live"


class TradingState(StrEnum):
    """What the gate lets through. ``REDUCE_ONLY``: only orders that shrink a position."""

    HALTED = "halted"
    REDUCE_ONLY = "reduce_only"
    ACTIVE = "active"


class Stage(StrEnum):
    """How far a desk has been let out. What each allows is the policy's table of stages."""

    DEMO = "demo"
    DEMO_TESTING = "demo_testing"
    STRESS = "stress"
    LIVE_MICRO = "live_micro"
    LIVE_LIMITED = "live_limited"
    FULL = "full"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


def require_positive(name: str, value: Decimal) -> None:
    """Raise ``ValueError`` unless `value` is finite and above zero.

    msgspec reads "NaN" and "Infinity" into a Decimal without a word, so every money field asks.
    """
    if not value.is_finite() or value <= ZERO:
        raise ValueError(f"{name} must be finite and above zero, not {value}")


def require_not_negative(name: str, value: Decimal) -> None:
    if not value.is_finite() or value < ZERO:
        raise ValueError(f"{name} must be finite and not negative, not {value}")


def require_finite(name: str, value: Decimal) -> None:
    if not value.is_finite():
        raise ValueError(f"{name} must be finite, not {value}")


def require_finite_float(name: str, value: float) -> None:
    if not isfinite(value):
        raise ValueError(f"{name} must be finite, not {value}")
