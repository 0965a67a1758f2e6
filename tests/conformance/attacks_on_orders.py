"""Attacks in the order itself: its numbers, its names, its units, its repetition."""

from decimal import Decimal
from typing import Any

from interlock.gate.config import EdgeLimits
from interlock.model.ids import derive_id
from interlock.model.values import OrderType, Side
from interlock.wire.market import FeedCondition, FeedStatusChanged, Quote
from msgspec.structs import replace

from tests.conformance.attack import Attack, order
from tests.conformance.world import LIMITS, SECOND, World, codes, open_world

NUMBERS = {
    "NaN": "NaN",
    "signalling NaN": "sNaN",
    "infinite": "Infinity",
    "negative": "-10",
    "zero": "0",
    "huge": "1e50",
    "tiny": "1e-50",
}
LIMIT: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": Decimal(100)}


def numbers() -> list[Attack]:
    found: list[Attack] = []
    for what, text in NUMBERS.items():
        value = Decimal(text)
        found += [
            order("NaN, infinite, negative, zero size or price", f"{what} quantity", "size.number",
                  quantity=value),
            order("NaN, infinite, negative, zero size or price", f"{what} limit price",
                  "price.number", "price.collar", honest=LIMIT, limit_price=value),
            order("NaN, infinite, negative, zero size or price", f"{what} price of the strategy",
                  "price.collar", reference_price=value),
        ]  # fmt: skip
    for what, price in (("NaN", "nan"), ("infinite", "inf"), ("negative", "-5"), ("zero", "0")):
        found.append(
            order("NaN, infinite, negative, zero size or price", f"{what} bar of the feed",
                  "price.reference", attack=_bad_bar(float(price)))
        )  # fmt: skip
    return found


def _bad_bar(price: float) -> Any:
    return lambda world: world.publish(world.bar("SPY", price))


def prices() -> list[Attack]:
    name = "stale, crossed or missing reference price"
    return [
        order(name, "the last bar is 11 s old", "price.stale", attack=_stale),
        order(name, "the last bar is from tomorrow", "price.stale", attack=_tomorrow),
        order(name, "bid above ask", "price.reference", attack=_crossed),
        order(name, "the feed says crossed", "price.quality", attack=_doubted),
        order(name, "the feed says jump", "price.quality", attack=_jump),
        order(name, "no bar since the start", "price.reference", world=_without("SPY"),
              fair=open_world),
        order("a new symbol ordered by quantity without a price", "it is configured, unpriced",
              "price.reference", world=_without("AAPL"), fair=open_world,
              honest={"instrument_id": "AAPL"}),
        order("a new symbol ordered by quantity without a price", "nobody knows it",
              "permission.instrument", "price.reference", "age.features", instrument_id="NEW"),
        order(name, "one cent off the market is no excuse", "price.collar", honest=LIMIT,
              limit_price=Decimal("101.01")),
    ]  # fmt: skip


def _without(name: str) -> Any:
    def made() -> World:
        world = World()
        world.market(but=[name])
        return world

    return made


def _stale(world: World) -> None:
    world.sleep(11)
    world.market(but=["SPY"])


def _tomorrow(world: World) -> None:
    tomorrow = world.now_ns + 86_400 * SECOND
    world.publish(replace(world.bar("SPY", 100.0), ts_event=tomorrow))


def _crossed(world: World) -> None:
    world.publish(
        Quote(**world.named(Quote), instrument_id="SPY", source="test", bid=101.0, ask=99.0,
              bid_size=1.0, ask_size=1.0)
    )  # fmt: skip


def _doubt(condition: FeedCondition) -> Any:
    def doubted(world: World) -> None:
        world.publish(
            FeedStatusChanged(**world.named(FeedStatusChanged), desk=world.desk.name,
                              instrument_id="SPY", condition=condition, detail="", dropped=False)
        )  # fmt: skip

    return doubted


_doubted, _jump = _doubt(FeedCondition.CROSSED), _doubt(FeedCondition.JUMP)


def splits() -> list[Attack]:
    name = "split orders under the per-order cap"
    aliases = "symbol aliases splitting one limit"
    coins = {"instrument_id": "BTC/USD"}
    return [
        order(name, "40 and 10 of SPY, then 1 more", "position.notional",
              attack=_buy(40, 10), quantity=Decimal(1)),
        order(name, "by two strategies", "position.notional",
              attack=_buy(40, 10, strategy="other"), quantity=Decimal(1)),
        order(name, "over three instruments", "position.gross",
              attack=_spread, instrument_id="BTC/USD", quantity=Decimal(1)),
        order(name, "short of one and long of another are added", "position.gross",
              attack=_both_ways, instrument_id="BTC/USD", quantity=Decimal(1)),
        order(name, "over the day", "cash.day", world=_a_day_of(4_500), attack=_buy(40)),
        order("retry with a new id", "the first order still works", "position.notional",
              attack=_buy(40), quantity=Decimal(15)),
        order("retry with a new id", "a strategy that enters again and again", "repeat.entries",
              world=_entries(2), attack=_buy(1, 1)),
        order(aliases, "BTC/USD, BTC-USD and XBTUSD fill one limit", "position.notional",
              attack=_by_aliases, honest=coins, quantity=Decimal(1)),
        order(aliases, "a spelling nobody configured", "permission.instrument",
              "price.reference", "age.features", honest=coins, instrument_id="XBT/USD"),
        order(aliases, "a do-not-trade list with another spelling", "permission.list",
              world=_banned("BTC-USD"), fair=open_world, honest=coins, instrument_id="XBTUSD"),
    ]  # fmt: skip


def _buy(*sizes: int, **changed: Any) -> Any:
    def bought(world: World) -> None:
        for size in sizes:
            verdict = world.ask(world.intent(quantity=Decimal(size), **changed))
            assert not codes(verdict), codes(verdict)

    return bought


