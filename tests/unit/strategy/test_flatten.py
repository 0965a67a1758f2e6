"""A desk that must hold nothing: what closes it, once and until it is done, through the gate."""

from decimal import Decimal

import pytest
from interlock.model.values import Side, TradingState
from interlock.runtime.service import Cell
from interlock.strategy.app import build
from interlock.strategy.config import StrategyConfig
from interlock.testkit.cells import react
from interlock.testkit.decisions import desk, features, policy, trading
from interlock.testkit.desk_messages import SECOND, denied, fill, ids, order_ids
from interlock.wire.orders import OrderCanceled
from msgspec.structs import replace


def strategy_cell(**positions):
    """Return a strategy that holds `positions`, knows the policy and a price of 100."""
    service = build(desk(), StrategyConfig())
    cell = Cell(service, service.state)
    react(cell, policy(), 0)
    for n, (name, quantity) in enumerate(positions.items(), 1):
        react(cell, features(n, 0.0, name), n * SECOND)
        side = Side.BUY if quantity > 0 else Side.SELL
        react(cell, fill(n, side, abs(quantity), instrument_id=name), n * SECOND)
    return cell


def flatten(epoch=5):
    halted = trading(TradingState.HALTED, epoch)
    return replace(halted, flatten=True, cancel_orders=True, reason="kill rule")


def shown(intents):
    return [(one.instrument_id, one.side, one.quantity, one.reduce_only) for one in intents]


def canceled(intent_id, instrument_id="SPY"):
    named = order_ids(1, instrument_id) | {"intent_id": intent_id}
    return OrderCanceled(
        **ids("canceled", intent_id),
        **named,
        ts_event=0,
        reason="",
        leaves_qty=Decimal(3),
    )


def test_every_position_is_closed_reduce_only_and_at_the_market():
    said = react(strategy_cell(SPY=10, GOOG=-3), flatten(), 9 * SECOND)
    assert shown(said) == [
        ("GOOG", Side.BUY, Decimal(3), True),
        ("SPY", Side.SELL, Decimal(10), True),
    ]
    spy = said[1]
    assert (spy.order_type, spy.reference_price, spy.ts_market) == ("market", 100, 1 * SECOND)
    assert spy.reasons == ["flatten", "kill rule"]
    assert spy.decision_id == flatten().decision_id
    assert spy.build


def test_one_epoch_closes_once_and_the_same_word_twice_changes_nothing():
    cell = strategy_cell(SPY=10)
    (first,) = react(cell, flatten(), 0)
    assert react(cell, flatten(), 0) == []
    assert react(cell, replace(flatten(), message_id="again"), 0) == []
    react(cell, fill(50, Side.SELL, 10, intent_id=first.intent_id), 0)
    assert react(cell, features(60, 50.0), 60 * SECOND) == []


def test_nothing_held_closes_nothing_and_a_halt_alone_closes_nothing():
    assert react(strategy_cell(), flatten(), 0) == []
    assert react(strategy_cell(SPY=10), trading(TradingState.HALTED, 5), 0) == []


def test_a_desk_that_is_closing_enters_nothing():
    cell = strategy_cell()
    react(cell, flatten(), 0)
    assert react(cell, features(20, 50.0), 20 * SECOND) == []
    react(cell, trading(TradingState.ACTIVE, 6), 0)
    (entry,) = react(cell, features(21, 50.0), 21 * SECOND)
    assert not entry.reduce_only


def test_what_was_denied_is_asked_again_at_the_next_bar_and_not_before():
    cell = strategy_cell(SPY=10)
    (first,) = react(cell, flatten(), 0)
    assert react(cell, replace(denied(1), intent_id=first.intent_id), 0) == []
    (second,) = react(cell, features(20, 0.0), 20 * SECOND)
    assert shown([second]) == shown([first])
    assert second.intent_id != first.intent_id
    assert react(cell, features(21, 0.0), 21 * SECOND) == [], "one answer is waited for"


def test_an_order_on_its_way_is_closed_as_soon_as_it_is_known():
    cell = strategy_cell()
    (entry,) = react(cell, features(20, 50.0), 20 * SECOND)
    assert react(cell, flatten(), 0) == []
    (closing,) = react(cell, fill(50, Side.BUY, 7, intent_id=entry.intent_id), 0)
    assert shown([closing]) == [("SPY", Side.SELL, Decimal(7), True)]


def test_a_part_that_was_filled_before_the_cancel_is_closed_with_it():
    cell = strategy_cell()
    (entry,) = react(cell, features(20, 50.0), 20 * SECOND)
    react(cell, flatten(), 0)
    part = fill(50, Side.BUY, 7, intent_id=entry.intent_id, leaves_qty=Decimal(3))
    assert react(cell, part, 0) == []
    (closing,) = react(cell, canceled(entry.intent_id), 0)
    assert closing.quantity == 7


def test_a_venue_that_cancels_the_closing_order_is_not_asked_in_a_circle():
    cell = strategy_cell(SPY=10)
    (first,) = react(cell, flatten(), 0)
    assert react(cell, canceled(first.intent_id), 0) == []
    assert len(react(cell, features(20, 0.0), 20 * SECOND)) == 1


def test_a_position_without_any_price_is_closed_too():
    service = build(desk(), StrategyConfig())
    cell = Cell(service, service.state)
    react(cell, fill(1, Side.BUY, 10), 0)
    (closing,) = react(cell, flatten(), 0)
    assert (closing.reference_price, closing.ts_market) == (0, 0)


@pytest.mark.parametrize("epoch", [4, 5])
def test_i14_an_older_epoch_takes_the_closing_back_no_more_than_it_begins_it(epoch):
    cell = strategy_cell(SPY=10)
    react(cell, flatten(5), 0)
    react(cell, trading(TradingState.ACTIVE, epoch), 0)
    assert cell.state.flattening is not None


def test_i7_a_restart_between_the_word_and_the_close_still_closes():
    first = strategy_cell(SPY=10)
    service = build(desk(), StrategyConfig())
    again = Cell(service, service.state)
    for message in (policy(), features(1, 0.0), fill(1, Side.BUY, 10), flatten()):
        again.recover(message, own=False)
    assert shown(react(again, flatten(), 0)) == shown(react(first, flatten(), 0))
