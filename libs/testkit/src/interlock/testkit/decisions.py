"""Messages on the way from a model's proposal to a signed order, on a small paper desk."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from interlock.model.desk import DeskConfig
from interlock.model.ids import client_order_id, derive_id
from interlock.model.instrument import Instrument
from interlock.model.values import OrderType, Side, TimeInForce, TradingMode, TradingState
from interlock.testkit.desk_messages import ACCOUNT, DESK, SECOND, bar, ids
from interlock.wire.accounts import AccountUpdated
from interlock.wire.build import build_of
from interlock.wire.market import Bar, FeaturesComputed, Quote, VenueBar
from interlock.wire.orders import OrderIntent, ReconciliationCompleted, SubmitOrder
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.reasoning import ParameterProposal

PARAMETER = "threshold_bps"
INSTRUMENTS = (
    Instrument(instrument_id="SPY", venue="paper", bucket="core", sector="index"),
    Instrument(
        instrument_id="GOOG",
        venue="paper",
        bucket="core",
        sector="media",
        aliases=("GOOGL", "GOOG.O"),
    ),
)


def desk(**more: Any) -> DeskConfig:
    fields: dict[str, Any] = {
        "name": DESK,
        "account": ACCOUNT,
        "venue": "paper",
        "instruments": INSTRUMENTS,
        "cadence_seconds": 5,
        "equity_usd": Decimal(30_000),
    }
    return DeskConfig(**(fields | more))


def proposal(n: int, proposed: float, parameter: str = PARAMETER, **more: Any) -> ParameterProposal:
    """Return a proposal made `n` seconds into desk time."""
    fields: dict[str, Any] = {
        **ids("proposal", parameter, n),
        "ts_event": n * SECOND,
        "parameter": parameter,
        "current": 1.0,
        "proposed": proposed,
        "confidence": 50,
        "rationale": "why not",
        "provider": "rules",
        "model": "rules-v1",
        "prompt": "?",
        "prompt_hash": "",
        "answer": "!",
        "tokens_in": 0,
        "tokens_out": 0,
        "cost_usd": Decimal(0),
        "latency_ns": 0,
        "ts_desk": n * SECOND,
    }
    return ParameterProposal(**(fields | more))


def account(n: int, window_pnl: str | int = 0, **more: Any) -> AccountUpdated:
    fields: dict[str, Any] = {
        **ids("account", n),
        "ts_event": n * SECOND,
        "account": ACCOUNT,
        "currency": "USD",
        "equity": Decimal(30_000),
        "cash": Decimal(30_000),
        "realised_pnl": Decimal(0),
        "unrealised_pnl": Decimal(0),
        "fees": Decimal(0),
        "day_pnl": Decimal(0),
        "window_pnl": Decimal(window_pnl),
        "equity_at_day_start": Decimal(30_000),
        "positions": [],
        "ts_desk": n * SECOND,
    }
    return AccountUpdated(**(fields | more))


def policy(version: int = 3, value: float | None = 1.0, name: str = PARAMETER) -> PolicyChanged:
    return PolicyChanged(
        **ids("policy", version, value, name),
        ts_event=0,
        version=version,
        parameters={} if value is None else {name: value},
        changes=[],
        author="configuration",
        reason="first start",
        proposal_id=None,
        config_hash="c0ffee",
    )


def trading(state: TradingState = TradingState.ACTIVE, epoch: int = 1) -> TradingStateChanged:
    return TradingStateChanged(
        **ids("trading", state, epoch),
        ts_event=0,
        state=state,
        epoch=epoch,
        author="configuration",
        reason="first start",
    )


def reconciled(breaks: Sequence[str] = ()) -> ReconciliationCompleted:
    return ReconciliationCompleted(
        **ids("reconciled", *breaks),
        ts_event=0,
        account=ACCOUNT,
        venue="paper",
        open_orders=0,
        positions=0,
        breaks=list(breaks),
    )


def features(
    n: int, momentum_bps: float | None, instrument_id: str = "SPY", **more: Any
) -> FeaturesComputed:
    fields: dict[str, Any] = {
        **ids("features", instrument_id, n),
        "ts_event": n * SECOND,
        "instrument_id": instrument_id,
        "bar_seconds": 5,
        "close": 100.0,
        "momentum_bps": momentum_bps,
    }
    return FeaturesComputed(**(fields | more))


def quote(n: int, bid: float, ask: float, **more: Any) -> Quote:
    fields: dict[str, Any] = {
        **ids("quote", n),
        "ts_event": n * SECOND,
        "instrument_id": "SPY",
        "source": "test",
        "bid": bid,
        "ask": ask,
        "bid_size": 100.0,
        "ask_size": 100.0,
    }
    del fields["desk"]
    return Quote(**(fields | more))


def venue_bar(seen: Bar) -> VenueBar:
    return VenueBar(
        message_id=derive_id("venue", seen.message_id),
        decision_id=seen.decision_id,
        ts_event=seen.ts_event,
        bar=seen,
    )


def wide_bar(n: int, **more: Any) -> Bar:
    """Return a second's bar from 90 to 110, opening and closing at 100, on a volume of 1,000."""
    fields: dict[str, Any] = {
        "bar_seconds": 1,
        "open": 100.0,
        "high": 110.0,
        "low": 90.0,
        "volume": 1_000.0,
    }
    flat = bar(n, 100.0)
    known = {name: getattr(flat, name) for name in flat.__struct_fields__}
    return Bar(**(known | fields | more))


def wanted(n: int, **more: Any) -> OrderIntent:
    """Return an intent of 10 SPY at the market, decided on the bar of second `n`."""
    message_id = derive_id("intent", n)
    fields: dict[str, Any] = {
        **ids("intent", n),
        "message_id": message_id,
        "ts_event": n * SECOND,
        "intent_id": message_id,
        "account": ACCOUNT,
        "venue": "paper",
        "strategy": "threshold",
        "instrument_id": "SPY",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "quantity": Decimal(10),
        "limit_price": None,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": False,
        "reference_price": Decimal(100),
        "ts_market": n * SECOND,
        "policy_version": 3,
        "reasons": ["entry"],
        "currency": "USD",
        "build": build_of(),
    }
    return OrderIntent(**(fields | more))


def approved(n: int, **more: Any) -> SubmitOrder:
    """Return the gate's order of 10 SPY of second `n`, good for two seconds, not signed yet."""
    intent_id = str(more.get("intent_id", derive_id("intent", n)))
    fields: dict[str, Any] = {
        **ids("submit", n),
        "ts_event": n * SECOND,
        "intent_id": intent_id,
        "client_order_id": client_order_id(intent_id),
        "account": ACCOUNT,
        "venue": "paper",
        "mode": TradingMode.DEMO,
        "strategy": "threshold",
        "instrument_id": "SPY",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "quantity": Decimal(10),
        "requested_quantity": Decimal(10),
        "limit_price": None,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": False,
        "reference_price": Decimal(100),
        "reasons": ["entry"],
        "policy_version": 3,
        "config_hash": "c0ffee",
        "epoch": 1,
        "expires_at": (n + 2) * SECOND,
        "nonce": derive_id("nonce", intent_id),
        "key_id": "",
        "signature": "",
        "build": build_of(),
    }
    return SubmitOrder(**(fields | more))