def _spread(world: World) -> None:
    _buy(40, 10)(world)
    _buy(30, instrument_id="AAPL")(world)


def _both_ways(world: World) -> None:
    _buy(40, 10)(world)
    _buy(30, instrument_id="AAPL", side=Side.SELL)(world)


def _by_aliases(world: World) -> None:
    for name, size in (("BTC/USD", 20), ("BTC-USD", 20), ("XBTUSD", 10)):
        _buy(size, instrument_id=name)(world)


def _configured(**changed: Any) -> Any:
    return lambda: open_world(gate={**LIMITS, **changed})


def _a_day_of(notional: int) -> Any:
    return _configured(max_day_notional=Decimal(notional))


def _entries(count: int) -> Any:
    return _configured(max_entries_without_person=count)


def _banned(name: str) -> Any:
    return _configured(do_not_trade=(name,))


def repeats() -> list[Attack]:
    name = "same intent twice, in parallel, after restart"
    return [
        order(name, "the same message again", "silence", attack=_ask_this, honest=_this),
        order(name, "in another message", "duplicate.intent", attack=_ask_this, honest=_this,
              message_id=derive_id("another message")),
        order(name, "after a restart of the gate", "duplicate.intent", attack=_ask_and_restart,
              honest=_this, message_id=derive_id("another message")),
        order(name, "after it was filled", "duplicate.intent", attack=_ask_and_fill, honest=_this,
              message_id=derive_id("another message")),
        order(name, "as a reduce-only one", "duplicate.intent", "position.reduce_only",
              attack=_ask_this, honest=_this, message_id=derive_id("another message"),
              reduce_only=True),
    ]  # fmt: skip


THIS = derive_id("this very intent")


def _this(world: World) -> dict[str, Any]:
    del world
    return {"intent_id": THIS, "message_id": THIS}


def _ask_this(world: World) -> None:
    assert not codes(world.ask(world.intent(intent_id=THIS, message_id=THIS)))


def _ask_and_restart(world: World) -> None:
    _ask_this(world)
    world.restart("gate")


def _ask_and_fill(world: World) -> None:
    _ask_this(world)
    for name in list(world.venue.book):
        world.hear("exec", world.venue.fill(name, 40, Decimal(100)))


def mix_ups() -> list[Attack]:
    units, money = "unit mix-ups (percent, bps, fraction)", "currency mix-ups"
    limits = EdgeLimits(min_p_win=0.45, min_reward_risk=1.8, min_expected_value_pct=0.0)
    edge = _configured(edge=limits)
    promise = {"p_win": 0.55, "reward_risk": 2.0, "expected_value_pct": 0.5}
    return [
        order(units, "p_win of 55 for 55 percent", "edge.p_win", world=edge, honest=promise,
              p_win=55.0),
        order(units, "reward to risk that is NaN", "edge.reward_risk", world=edge, honest=promise,
              reward_risk=float("nan")),
        order(units, "an expected value that is infinite", "edge.expected_value", world=edge,
              honest=promise, expected_value_pct=float("inf")),
        order(units, "a price in cents", "price.collar", "cash.power", honest=LIMIT,
              limit_price=Decimal(10_000)),
        order(units, "milliseconds for nanoseconds", "age.intent",
              attack=lambda _: None, ts_market=1_767_625_200_000),
        order(units, "a notional for a quantity", "size.quantity", "size.notional", "size.share",
              "position.notional", "position.name", "position.bucket", "position.sector",
              "position.gross", "position.gross_share", "position.net_share", "cash.power",
              quantity=Decimal(1_000)),
        order(money, "an order in EUR for what trades in USD", "position.currency",
              currency="EUR"),
        order(money, "an order that names no currency", "position.currency", currency=""),
        order(money, "what trades in EUR, without a rate", "position.currency",
              instrument_id="SAP", currency="EUR"),
        order(money, "what trades in EUR, called USD", "position.currency", instrument_id="SAP"),
    ]  # fmt: skip


def second_paths() -> list[Attack]:
    name = "second code path (swap, close, flatten) that skips checks"
    return [
        order(name, "a close of what is not held", "permission.short", "position.reduce_only",
              world=_configured(allow_short=False), side=Side.SELL, reduce_only=True),
        order(name, "a close of more than is held", "position.reduce_only",
              before=_hold(10), honest={"side": Side.SELL}, quantity=Decimal(11),
              reduce_only=True),
        order(name, "two closes of one position", "position.reduce_only", before=_hold(10),
              attack=_close(10), honest={"side": Side.SELL}, reduce_only=True),
        order(name, "a close that buys", "position.reduce_only", before=_hold(10),
              reduce_only=True),
        order(name, "the other leg of a swap past the limit", "position.gross",
              before=_hold(10), attack=_swap, instrument_id="BTC/USD", quantity=Decimal(15)),
        order(name, "a short sale by a plain sell", "permission.short",
              world=_configured(allow_short=False), side=Side.SELL),
    ]  # fmt: skip


def _hold(size: int) -> Any:
    def held(world: World) -> None:
        _buy(size)(world)
        for name in list(world.venue.book):
            world.hear("exec", world.venue.fill(name, size, Decimal(100)))

    return held


def _close(size: int) -> Any:
    return _buy(size, side=Side.SELL, reduce_only=True)


def _swap(world: World) -> None:
    """Sell the one and buy the other; what is sold has not traded yet and is still held."""
    _close(10)(world)
    _buy(40, instrument_id="AAPL")(world)
    _buy(20, instrument_id="BTC/USD")(world)


ATTACKS = [*numbers(), *prices(), *splits(), *repeats(), *mix_ups(), *second_paths()]
