"""Market data, the desk's clock, the quality of the feed, and what signals make of it."""

from enum import StrEnum

from msgspec import Struct

from interlock.model.values import require_finite_float
from interlock.wire.base import DeskMessage, Message


class Bar(Message, frozen=True, kw_only=True, tag="data.bar.v1"):
    """One bar, complete at `ts_event`. Prices in the quote currency, `volume` in units traded.

    `bid` and `ask` are the closing quote where the source has one.
    """

    instrument_id: str
    source: str
    bar_seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float | None = None
    ask: float | None = None


class VenueBar(Message, frozen=True, kw_only=True, tag="sim.bar.v1"):
    """A bar as the paper venue lives through it, before the desk sees it complete."""

    bar: Bar


class Quote(Message, frozen=True, kw_only=True, tag="data.quote.v1"):
    """Top of the book. Sizes in units."""

    instrument_id: str
    source: str
    bid: float
    ask: float
    bid_size: float
    ask_size: float


class NewsArrived(Message, frozen=True, kw_only=True, tag="data.news.v1"):
    """One item of news, cleaned and cut: text from outside, able to choose nothing.

    `ts_event` is when its source published it, `instrument_ids` those of the desk it names.
    """

    news_id: str
    source: str
    instrument_ids: list[str]
    headline: str
    summary: str
    url: str


class PutCallRatioObserved(Message, frozen=True, kw_only=True, tag="data.put-call.v1"):
    """Open puts over open calls of a whole market on the day `as_of` (``YYYY-MM-DD``)."""

    source: str
    as_of: str
    ratio: float

    def __post_init__(self) -> None:
        require_finite_float("ratio", self.ratio)
        if not self.ratio > 0:
            raise ValueError(f"a put/call ratio is above zero, not {self.ratio}")


class ClockTicked(DeskMessage, frozen=True, kw_only=True, tag="data.clock.v1"):
    """One cadence of the desk has passed; everything periodic hangs on this message.

    `ts_desk` is desk time in nanoseconds: the data's time, or, on bars too coarse for the desk's
    windows, the number of cadences times the cadence. `window_scale` is 1.0 in the first case.
    `clock_offset_ns` is our clock minus the source's; none when it was not measured.
    """

    index: int
    cadence_ns: int
    ts_desk: int
    window_scale: float
    clock_offset_ns: int | None


class FeedCondition(StrEnum):
    OK = "ok"
    GAP = "gap"
    STALE = "stale"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    CROSSED = "crossed"
    JUMP = "jump"
    NOT_A_NUMBER = "nan"
    ZERO = "zero"
    INVALID = "invalid"


class FeedStatusChanged(DeskMessage, frozen=True, kw_only=True, tag="feed.status-changed.v1"):
    """What is wrong with an instrument's data, or ``ok`` again.

    `dropped` says that the offending event was not passed on.
    """

    instrument_id: str
    condition: FeedCondition
    detail: str
    dropped: bool
    observed: float | None = None
    limit: float | None = None


class VolatilityRegime(StrEnum):
    """How an instrument's volatility stands to what it used to be."""

    CALM = "calm"
    NORMAL = "normal"
    STRESSED = "stressed"


class FeaturesComputed(DeskMessage, frozen=True, kw_only=True, tag="data.features.v1"):
    """What signals know after one bar. A feature that is not warm yet is absent, never zero.

    Returns and volatilities are fractions, `spread_bps` is in 1/10,000, `adv` in the quote
    currency a day, `rsi` 0 to 100, `delta` units of the underlying per unit of an option, the rest
    in the price's own unit.

    Parameters
    ----------
    turnover_ratio, liquidity
        This bar's turnover, and that of the last few bars, as a multiple of the instrument's own
        trailing mean; `liquidity` is 1 at most.
    sector_dispersion
        The population deviation of one bar's returns (fractions) within the instrument's sector.
    p_short, p_mid
        Probability, 0 to 1, that the close is higher after 1 and after 5 bars.
    size_hint
        What the trained policy would hold, before a sigmoid: any number, above zero is long.
    model_set, missing_models
        The name of the models that forecast, and which of `p_short`, `p_mid` and `size_hint` could
        not be had although the desk asks for them. Both are empty where it does not.
    """

    instrument_id: str
    bar_seconds: int
    close: float
    ret_1: float | None = None
    momentum_bps: float | None = None
    ema_fast: float | None = None
    ema_slow: float | None = None
    rsi: float | None = None
    macd: float | None = None
    macd_signal: float | None = None
    macd_hist: float | None = None
    atr: float | None = None
    volatility: float | None = None
    volatility_z: float | None = None
    correlation: float | None = None
    adv: float | None = None
    spread_bps: float | None = None
    delta: float | None = None
    turnover_ratio: float | None = None
    liquidity: float | None = None
    sector_dispersion: float | None = None
    p_short: float | None = None
    p_mid: float | None = None
    size_hint: float | None = None
    volatility_regime: VolatilityRegime | None = None
    model_set: str = ""
    missing_models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_finite_float("close", self.close)
        if self.p_short is not None and not 0.0 <= self.p_short <= 1.0:
            raise ValueError(f"p_short is a probability, not {self.p_short}")
        if self.p_mid is not None and not 0.0 <= self.p_mid <= 1.0:
            raise ValueError(f"p_mid is a probability, not {self.p_mid}")


class ReplayCounts(Struct, frozen=True, kw_only=True):
    """Rows read, passed on and dropped by the feed."""

    read: int
    published: int
    dropped: int


class ReplayStarted(DeskMessage, frozen=True, kw_only=True, tag="feed.replay-started.v1"):
    """A replay begins. `bars` is the number of rows that will be read."""

    dataset: str
    origin: str
    instruments: list[str]
    bars: int
    bar_seconds: int
    ts_first: int
    ts_last: int
    cadence_ns: int
    window_scale: float


class ReplayFinished(DeskMessage, frozen=True, kw_only=True, tag="feed.replay-finished.v1"):
    """A replay has ended, with what went in."""

    dataset: str
    bars: ReplayCounts
    ticks: int
