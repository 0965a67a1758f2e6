"""Exposure above its limit: what brings it back, slice by slice, and what waits meanwhile."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.ids import client_order_id
from interlock.model.instrument import Instrument
from interlock.model.values import OrderType, Side, TimeInForce, TradingState
from interlock.runtime.service import Cell
from interlock.strategy.app import build
from interlock.strategy.config import StrategyConfig
from interlock.strategy.trim import Holding, passive_price, shares, slice_of
from interlock.testkit.cells import react
from interlock.testkit.decisions import account, desk, features, policy, trading
from interlock.testkit.desk_messages import SECOND, denied, fill, ids, order_ids
from interlock.wire.accounts import PositionLine
from interlock.wire.orders import CancelOrders, OrderCanceled, OrderIntent
from msgspec.structs import replace

NAMES = ("A", "B", "C")
SLICE_SECONDS = 30


def instruments(lots=(1, 1, 1)):
    return tuple(
        Instrument(instrument_id=name, venue="paper", lot=Decimal(lot), currency="USDC")
        for name, lot in zip(NAMES, lots, strict=True)
    )


class World:
    """A strategy with positions, and a venue that trades what it is told to."""

    def __init__(self, held, prices=(100.0, 100.0, 100.0), lots=(1, 1, 1), **config):
        settings = {"max_exposure_pct": Decimal(25), "slice_seconds": SLICE_SECONDS} | config
        service = build(desk(instruments=instruments(lots)), StrategyConfig(**settings))
        self.cell = Cell(service, service.state)
        self.n, self.now, self.prices = 0, 0, dict(zip(NAMES, prices, strict=True))
        self.open, self.asked, self.log = {}, [], []
        self.deaf = set()
        self.hear(policy())
        for name, price in self.prices.items():
            self.hear(features(1, None, name, close=price))
        for name, quantity in zip(NAMES, held, strict=True):
            if quantity:
                self.traded(name, Decimal(quantity), intent_id=f"entry-{name}")

    @property
    def state(self):
        return self.cell.state

    def hear(self, message):
        said = react(self.cell, message, self.now * SECOND)
        self.log += said
        for one in said:
            if isinstance(one, OrderIntent):
                self._ask(one)
            elif isinstance(one, CancelOrders):
                self._end(one)
        return said

    def _ask(self, intent):
        held = self.state.positions.get(intent.instrument_id, Decimal(0))
        resting = sum(
            left for one, left in self.open.values() if one.instrument_id == intent.instrument_id
        )
        if intent.reduce_only:
            assert intent.side is (Side.SELL if held > 0 else Side.BUY)
            assert 0 < intent.quantity <= abs(held) - resting
        self.open[intent.intent_id] = (intent, intent.quantity)
        self.asked.append(intent)

    def _end(self, asked):
        for intent_id, (intent, left) in list(self.open.items()):
            if client_order_id(intent_id) == asked.client_order_id and intent_id not in self.deaf:
                del self.open[intent_id]
                self.hear(canceled(intent, left))

    def traded(self, name, quantity, leaves=Decimal(0), **more):
        self.n += 1
        side = Side.BUY if quantity > 0 else Side.SELL
        named = {"instrument_id": name, "leaves_qty": leaves} | more
        return self.hear(fill(self.n, side, abs(quantity), Decimal(self.prices[name]), **named))

    def fill(self, part=1):
        """Trade a part of each order that rests, in whole lots, and all of it at 1."""
        for intent_id, (intent, left) in list(self.open.items()):
            lot = self.state.instruments[intent.instrument_id].lot
            quantity = left if part == 1 else left * Decimal(part) // lot * lot
            if quantity == 0:
                continue
            self.open[intent_id] = (intent, left - quantity)
            if quantity == left:
                del self.open[intent_id]
            self.traded(
                intent.instrument_id,
                quantity * intent.side.sign,
                left - quantity,
                intent_id=intent_id,
            )

    def mark(self, seconds=SLICE_SECONDS, equity=30_000):
        """Let time pass, and tell the account."""
        self.now += seconds
        return self.hear(account(self.now, equity=Decimal(equity)))

    @property
    def worth(self):
        held = self.state.positions
        return sum(abs(held.get(n, 0)) * Decimal(str(p)) for n, p in self.prices.items())


def canceled(intent, left):
    named = order_ids(1, intent.instrument_id) | {"intent_id": intent.intent_id}
    return OrderCanceled(
        **ids("canceled", intent.intent_id), **named, ts_event=0, reason="", leaves_qty=left
    )


def shown(intents):
    return [(one.instrument_id, one.side, one.quantity) for one in intents]


def test_what_is_too_much_is_asked_for_in_proportion_reduce_only_and_passive():
    world = World((60, -30, 10))
    said = world.mark()
    assert shown(said) == [("A", Side.SELL, 10), ("B", Side.BUY, 7), ("C", Side.SELL, 2)]
    for one in said:
        assert one.reduce_only
        assert one.post_only
        assert (one.order_type, one.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
        assert one.limit_price == Decimal("100.01" if one.side is Side.SELL else "99.99")
        assert one.reasons == ["trim", "exposure=10000.00", "limit=7500.00"]
        assert one.decision_id == account(world.now).decision_id


@pytest.mark.parametrize("changes", [{"max_exposure_pct": None}, {"max_exposure_pct": Decimal(34)}])
def test_nothing_is_trimmed_below_the_limit_or_without_one(changes):
    assert World((60, -30, 10), **changes).mark() == []


def test_nothing_is_trimmed_before_the_account_was_told_and_no_other_account_counts():
    world = World((100, 0, 0))
    assert world.hear(features(5, None, "A", close=100.0)) == []
    assert world.hear(account(6, account="another", equity=Decimal(1))) == []
    assert world.state.equity is None


def test_a_price_or_a_fill_that_lifts_exposure_over_the_limit_begins_it():
    for lift in (
        lambda world: world.hear(features(2, None, "A", close=120.0)),
        lambda world: world.traded("C", Decimal(10), intent_id="entry"),
    ):
        world = World((70, 0, 0))
        assert world.mark() == []
        assert lift(world) == []
        assert world.hear(features(world.now, 50.0, "B")) == [], "nothing adds to it from now on"
        assert {one.reasons[0] for one in world.mark(1)} == {"trim"}


def test_a_slice_follows_the_last_after_its_time_at_the_price_of_then():
    world = World((200, 0, 0), slice_notional=Decimal(2_000))
    (first,) = world.mark()
    assert first.quantity == 20
    world.fill(Decimal("0.25"))
    assert world.mark(SLICE_SECONDS - 1) == []
    world.hear(features(2, None, "A", close=99.0, spread_bps=20.0))
    (end,) = world.mark(1)
    assert end.client_order_id == client_order_id(first.intent_id)
    assert not end.instrument_id
    second = world.asked[-1]
    assert (second.quantity, second.limit_price) == (15, Decimal("99.10"))
    assert len(world.asked) == 2


def test_the_last_slice_takes_the_rest_and_then_the_engine_goes_on():
    world = World((200, 0, 0), slice_notional=Decimal(5_000))
    for _ in range(6):
        world.mark()
        world.fill()
    assert [one.quantity for one in world.asked] == [50, 50, 25]
    (entry,) = world.hear(features(world.now, 50.0, "B"))
    assert not entry.reduce_only


def test_nothing_that_adds_risk_is_asked_for_while_exposure_is_trimmed():
    world = World((100, 0, 0))
    world.mark()
    assert world.hear(features(world.now, 50.0, "B")) == []
    world.fill()
    world.mark(1)
    world.fill()
    assert not world.open
    assert world.worth > 7_500
    assert world.hear(features(world.now, 50.0, "B")) == []


def test_a_slice_the_venue_keeps_is_asked_for_again_and_none_follows_it_before():
    world = World((100, 0, 0))
    (first,) = world.mark()
    world.deaf.add(first.intent_id)
    assert [type(one) for one in world.mark()] == [CancelOrders]
    assert world.mark(SLICE_SECONDS - 1) == []
    assert [type(one) for one in world.mark(1)] == [CancelOrders]
    assert world.asked == [first]


def test_a_denied_slice_is_asked_for_again_when_the_next_is_due():
    world = World((100, 0, 0))
    (first,) = world.mark()
    del world.open[first.intent_id]
    refusal = replace(denied(1), intent_id=first.intent_id, instrument_id="A")
    assert world.hear(refusal) == []
    assert world.mark(1) == []
    assert len(world.mark()) == 1


def test_slices_are_taken_back_once_prices_have_done_their_work():
    world = World((100, 0, 0))
    world.mark()
    assert world.hear(features(world.now, 50.0, "A", close=70.0)) == []
    (end,) = world.mark(1)
    assert isinstance(end, CancelOrders)
    assert not world.state.slices


def test_an_exit_of_the_engine_goes_before_the_slice_that_rests():
    world = World((100, 100, 0), slice_seconds=5)
    world.mark()
    said = world.hear(features(world.now, -50.0, "A"))
    assert [type(one) for one in said] == [CancelOrders]
    assert not any(one.instrument_id == "A" for one, _ in world.open.values())
    assert not any(
        isinstance(one, OrderIntent) and one.instrument_id == "A" for one in world.mark()
    )
    (leaving,) = world.hear(features(world.now, -50.0, "A"))
    assert shown([leaving]) == [("A", Side.SELL, 100)]
    assert leaving.order_type is OrderType.MARKET


def test_an_exit_that_is_wanted_no_more_lets_the_slices_go_on():
    world = World((100, 0, 0), slice_seconds=5)
    world.mark()
    world.hear(features(world.now, -50.0, "A"))
    assert world.mark(5) == []
    assert world.hear(features(world.now, 0.0, "A")) == []
    (again,) = world.mark(5)
    assert again.reasons[0] == "trim"


def test_closing_everything_takes_the_slices_back_first():
    world = World((100, 0, 0))
    (first,) = world.mark()
    change = replace(trading(TradingState.HALTED, 5), flatten=True, reason="kill rule")
    world.hear(change)
    assert world.log[-2].client_order_id == client_order_id(first.intent_id)
    assert (world.log[-1].reasons[0], world.log[-1].quantity) == ("flatten", 100)
    assert [one for one in world.mark() if isinstance(one, OrderIntent)] == []


def test_a_restart_in_the_middle_asks_for_nothing_twice_and_goes_on():
    lived = World((100, 0, 0), slice_notional=Decimal(1_000))
    lived.mark()
    lived.fill(Decimal("0.5"))
    again = World((100, 0, 0), slice_notional=Decimal(1_000))
    told = account(30, equity=Decimal(30_000))
    again.cell.recover(told, own=False)
    (first,) = lived.asked
    again.cell.recover(first, own=True)
    part = fill(9, Side.SELL, 5, instrument_id="A", intent_id=first.intent_id,
                leaves_qty=Decimal(5))  # fmt: skip
    again.cell.recover(part, own=False)
    assert again.state.slices == lived.state.slices
    again.now = lived.now = 59
    assert again.hear(account(59)) == lived.hear(account(59)) == []
    again.now = lived.now = 60
    assert again.hear(account(60)) == lived.hear(account(60)) != []


def test_a_mark_stands_in_where_no_close_was_heard():
    world = World((100, 0, 0))
    world.state.closes.clear()
    line = PositionLine(
        instrument_id="A", quantity=Decimal(100), avg_px=Decimal(90), mark=Decimal(90),
        unrealised_pnl=Decimal(0),
    )  # fmt: skip
    (one,) = world.hear(account(9, positions=[line]))
    assert (one.reference_price, one.ts_market) == (90, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_exposure_pct": Decimal(0)},
        {"slice_notional": Decimal(0)},
        {"slice_seconds": 0},
        {"min_slice_notional": Decimal(-1)},
        {"min_slice_notional": Decimal(2_000)},
    ],
)
def test_a_configuration_that_cannot_be_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        StrategyConfig(**wrong)


# The plan alone.


def holding(quantity, value, lot=1):
    return Holding(quantity=Decimal(quantity), unit_value=Decimal(value), lot=Decimal(lot))


def test_the_largest_gives_what_coarse_lots_leave_over():
    held = {"A": holding(10, 100, 5), "B": holding(3, 100), "C": holding(1, 100)}
    assert shares(held, Decimal(1_200)) == {"A": 5}
    assert shares(held, Decimal(0)) == {"A": 10, "B": 3, "C": 1}
    assert shares(held, Decimal(-5)) == shares(held, Decimal(0))
    assert shares(held, Decimal(1_400)) == {}


def test_a_slice_is_a_lot_at_least_what_the_venue_takes_at_least_and_never_more_than_held():
    one = holding(10, 100)
    thousand, hundred = Decimal(1_000), Decimal(100)
    assert slice_of(Decimal(7), one, Decimal(350), Decimal(0)) == 3
    assert slice_of(Decimal(7), one, Decimal(50), Decimal(0)) == 1
    assert slice_of(Decimal(1), one, thousand, 3 * hundred) == 3
    assert slice_of(Decimal(1), holding(2, 100), thousand, 3 * hundred) == 2


@given(
    close=st.floats(0.02, 1e5), spread=st.floats(0, 500), tick=st.sampled_from(["0.01", "0.5", "1"])
)
def test_a_passive_price_is_on_a_tick_beyond_the_close(close, spread, tick):
    one = Instrument(instrument_id="A", venue="paper", tick=Decimal(tick))
    for side in Side:
        price = passive_price(one, side, close, spread)
        assert price % one.tick == 0
        beyond = (Decimal(str(close)) - price) * side.sign
        assert beyond >= one.tick or (side is Side.BUY and price == one.tick)


POSITIONS = st.tuples(*[st.integers(-200, 200)] * 3)
LOTS = st.tuples(*[st.sampled_from([1, 2, 5])] * 3)
PRICES = st.tuples(*[st.sampled_from([0.5, 3.0, 40.0, 250.0])] * 3)
PARTS = st.lists(st.sampled_from([Decimal(0), Decimal("0.3"), Decimal("0.7"), 1]), max_size=12)


def run(held, lots, prices, parts, notional):
    """Trim to the end, slices traded in parts first, then whole."""
    whole = [n // lot * lot for n, lot in zip(held, lots, strict=True)]
    world = World(whole, prices, lots, slice_notional=Decimal(notional))
    before = world.worth
    for part in parts:
        world.mark()
        world.fill(part)
    for _ in range(2_000):
        asked = len(world.asked)
        world.mark()
        world.fill()
        if len(world.asked) == asked:
            break
    return world, before


@given(
    held=POSITIONS, lots=LOTS, prices=PRICES, parts=PARTS,
    notional=st.sampled_from([1_000, 7_000, 50_000]),
)  # fmt: skip
def test_whatever_trades_it_ends_under_the_limit_and_less_than_a_lot_below(
    held, lots, prices, parts, notional
):
    world, before = run(held, lots, prices, parts, notional)
    limit = Decimal(7_500)
    assert world.worth <= max(limit, 0)
    assert not world.open
    assert not world.state.slices
    if before <= limit:
        assert world.asked == []
        return
    coarsest = max(Decimal(str(p)) * lot for p, lot in zip(prices, lots, strict=True))
    assert limit - world.worth < coarsest
    for one in world.asked:
        value = one.quantity * one.reference_price
        assert value <= max(Decimal(notional), coarsest)
        assert one.reduce_only


@given(held=POSITIONS, lots=LOTS, prices=PRICES, parts=PARTS)
def test_i4_the_same_news_make_the_same_slices(held, lots, prices, parts):
    first, _ = run(held, lots, prices, parts, 7_000)
    second, _ = run(held, lots, prices, parts, 7_000)
    assert first.log == second.log
    ids_of = [one.message_id for one in first.log]
    assert len(set(ids_of)) == len(ids_of)
