"""A small ensemble desk, and the messages that move it."""

from decimal import Decimal
from typing import Any

from interlock.model.instrument import Instrument
from interlock.runtime.service import Cell
from interlock.strategy.app import build
from interlock.strategy.config import EngineKind, StrategyConfig
from interlock.strategy.ensemble.config import BucketRules, EnsembleConfig, SipConfig
from interlock.strategy.state import StrategyState
from interlock.testkit import decisions
from interlock.testkit.cells import react
from interlock.testkit.desk_messages import SECOND, fill, ids
from interlock.wire.base import Message
from interlock.wire.decisions import ModeChanged, ScoreComputed
from interlock.wire.market import FeaturesComputed, FeedCondition, FeedStatusChanged
from interlock.wire.orders import CancelOrders, OrderIntent
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.reasoning import ReasonerStatusChanged, SentimentJudged
from interlock.wire.system import AlertRaised
from msgspec.structs import replace

BUCKETS = {
    "core": BucketRules(cap_pct=Decimal(90), name_pct=Decimal("1.5")),
    "penny": BucketRules(cap_pct=Decimal(2), name_pct=Decimal("0.4")),
    "fno": BucketRules(cap_pct=Decimal(5), name_pct=Decimal("0.7"), long_only=False),
    "sip": BucketRules(cap_pct=Decimal(10), name_pct=Decimal(10)),
}
INSTRUMENTS = (
    Instrument(instrument_id="SPY", venue="paper", bucket="core", sector="index"),
    Instrument(instrument_id="GOOG", venue="paper", bucket="core", sector="media"),
    Instrument(instrument_id="PNY", venue="paper", bucket="penny", sector="mining", lot=Decimal(1)),
    Instrument(instrument_id="FUT", venue="paper", bucket="fno", sector="index"),
    Instrument(
        instrument_id="GLD", venue="paper", bucket="sip", sector="gold", lot=Decimal("0.01")
    ),
)
EQUITY = Decimal(1_000_000)
BUY, SELL, HOLD = 0.9, 0.1, 0.5
"""A probability that, said by all three voices, is well past the limit or in the middle."""
HINTS = {BUY: 2.1972245773362196, SELL: -2.1972245773362196, HOLD: 0.0}
"""What the sigmoid makes of these is the probability."""


def desk(**more: Any):
    return decisions.desk(**({"instruments": INSTRUMENTS, "equity_usd": EQUITY} | more))


def ensemble_config(**more: Any) -> EnsembleConfig:
    fields: dict[str, Any] = {"buckets": BUCKETS}
    return EnsembleConfig(**(fields | more))


def config(
    sip: SipConfig | None = None, section: dict[str, Any] | None = None, **more: Any
) -> StrategyConfig:
    """Return the section: `more` is of its part ``[strategy.ensemble]``."""
    ensemble = ensemble_config(**more)
    return StrategyConfig(kind=EngineKind.ENSEMBLE, ensemble=ensemble, sip=sip, **(section or {}))


def cell(sip: SipConfig | None = None, **more: Any) -> Cell[StrategyState]:
    """Return an ensemble that knows nothing yet."""
    service = build(desk(), config(sip, **more))
    return Cell(service, service.state)


def ready(sip: SipConfig | None = None, **more: Any) -> Cell[StrategyState]:
    """Return an ensemble that may trade: rules, an active desk, and an account."""
    made = cell(sip, **more)
    for message in opening():
        react(made, message, 0)
    return made


def opening() -> list[Message]:
    return [policy(), decisions.trading(), account(0)]


def policy(version: int = 1, do_not_trade: list[str] | None = None, **values: float):
    """Return a policy; in names of parameters ``__`` stands for a dot."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    blank: PolicyChanged = decisions.policy(version, None)
    return replace(blank, parameters=named, do_not_trade=do_not_trade or [])


def trading(epoch: int = 2, **more: Any) -> TradingStateChanged:
    return replace(decisions.trading(epoch=epoch), **more)


def account(n: int, **more: Any):
    fields = {"equity": EQUITY, "cash": EQUITY, "equity_at_day_start": EQUITY}
    return decisions.account(n, **(fields | more))


def features(n: int, vote: float = BUY, instrument_id: str = "SPY", **more: Any):
    """Return features in which all three voices say `vote`."""
    said: dict[str, Any] = {
        "p_short": vote,
        "p_mid": vote,
        "size_hint": HINTS.get(vote, 0.0),
        "atr": 2.0,
        "volatility_z": 0.0,
        "liquidity": 1.0,
        "correlation": 0.9,
    }
    made: FeaturesComputed = decisions.features(n, None, instrument_id, **(said | more))
    return made


def feed(n: int, condition: FeedCondition, instrument_id: str = "SPY") -> FeedStatusChanged:
    return FeedStatusChanged(
        **ids("feed", n, condition, instrument_id),
        ts_event=n * SECOND,
        instrument_id=instrument_id,
        condition=condition,
        detail="no row for 9 s",
        dropped=False,
    )


def status(n: int, *, up: bool) -> ReasonerStatusChanged:
    return ReasonerStatusChanged(
        **ids("status", n, up), ts_event=n * SECOND, up=up, reason="three failures in a row"
    )


def news(n: int, sentiment: float, instrument_id: str = "SPY") -> SentimentJudged:
    return SentimentJudged(
        **ids("news", n, sentiment, instrument_id),
        ts_event=n * SECOND,
        instrument_id=instrument_id,
        sentiment=sentiment,
        confidence=80,
        news_ids=["n1"],
        provider="rules",
        model="rules-v1",
        prompt_hash="",
        answer="",
        tokens_in=0,
        tokens_out=0,
        cost_usd=Decimal(0),
        latency_ns=0,
        ts_desk=n * SECOND,
    )


def bar(made: Cell[StrategyState], n: int, vote: float = BUY, name: str = "SPY", **more: Any):
    """Return what an ensemble says to a bar."""
    return react(made, features(n, vote, name, **more), n * SECOND)


def scored(said: list[Message]) -> ScoreComputed:
    (found,) = [one for one in said if isinstance(one, ScoreComputed)]
    return found


def intents(said: list[Message]) -> list[OrderIntent]:
    return [one for one in said if isinstance(one, OrderIntent)]


def alerts(said: list[Message]) -> list[str]:
    return [one.text for one in said if isinstance(one, AlertRaised)]


def modes(said: list[Message]) -> list[tuple[str, bool]]:
    return [(one.mode, one.begun) for one in said if isinstance(one, ModeChanged)]


def cancels(said: list[Message]) -> list[CancelOrders]:
    return [one for one in said if isinstance(one, CancelOrders)]


def fill_all(made: Cell[StrategyState], n: int, intent: OrderIntent, price: int = 100):
    done = fill(
        n,
        intent.side,
        intent.quantity,
        price,
        intent_id=intent.intent_id,
        instrument_id=intent.instrument_id,
    )
    return react(made, done, n * SECOND)


def holding(made: Cell[StrategyState], n: int = 1, name: str = "SPY") -> OrderIntent:
    """Let an ensemble enter and be filled, and return its intent."""
    (entry,) = intents(bar(made, n, BUY, name))
    fill_all(made, n, entry)
    return entry
