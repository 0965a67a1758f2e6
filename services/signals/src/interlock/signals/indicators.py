"""Indicators, one bar at a time.

Each takes a value and then knows its own; before it is warm it knows none. Definitions are those
of TA-Lib in its default mode, and equal it to nine digits, except where a docstring says so.
"""

from collections import deque
from math import log, sqrt

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.signals.config import SignalsConfig
from interlock.signals.context import Context
from interlock.signals.rolling import RollingCorrelation, RollingMoments

DAY_SECONDS = 86_400
_BPS = 10_000.0
_RSI_FLAT = 50.0
_NO_DEVIATION = 1e-12


class Ema:
    """Exponential mean of factor 2 / (period + 1); starts from the mean of `period` values."""

    __slots__ = ("_factor", "_left", "_period", "_total", "value")

    def __init__(self, period: int) -> None:
        self.value: float | None = None
        self._period = self._left = period
        self._factor = 2.0 / (period + 1)
        self._total = 0.0

    def update(self, value: float) -> float | None:
        if self.value is not None:
            self.value += self._factor * (value - self.value)
            return self.value
        self._total += value
        self._left -= 1
        if not self._left:
            self.value = self._total / self._period
        return self.value


class Macd:
    """Fast mean less slow mean, the mean of that, and the difference.

    Both means start at the bar at which the slow one is warm, as TA-Lib has it: the fast one from
    the last `fast` of the first `slow` values. `line` is known before `signal` is.
    """

    __slots__ = ("_ahead", "_fast", "_signal", "_slow", "line")

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self.line: float | None = None
        self._fast, self._slow, self._signal = Ema(fast), Ema(slow), Ema(signal)
        self._ahead = slow - fast

    @property
    def signal(self) -> float | None:
        return self._signal.value

    @property
    def histogram(self) -> float | None:
        if self.line is None or self._signal.value is None:
            return None
        return self.line - self._signal.value

    def update(self, close: float) -> None:
        slow = self._slow.update(close)
        if self._ahead:
            self._ahead -= 1
            return
        fast = self._fast.update(close)
        if fast is not None and slow is not None:
            self.line = fast - slow
            self._signal.update(self.line)


class Wilder:
    """Wilder's mean: of factor 1 / period, started from the mean of `period` values."""

    __slots__ = ("_left", "_period", "_total", "value")

    def __init__(self, period: int) -> None:
        self.value: float | None = None
        self._period = self._left = period
        self._total = 0.0

    def update(self, value: float) -> None:
        if self.value is not None:
            self.value += (value - self.value) / self._period
            return
        self._total += value
        self._left -= 1
        if not self._left:
            self.value = self._total / self._period


class Rsi:
    """Wilder's relative strength, 0 to 100.

    Where a price has not moved at all it is 50, neither strong nor weak; TA-Lib says 0.
    """

    __slots__ = ("_gain", "_left", "_loss", "_period")

    def __init__(self, period: int) -> None:
        self._period = self._left = period
        self._gain = self._loss = 0.0

    @property
    def value(self) -> float | None:
        if self._left:
            return None
        both = self._gain + self._loss
        return 100.0 * (self._gain / both) if both > 0.0 else _RSI_FLAT

    def update(self, change: float) -> None:
        gain, loss = (change, 0.0) if change > 0.0 else (0.0, -change)
        period = self._period
        if not self._left:
            self._gain += (gain - self._gain) / period
            self._loss += (loss - self._loss) / period
            return
        self._gain += gain
        self._loss += loss
        self._left -= 1
        if not self._left:
            self._gain /= period
            self._loss /= period


class Volatility:
    """Realised volatility a year, and how unusual it is.

    The population deviation of the last `window` log returns times the root of the bars in a year
    of trading: as TA-Lib's STDDEV, annualised. The z-score compares it with its own last
    `z_window` values, itself included.
    """

    __slots__ = ("_history", "_returns", "_root", "value", "z_score")

    def __init__(self, window: int, z_window: int, bars_per_year: float) -> None:
        self.value: float | None = None
        self.z_score: float | None = None
        self._returns = RollingMoments(window)
        self._history = RollingMoments(z_window)
        self._root = sqrt(bars_per_year)

    def update(self, log_return: float) -> None:
        returns, history = self._returns, self._history
        returns.push(log_return)
        if not returns.full:
            return
        self.value = value = returns.deviation() * self._root
        history.push(value)
        if history.full:
            mean, deviation = history.mean(), history.deviation()
            varied = deviation > _NO_DEVIATION * mean
            self.z_score = (value - mean) / deviation if varied else None


