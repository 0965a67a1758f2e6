"""A live feed without a loop: reports in, messages and effects out, on a clock of the test."""

from decimal import Decimal

from interlock.feed.app import build_live
from interlock.feed.config import FeedConfig
from interlock.feed.live.reports import (
    HoleFilled,
    LinkMoved,
    NewsRead,
    QuoteRead,
    TakeMore,
    TradeRead,
)
from interlock.feed.state import MomentPassed, RowRead
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.testkit.cells import begin, cell_of, drive
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawNews, RawQuote, RawTrade
from interlock.wire.market import FeedStatusChanged

SECOND = 1_000_000_000
T0 = 1_577_975_400 * SECOND
CADENCE = 5


def desk(**changes):
    plain = {
        "name": "params",
        "account": "paper-params",
        "venue": "paper",
        "cadence_seconds": CADENCE,
        "equity_usd": Decimal(30_000),
        "instruments": (
            Instrument(instrument_id="SPY", venue="paper"),
            Instrument(instrument_id="BRK", venue="paper", venue_symbol="BRK.B"),
        ),
    }
    return DeskConfig(**(plain | changes))


class _Shell:
    """Keeps what the core asks for."""

    def __init__(self):
        self.effects = []

    def perform(self, effect):
        self.effects.append(effect)
        return ()


class LiveDesk:
    """`said` is all that was published, `effects` all that was asked of the shell."""

    def __init__(self, venue="paper", **config):
        self.shell = _Shell()
        plain = {"source": "stub"} | config
        self.config = FeedConfig(**plain)
        self.cell = cell_of(build_live(self.config, desk(venue=venue), self.shell))
        self.now = T0
        self.said = begin(self.cell, self.now)

    def hear(self, *reports):
        said = []
        for one in reports:
            said += drive(self.cell.hear(one, self.now), self.shell.perform)
        self.said += said
        return said

    def up(self, at=None):
        """Bring the link up, with nothing missed."""
        self.now = self.now if at is None else at
        self.hear(LinkMoved(up=True, reason="", at=self.now), HoleFilled(reason="", at=self.now))
        return self

    def down(self):
        return self.hear(LinkMoved(up=False, reason="cut", at=self.now))

    def filled(self, *rows):
        """Answer a question for history."""
        asked = [RowRead(row=one, at=self.now, from_history=True) for one in rows]
        return self.hear(*asked, HoleFilled(reason="", at=self.now))

    def beat(self, seconds=0.0):
        """Let time pass, and beat."""
        self.now += round(seconds * SECOND)
        return self.hear(MomentPassed(ts=self.now))

    def bar(self, step, symbol="SPY", **changes):
        """Tell a bar that has just become complete."""
        row = bar(step, symbol, **changes)
        self.now = max(self.now, row.ts_complete)
        return self.hear(RowRead(row=row, at=self.now))

    def quote(self, symbol="SPY", bid=99.0, ask=101.0, *, ago=0.0):
        ts = self.now - round(ago * SECOND)
        raw = RawQuote(ts, symbol, bid, ask, 5.0, 7.0)
        return self.hear(QuoteRead(quote=raw, at=self.now))

    def trade(self, price, size=1.0, *, at=None, ago=0.0):
        self.now = self.now if at is None else at
        ts = self.now - round(ago * SECOND)
        raw = RawTrade(ts, "SPY", price, size, str(ts))
        return self.hear(TradeRead(trade=raw, at=self.now))

    def news(self, **changes):
        plain = {
            "ts": self.now,
            "news_id": "n1",
            "symbols": ("SPY",),
            "headline": "Up",
            "summary": "",
            "author": "",
            "url": "",
        }
        return self.hear(NewsRead(news=RawNews(**(plain | changes)), at=self.now))

    @property
    def effects(self):
        """What was asked of the shell beside more."""
        return [one for one in self.shell.effects if not isinstance(one, TakeMore)]


def bar(step, symbol="SPY", seconds=60, **changes):
    starts = T0 + step * seconds * SECOND
    prices = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 5.0} | changes
    return RawBar(starts, starts + seconds * SECOND, symbol, **prices)


def of(kind, messages):
    return [one for one in messages if isinstance(one, kind)]


def conditions(messages, instrument="SPY"):
    return [
        one.condition.value
        for one in of(FeedStatusChanged, messages)
        if one.instrument_id == instrument
    ]
