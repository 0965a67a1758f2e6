"""What a live feed remembers.

Theory of operation. What must survive a restart is in the feed's own messages: the last bar of
each instrument, which conditions stand, the last cadence. The rest lives as long as the link: when
a process starts its link is down, and what was missed is asked for, as after any other cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from interlock.feed.config import BarsFrom
from interlock.feed.live.counts import Counts
from interlock.feed.live.quotes import judge_quote
from interlock.feed.live.reports import (
    ClockMeasured,
    HoleFilled,
    LinkMoved,
    NewsRead,
    QuoteRead,
    TradeRead,
)
from interlock.feed.live.trade_bars import GRACE_NS, OpenBar, closed, is_sound, opened_by
from interlock.feed.state import FeedState, MomentPassed, RowRead
from interlock.feed.state import evolve as evolve_rows
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawQuote
from interlock.wire.base import Heard
from interlock.wire.market import Bar, ClockTicked, NewsArrived, Quote

NEWS_KEPT = 4_096
COUNTS_EVERY_NS = 60 * NANOS_PER_SECOND


type Numbers = tuple[float, float, float, float, float]


class Link(Enum):
    """A link that is up again is not trusted before the hole is filled."""

    DOWN = auto()
    FILLING = auto()
    UP = auto()


@dataclass(slots=True)
class LiveState:
    """`rows` is what is kept of bars, replayed or live.

    `waiting` holds the quotes to be passed on at the next beat, by instrument; `quoted_at` the time
    of the last good quote on the source's clock; `heard_at` when the source last said anything, on
    ours. `known_until` ends what history has given of an instrument. `finished` are the bars that
    the last report has closed; `told` is the last bar of each instrument that was passed on.
    """

    rows: FeedState
    simulate_bars: bool
    cadence_ns: int
    link: Link = Link.DOWN
    link_reason: str = "not up yet"
    up_since: UnixNanos = 0
    heard_at: UnixNanos = 0
    clock_offset_ns: int | None = None
    waiting: dict[str, RawQuote] = field(default_factory=dict[str, RawQuote])
    quoted_at: dict[str, UnixNanos] = field(default_factory=dict[str, UnixNanos])
    known_until: dict[str, UnixNanos] = field(default_factory=dict[str, UnixNanos])
    building: dict[str, OpenBar] = field(default_factory=dict[str, OpenBar])
    told: dict[str, Numbers] = field(default_factory=dict[str, Numbers])
    finished: Sequence[RawBar] = ()
    news_ids: dict[str, None] = field(default_factory=dict[str, None])
    last_index: int = 0
    counts: Counts = field(default_factory=Counts)
    counted_at: UnixNanos = 0
    counts_due: bool = False

    def instrument_of(self, symbol: str) -> str | None:
        """Return the instrument of a source's symbol, none where the desk does not trade it."""
        return self.rows.setting.instrument_ids.get(symbol)

    @property
    def bar_ns(self) -> int:
        return self.rows.setting.bar_seconds * NANOS_PER_SECOND

    @property
    def builds_bars(self) -> bool:
        return self.rows.config.bars_from is BarsFrom.TRADES

    def is_known(self, heard: RowRead) -> bool:
        """Return whether a bar is told again without fault.

        History and the stream may tell the same bar, and a source may correct one that it has just
        told: a bar that has been passed on is never changed.
        """
        row = heard.row
        instrument_id = self.instrument_of(row.symbol)
        if instrument_id is None:
            return False
        last_ts = self.rows.of(instrument_id).last_ts
        if heard.from_history:
            return row.ts_complete <= last_ts
        if row.ts_complete <= self.known_until.get(instrument_id, 0):
            return True
        told = self.told.get(instrument_id)
        return row.ts_complete == last_ts and (told is None or told != _numbers(row))

    def is_whole(self, bar: RawBar) -> bool:
        return self.link is Link.UP and self.up_since <= bar.ts_start


def evolve(state: LiveState, heard: Heard) -> LiveState:
    state.finished = ()
    match heard:
        case QuoteRead():
            _quote(state, heard)
        case TradeRead():
            _trade(state, heard)
        case MomentPassed(ts=ts):
            _beat(state, ts)
        case RowRead():
            _row(state, heard)
        case NewsRead():
            state.counts.news += 1
            state.heard_at = heard.at
            state.counts.news_known += heard.news.news_id in state.news_ids
        case LinkMoved() | HoleFilled():
            _link(state, heard)
        case ClockMeasured():
            state.clock_offset_ns = heard.offset_ns
        case _:
            _own(state, heard)
    return state


