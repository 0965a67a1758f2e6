"""What a gate must have heard before it approves anything, and intents for it to approve."""

from decimal import Decimal

from interlock.model.desk import DeskConfig
from interlock.model.values import OrderType, Side, TimeInForce, TradingState
from interlock.wire.base import Message, root_ids
from interlock.wire.build import build_of
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed
from interlock.wire.orders import OrderIntent, ReconciliationCompleted
from interlock.wire.policy import PolicyChanged, TradingStateChanged

NOW = 1_700_000_000_000_000_000
PRICE = 100.0


def opening(desk: DeskConfig) -> list[Message]:
    """Return a day, prices, features, a policy, an active desk and a reconciled book."""
    return [
        tick(desk), *bars(desk), *features(desk), policy(desk), trading(desk), reconciled(desk)
    ]  # fmt: skip


def tick(desk: DeskConfig) -> ClockTicked:
    return ClockTicked(
        **_ids(ClockTicked), ts_event=NOW, desk=desk.name, index=0, cadence_ns=10**9, ts_desk=NOW,
        window_scale=1.0, clock_offset_ns=0,
    )  # fmt: skip


def features(desk: DeskConfig) -> list[FeaturesComputed]:
    return [
        FeaturesComputed(
            **_ids(FeaturesComputed, one.instrument_id), ts_event=NOW, desk=desk.name,
            instrument_id=one.instrument_id, bar_seconds=60, close=PRICE,
        )
        for one in desk.instruments
    ]  # fmt: skip


def bars(desk: DeskConfig) -> list[Bar]:
    return [
        Bar(
            **_ids(Bar, one.instrument_id), ts_event=NOW, instrument_id=one.instrument_id,
            source="bench", bar_seconds=60, open=PRICE, high=PRICE, low=PRICE, close=PRICE,
            volume=1e6,
        )
        for one in desk.instruments
    ]  # fmt: skip


def policy(desk: DeskConfig) -> PolicyChanged:
    return PolicyChanged(
        **_ids(PolicyChanged), ts_event=NOW, desk=desk.name, version=1,
        parameters={"threshold_bps": 1.0}, changes=[], author="bench", reason="bench",
        proposal_id=None, config_hash="",
    )  # fmt: skip


def trading(desk: DeskConfig) -> TradingStateChanged:
    return TradingStateChanged(
        **_ids(TradingStateChanged), ts_event=NOW, desk=desk.name, state=TradingState.ACTIVE,
        epoch=1, author="bench", reason="bench",
    )  # fmt: skip


def reconciled(desk: DeskConfig) -> ReconciliationCompleted:
    return ReconciliationCompleted(
        **_ids(ReconciliationCompleted), ts_event=NOW, desk=desk.name, account=desk.account,
        venue=desk.venue, open_orders=0, positions=0, breaks=[],
    )  # fmt: skip


def intent(desk: DeskConfig, number: int) -> OrderIntent:
    """Return a buy order of one unit; each number is another intent."""
    instrument = desk.instruments[number % len(desk.instruments)]
    known = _ids(OrderIntent, number)
    return OrderIntent(
        **known, ts_event=NOW, desk=desk.name, intent_id=known["message_id"],
        account=desk.account, venue=desk.venue, strategy="bench",
        instrument_id=instrument.instrument_id, side=Side.BUY, order_type=OrderType.MARKET,
        quantity=Decimal(1), limit_price=None, time_in_force=TimeInForce.GTC, reduce_only=False,
        reference_price=Decimal(100), ts_market=NOW, policy_version=1, reasons=["entry"],
        currency=instrument.currency, build=build_of(),
    )  # fmt: skip


def _ids(kind: type[Message], *parts: object) -> dict[str, str]:
    message_id, decision_id = root_ids(kind, "bench", *parts)
    return {"message_id": message_id, "decision_id": decision_id}
