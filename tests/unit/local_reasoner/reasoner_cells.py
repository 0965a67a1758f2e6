"""A local reasoner under test: its desk, its messages, and what it says."""

from decimal import Decimal

from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.app import build
from interlock.local_reasoner.config import LocalReasonerConfig, PostMortemConfig, SentimentConfig
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.reasoning.budget import BudgetLimits, MemoryBudgetStore
from interlock.reasoning.endpoint import ProviderKind
from interlock.runtime.service import Cell
from interlock.testkit.cells import drive
from interlock.testkit.desk_messages import SECOND, ids
from interlock.wire.accounts import DayLine, DaySummarised
from interlock.wire.market import ClockTicked, NewsArrived

CADENCE = 60 * SECOND
T0 = 1_700_000_000 * SECOND
DAY = 14_215
NAMES = tuple(f"SYM{n:02}" for n in range(20))


def desk(names=("IBM", "MSFT")):
    return DeskConfig(
        name="hybrid",
        account="paper",
        venue="paper",
        instruments=tuple(Instrument(instrument_id=name, venue="paper") for name in names),
        cadence_seconds=60,
        equity_usd=Decimal(30_000),
    )


def configured(**changes):
    both = {"sentiment": SentimentConfig(), "post_mortem": PostMortemConfig()}
    provider = ProviderKind(changes.pop("provider", ProviderKind.RULES))
    return LocalReasonerConfig(provider=provider, **(both | changes))


def caller(config):
    store = MemoryBudgetStore(BudgetLimits(usd_per_day=None, calls_per_day=None))
    return caller_of(config, store, {})


def cell(config=None, names=("IBM", "MSFT"), perform=None):
    config = config or configured()
    service = build(desk(names), config, caller(config))
    running = Cell(service, service.state)
    return running, perform or service.perform


def say(running, message):
    """Let `message` happen; return what the reasoner says to it."""
    found, perform = running
    return drive(found.react(message, message.ts_event), perform)


def tick(index=1):
    at = T0 + index * CADENCE
    return ClockTicked(
        **(ids("tick", index) | {"desk": "hybrid"}),
        ts_event=at,
        index=index,
        cadence_ns=CADENCE,
        ts_desk=at,
        window_scale=1.0,
        clock_offset_ns=None,
    )


def news(news_id="1", headline="IBM beats estimates", instruments=("IBM",), **more):
    named = ids("news", news_id)
    del named["desk"]
    fields = {"source": "alpaca", "summary": "", "url": "", "ts_event": T0}
    return NewsArrived(
        **named,
        news_id=news_id,
        headline=headline,
        instrument_ids=list(instruments),
        **(fields | more),
    )


def day(number=DAY, pnl="-812.4", **more):
    """Return a day of 30,000 that lost with IBM; anything can be given otherwise."""
    start, profit = Decimal(30_000), Decimal(pnl)
    fields = {
        "equity_at_day_start": start,
        "equity": start + profit,
        "day_pnl": profit,
        "fees": Decimal("1.2"),
        "drawdown_5d_pct": 3.4,
        "max_drawdown_pct": 2.71,
        "cadences": 78,
        "intents": 12,
        "approvals": 8,
        "fills": 8,
        "killed": False,
        "escalations": 0,
        "proposals_applied": 0,
        "instruments": [
            line("IBM", pnl="-610.2", losers=1),
            line("MSFT", pnl="-202.2", worth="3000"),
        ],
        "denials_by_code": {},
        "trips_by_code": {},
        "failures": {},
    }
    return DaySummarised(
        **(ids("day", number) | {"desk": "hybrid"}),
        ts_event=T0,
        account="paper",
        currency="USD",
        day=number,
        **(fields | more),
    )


def line(name, pnl="0", worth="0", fills=1, winners=0, losers=0):
    return DayLine(
        instrument_id=name,
        pnl=Decimal(pnl),
        worth=Decimal(worth),
        fills=fills,
        winners=winners,
        losers=losers,
    )