class Turnover:
    """Average daily volume in the quote currency: the mean of close times volume of whole days.

    The day under way does not count, unless a bar is a day. Fewer than `days` whole days are
    averaged as they are: one day says more than none.
    """

    __slots__ = ("_day", "_days", "_shift", "_today", "value")

    def __init__(self, days: int, day_starts_utc_hour: int) -> None:
        self.value: float | None = None
        self._days: deque[float] = deque(maxlen=days)
        # A bar is complete at its end: one that ends at midnight belongs to the day before.
        self._shift = day_starts_utc_hour * 3600 * NANOS_PER_SECOND + 1
        self._day = -1
        self._today = 0.0

    def update(self, ts: UnixNanos, bar_seconds: int, traded: float) -> None:
        if bar_seconds >= DAY_SECONDS:
            self._close(traded)
            return
        day = (ts - self._shift) // (DAY_SECONDS * NANOS_PER_SECOND)
        if day != self._day:
            if self._day >= 0:
                self._close(self._today)
            self._day, self._today = day, 0.0
        self._today += traded

    def _close(self, traded: float) -> None:
        self._days.append(traded)
        self.value = sum(self._days) / len(self._days)


class Indicators:
    """Every indicator of one instrument on bars of one length."""

    __slots__ = (
        "_closes",
        "_config",
        "_log_close",
        "adv",
        "atr",
        "bar_seconds",
        "close",
        "context",
        "correlation",
        "ema_fast",
        "ema_slow",
        "macd",
        "momentum_bps",
        "quote_spread_bps",
        "quote_ts",
        "ret_1",
        "rsi",
        "spread_bps",
        "ts",
        "volatility",
    )

    def __init__(self, config: SignalsConfig, bar_seconds: int) -> None:
        self._config = config
        self.bar_seconds = bar_seconds
        self.ts = 0
        self.close = self._log_close = 0.0
        self.ret_1: float | None = None
        self.momentum_bps: float | None = None
        self.spread_bps: float | None = None
        self.quote_ts, self.quote_spread_bps = 0, 0.0
        self.ema_fast, self.ema_slow = Ema(config.ema_fast), Ema(config.ema_slow)
        self.rsi, self.atr = Rsi(config.rsi_period), Wilder(config.atr_period)
        self.macd = Macd(config.macd_fast, config.macd_slow, config.macd_signal)
        self.volatility = Volatility(
            config.volatility_window,
            config.volatility_z_window,
            config.bars_per_year(bar_seconds),
        )
        self.correlation = RollingCorrelation(config.correlation_window)
        self.adv = Turnover(config.adv_days, config.day_starts_utc_hour)
        context = config.context_in_force
        self.context = None if context is None else Context(context)
        self._closes: deque[float] = deque(maxlen=config.momentum_bars + 1)

    def update(self, ts: UnixNanos, high: float, low: float, close: float, volume: float) -> None:
        """Take in one bar, complete at `ts`; prices above zero."""
        last = self.close
        log_close = log(close)
        if self.ts:
            self.ret_1 = close / last - 1.0
            self.rsi.update(close - last)
            self.atr.update(max(high, last) - min(low, last))
            self.volatility.update(log_close - self._log_close)
        self.ts, self.close, self._log_close = ts, close, log_close
        self.ema_fast.update(close)
        self.ema_slow.update(close)
        self.macd.update(close)
        self.adv.update(ts, self.bar_seconds, close * volume)
        closes = self._closes
        closes.append(close)
        if len(closes) == closes.maxlen:
            self.momentum_bps = (close / closes[0] - 1.0) * _BPS
        if self.context is not None:
            self.context.update(close * volume, self.volatility.z_score)

    def quote(self, ts: UnixNanos, bid: float, ask: float) -> None:
        """Take in a quote."""
        spread = spread_in_bps(bid, ask)
        if spread is not None:
            self.quote_ts, self.quote_spread_bps = ts, spread

    def take_spread(self, bid: float | None, ask: float | None) -> None:
        """Set the spread from the bar's own quote, or else from the latest, if it is recent."""
        if bid is not None and ask is not None:
            self.spread_bps = spread_in_bps(bid, ask)
            return
        oldest = self.ts - self._config.quote_max_age_seconds * NANOS_PER_SECOND
        recent = bool(self.quote_ts) and self.quote_ts >= oldest
        self.spread_bps = self.quote_spread_bps if recent else None


def spread_in_bps(bid: float, ask: float) -> float | None:
    """Return ask less bid in 1/10,000 of their middle, none where it is no market."""
    if not 0.0 < bid <= ask:
        return None
    return (ask - bid) / (bid + (ask - bid) / 2) * _BPS
