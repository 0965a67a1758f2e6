"""Messages of a small desk: bars, ticks, an order's life, judged proposals."""

from decimal import Decimal
from typing import Any

from interlock.model.ids import derive_id
from interlock.model.values import OrderType, Side, TimeInForce, TradingMode
from interlock.wire.market import Bar, ClockTicked
from interlock.wire.orders import (
    ControlFailure,
    OrderAccepted,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    OrderSubmitted,
)
from interlock.wire.policy import Phase, ProposalJudged, ProposalVerdict

DESK, ACCOUNT = "params", "paper-1"
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = Decimal(30_000)


def ids(*parts: object) -> dict[str, Any]:
    message_id = derive_id("test", *parts)
    return {"message_id": message_id, "decision_id": derive_id("decision", *parts), "desk": DESK}


def bar(n: int, close: float, instrument_id: str = "SPY") -> Bar:
    named = ids("bar", instrument_id, n)
    del named["desk"]
    return Bar(
        **named,
        ts_event=n * SECOND,
        instrument_id=instrument_id,
        source="test",
        bar_seconds=60,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=1.0,
    )


def tick(n: int, ts_desk: int | None = None, ts_event: int | None = None) -> ClockTicked:
    return ClockTicked(
        **ids("tick", n),
        ts_event=n * SECOND if ts_event is None else ts_event,
        index=n,
        cadence_ns=5 * SECOND,
        ts_desk=n * SECOND if ts_desk is None else ts_desk,
        window_scale=1.0,
        clock_offset_ns=None,
    )


def order_ids(n: int, instrument_id: str = "SPY") -> dict[str, Any]:
    return {
        "account": ACCOUNT,
        "venue": "paper",
        "client_order_id": f"il-{n}",
        "intent_id": f"intent-{n}",
        "instrument_id": instrument_id,
    }


def fill(
    n: int,
    side: Side = Side.BUY,
    quantity: Decimal | int = 10,
    price: Decimal | int = 100,
    **more: Any,
) -> OrderFilled:
    fields: dict[str, Any] = {
        **ids("fill", n),
        **order_ids(n),
        "ts_event": n * SECOND,
        "venue_order_id": f"v-{n}",
        "trade_id": f"trade-{n}",
        "side": side,
        "last_qty": Decimal(quantity),
        "last_px": Decimal(price),
        "cum_qty": Decimal(quantity),
        "leaves_qty": Decimal(0),
        "avg_px": Decimal(price),
        "fee": Decimal("0.5"),
    }
    return OrderFilled(**(fields | more))


def intent(n: int, side: Side = Side.BUY, quantity: int = 12) -> OrderIntent:
    return OrderIntent(
        **ids("intent", n),
        ts_event=n * SECOND,
        intent_id=f"intent-{n}",
        account=ACCOUNT,
        venue="paper",
        strategy="threshold",
        instrument_id="SPY",
        side=side,
        order_type=OrderType.MARKET,
        quantity=Decimal(quantity),
        limit_price=None,
        time_in_force=TimeInForce.DAY,
        reduce_only=False,
        reference_price=Decimal(100),
        ts_market=n * SECOND,
        policy_version=3,
        reasons=["momentum"],
    )


def submitted(n: int, side: Side = Side.BUY, quantity: int = 10) -> OrderSubmitted:
    return OrderSubmitted(
        **ids("submitted", n),
        **order_ids(n),
        ts_event=n * SECOND,
        mode=TradingMode.DEMO,
        strategy="threshold",
        side=side,
        order_type=OrderType.MARKET,
        quantity=Decimal(quantity),
        requested_quantity=Decimal(12),
        limit_price=None,
        time_in_force=TimeInForce.DAY,
        reference_price=Decimal(100),
        reduce_only=False,
        reasons=["momentum"],
        policy_version=3,
        config_hash="c0ffee",
        epoch=1,
    )


def accepted(n: int) -> OrderAccepted:
    return OrderAccepted(
        **ids("accepted", n), **order_ids(n), ts_event=n * SECOND, venue_order_id=f"v-{n}"
    )


def denied(n: int, quantity: str = "12") -> OrderDenied:
    return OrderDenied(
        **ids("denied", n),
        ts_event=n * SECOND,
        intent_id=f"intent-{n}",
        account=ACCOUNT,
        strategy="threshold",
        instrument_id="SPY",
        side=Side.BUY,
        requested_quantity=quantity,
        failures=[
            ControlFailure(code="size.notional", observed="60000 USD", limit="50000 USD"),
            ControlFailure(code="price.stale", observed="9 s", limit="2 s"),
        ],
        policy_version=3,
        epoch=1,
    )


def judged(
    n: int, verdict: ProposalVerdict = ProposalVerdict.UNCHANGED, **more: Any
) -> ProposalJudged:
    """Return the audit row of a proposal made `n` seconds in."""
    fields: dict[str, Any] = {
        **ids("judged", n),
        "ts_event": n * SECOND,
        "proposal_id": f"proposal-{n}",
        "provider": "rules",
        "parameter": "threshold_bps",
        "old": 1.0,
        "proposed": 1.1,
        "applied": 1.1 if verdict is ProposalVerdict.ACCEPTED else 1.0,
        "delta": 0.1,
        "verdict": verdict,
        "phase": Phase.LIVE,
        "seen_in_window": 1,
        "accepted_in_window": 0,
        "window_ns": 900 * SECOND,
        "freeze_reasons": [],
        "policy_version": 3,
        "ts_desk": n * SECOND,
    }
    return ProposalJudged(**(fields | more))