def _own(state: LiveState, heard: Heard) -> None:
    match heard:
        case Quote():
            state.counts.quotes_published += 1
            if (waiting := state.waiting.get(heard.instrument_id)) is not None and (
                waiting.ts == heard.ts_event
            ):
                del state.waiting[heard.instrument_id]
        case NewsArrived():
            state.news_ids[heard.news_id] = None
            if len(state.news_ids) > NEWS_KEPT:
                del state.news_ids[next(iter(state.news_ids))]
        case ClockTicked():
            state.last_index = heard.index
        case Bar():
            state.counts.rows_published += 1
            state.told[heard.instrument_id] = _numbers(heard)
            evolve_rows(state.rows, heard)
        case _:
            evolve_rows(state.rows, heard)


def _numbers(bar: RawBar | Bar) -> Numbers:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def _row(state: LiveState, heard: RowRead) -> None:
    state.heard_at = max(state.heard_at, heard.at)
    state.counts.rows += 1
    if state.is_known(heard):
        state.counts.rows_known += 1
        return
    evolve_rows(state.rows, heard)
    instrument_id = state.instrument_of(heard.row.symbol)
    if instrument_id is None:
        state.counts.strangers += 1
    elif heard.from_history:
        state.known_until[instrument_id] = heard.row.ts_complete


def _quote(state: LiveState, heard: QuoteRead) -> None:
    quote, counts = heard.quote, state.counts
    state.heard_at = heard.at
    counts.quotes += 1
    instrument_id = state.instrument_of(quote.symbol)
    if instrument_id is None:
        counts.strangers += 1
        return
    late = quote.ts < state.quoted_at.get(instrument_id, 0)
    if late or judge_quote(quote, heard.at, state.rows.config) is not None:
        counts.quotes_dropped += 1
        return
    if not state.rows.config.quotes:
        return
    state.quoted_at[instrument_id] = quote.ts
    counts.quotes_conflated += instrument_id in state.waiting
    state.waiting[instrument_id] = quote


def _trade(state: LiveState, heard: TradeRead) -> None:
    trade, counts = heard.trade, state.counts
    state.heard_at = heard.at
    counts.trades += 1
    if not state.builds_bars:
        return
    if state.instrument_of(trade.symbol) is None:
        counts.strangers += 1
        return
    if not is_sound(trade) or trade.ts > heard.at + state.bar_ns:
        counts.trades_dropped += 1
        return
    bar = state.building.get(trade.symbol)
    if bar is None:
        if not _is_closed_already(state, trade.symbol, trade.ts):
            state.building[trade.symbol] = opened_by(trade, state.bar_ns)
        else:
            counts.trades_late += 1
    elif trade.ts < bar.start:
        counts.trades_late += 1
    elif trade.ts < bar.start + state.bar_ns:
        bar.take(trade)
    else:
        state.finished = (closed(bar, trade.symbol, state.bar_ns),)
        state.building[trade.symbol] = opened_by(trade, state.bar_ns)


def _is_closed_already(state: LiveState, symbol: str, ts: UnixNanos) -> bool:
    instrument_id = state.instrument_of(symbol)
    assert instrument_id is not None
    return ts < state.rows.of(instrument_id).last_ts


def _beat(state: LiveState, ts: UnixNanos) -> None:
    _close_bars(state, ts)
    state.counted_at = state.counted_at or ts
    state.counts_due = ts - state.counted_at >= COUNTS_EVERY_NS
    if state.counts_due:
        state.counted_at = ts


def _close_bars(state: LiveState, ts: UnixNanos) -> None:
    over = [
        symbol
        for symbol, bar in state.building.items()
        if bar.start + state.bar_ns + GRACE_NS <= ts
    ]
    state.finished = [closed(state.building.pop(name), name, state.bar_ns) for name in over]


def _link(state: LiveState, heard: LinkMoved | HoleFilled) -> None:
    match heard:
        case LinkMoved(up=True):
            state.link, state.up_since = Link.FILLING, heard.at
        case LinkMoved():
            state.link, state.link_reason = Link.DOWN, heard.reason
            state.waiting.clear()
            state.building.clear()
        case HoleFilled() if state.link is Link.FILLING:
            state.link = Link.UP
            state.heard_at = max(state.heard_at, heard.at)
        case HoleFilled():
            pass
