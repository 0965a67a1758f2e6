"""Sections ``[strategy.ensemble]`` and ``[strategy.sip]`` of a desk file."""

from datetime import time
from decimal import Decimal
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from interlock.model.values import require_positive

_MOST_PCT = Decimal(1_000)
"""Above ten times the equity a percentage is taken for another unit."""
_MOST_ATR = 100.0


def _require_between(name: str, value: float, least: float, most: float) -> None:
    if not (isfinite(value) and least <= value <= most):
        raise ValueError(f"{name} is from {least:g} to {most:g}, not {value}")


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each voice counts where policy says nothing else: ``weight.short``, ``mid``, ``rl``."""

    short: float = 0.4
    mid: float = 0.3
    rl: float = 0.3

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            _require_between(name, getattr(self, name), 0.0, 1.0)
        if not self.short + self.mid + self.rl > 0:
            raise ValueError("one weight at least is above zero")


class PenaltyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is taken off the score, in points of it, where a value is past its limit."""

    limit: float
    points: float

    def __post_init__(self) -> None:
        if not isfinite(self.limit):
            raise ValueError(f"limit is a number, not {self.limit}")
        _require_between("points", self.points, 0.0, 1.0)


class BucketRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the strategy asks for at most, in percent of the equity at the day's first mark.

    The gate has limits of its own; these keep the strategy from asking for what they deny.

    Parameters
    ----------
    cap_pct, name_pct, order_pct
        All of the bucket together, one instrument of it, one order. Without the last one an order
        may be as large as a position. Policy's ``bucket_cap_pct.NAME`` and ``max_position_pct``
        tighten the first two.
    long_only
        Whether a sale may only close.
    """

    cap_pct: Decimal
    name_pct: Decimal
    order_pct: Decimal | None = None
    long_only: bool = True

    def __post_init__(self) -> None:
        for name in ("cap_pct", "name_pct", "order_pct"):
            value = getattr(self, name)
            if value is None:
                continue
            require_positive(name, value)
            if value > _MOST_PCT:
                raise ValueError(f"{name} must be at most {_MOST_PCT}, not {value}")


class EnsembleConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The meta-ensemble.

    Parameters
    ----------
    buckets
        By the name that the desk's instruments give as theirs. What is in no bucket of this table
        is not entered.
    max_order_notional
        What one order comes to at most, in the account's currency, besides its bucket's caps.
    buy_at, sell_at
        Scores from which on, and down to which, there is something to do.
    volatility_spike, negative_news, low_liquidity, correlation_breakdown
        The penalties: above the first limit, below the others.
    stop_atr, trail_atr, profit_atr
        Distances of the protective orders, in average true ranges. Policy's ``stop_atr`` and
        ``trail_atr`` replace the first two.
    max_sentiment_age_seconds
        Older news says nothing, on the data's clock.
    reasoner_silence_seconds, reasoner_start_seconds
        After how long without a heartbeat the local reasoner counts as offline, once it has been
        heard and before; live only.
    allow_short, allow_options
        Where the stage and the bucket allow it, too.
    """

    buckets: dict[str, BucketRules]
    max_order_notional: Decimal | None = None
    weights: Weights = Weights()
    buy_at: float = 0.67
    sell_at: float = 0.33
    volatility_spike: PenaltyRule = PenaltyRule(limit=2.0, points=0.15)
    negative_news: PenaltyRule = PenaltyRule(limit=-0.3, points=0.10)
    low_liquidity: PenaltyRule = PenaltyRule(limit=0.5, points=0.05)
    correlation_breakdown: PenaltyRule = PenaltyRule(limit=0.4, points=0.08)
    stop_atr: float = 1.8
    trail_atr: float = 1.2
    profit_atr: float = 2.5
    max_sentiment_age_seconds: int = 86_400
    reasoner_silence_seconds: float = 10.0
    reasoner_start_seconds: float = 60.0
    allow_short: bool = False
    allow_options: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.sell_at < 0.5 < self.buy_at <= 1.0:  # noqa: PLR2004 - the middle
            raise ValueError("0 <= sell_at < 0.5 < buy_at <= 1 does not hold")
        if self.max_order_notional is not None:
            require_positive("max_order_notional", self.max_order_notional)
        for name in ("stop_atr", "trail_atr", "profit_atr"):
            _require_between(name, getattr(self, name), 0.01, _MOST_ATR)
        if self.max_sentiment_age_seconds < 1:
            raise ValueError("max_sentiment_age_seconds must be at least 1")
        if not min(self.reasoner_silence_seconds, self.reasoner_start_seconds) > 0:
            raise ValueError("reasoner_silence_seconds and reasoner_start_seconds are above zero")


class SipConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Saving: `pct` percent of a day's profit goes into `instrument` as the day closes.

    The day closes at the local time `close` in `time_zone`: late enough for the day's profit, early
    enough for an order. The ensemble does not trade the instrument otherwise.
    """

    instrument: str
    pct: Decimal = Decimal(1)
    close: time = time(15, 55)
    time_zone: str = "America/New_York"

    def __post_init__(self) -> None:
        require_positive("pct", self.pct)
        if self.pct > Decimal(100):
            raise ValueError(f"pct is at most 100, not {self.pct}")
        if self.close.tzinfo is not None:
            raise ValueError("close is a local time: give the zone as time_zone")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"time_zone {self.time_zone!r} is no time zone here") from error
