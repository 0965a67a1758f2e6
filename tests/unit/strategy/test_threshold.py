"""The threshold engine: when it trades, which way, how much, and when it keeps still."""

from decimal import Decimal

import msgspec
import pytest
from interlock.model.values import OrderType, Side
from interlock.runtime.config import ConfigError, load_desk_file
from interlock.strategy.app import build, reloader
from interlock.strategy.config import StrategyConfig
from interlock.strategy.state import ConfigReloaded
from interlock.strategy.threshold import scaled_threshold_bps
from interlock.testkit.cells import cell_of, drive, react
from interlock.testkit.decisions import desk, features, policy
from interlock.testkit.desk_messages import SECOND, bar, fill, ids, order_ids
from interlock.wire.base import caused_id
from interlock.wire.orders import (
    ControlFailure,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderUnknown,
)
from interlock.wire.system import ConfigLine


def strategy_cell(threshold=2.0, **config):
    cell = cell_of(build(desk(), StrategyConfig(**config)))
    if threshold is not None:
        react(cell, policy(3, threshold), 0)
    return cell


def move(cell, n, momentum_bps, **more):
    return react(cell, features(n, momentum_bps, **more), n * SECOND)


def filled(cell, intent, leaves=0):
    traded = intent.quantity - leaves
    react(
        cell,
        fill(
            intent.ts_event // SECOND,
            intent.side,
            traded,
            intent_id=intent.intent_id,
            instrument_id=intent.instrument_id,
            leaves_qty=Decimal(leaves),
        ),
        0,
    )


def holding(side=Side.BUY, **config):
    """Return a strategy that is in the market, 50 units long or short."""
    cell = strategy_cell(allow_short=side is Side.SELL, **config)
    (intent,) = move(cell, 1, 9.0 * side.sign)
    assert (intent.side, intent.quantity) == (side, 50)
    filled(cell, intent)
    return cell


@pytest.mark.parametrize(
    ("bar_seconds", "scale"),
    [(1, 1.0), (5, 1.0), (20, 2.0), (500, 10.0), (86_400, (86_400 / 5) ** 0.5)],
)
def test_the_threshold_grows_with_the_square_root_of_the_bar(bar_seconds, scale):
    assert scaled_threshold_bps(1.5, bar_seconds, 5) == pytest.approx(1.5 * scale)


@pytest.mark.parametrize(
    ("momentum", "bar_seconds", "trades"),
    [(2.0, 5, False), (2.0001, 5, True), (4.0, 20, False), (4.0001, 20, True), (None, 5, False)],
)
def test_a_move_must_be_larger_than_the_threshold(momentum, bar_seconds, trades):
    assert bool(move(strategy_cell(), 1, momentum, bar_seconds=bar_seconds)) is trades


def test_a_move_up_buys_whole_lots_of_the_notional():
    (intent,) = move(strategy_cell(), 1, 9.0, close=99.0)
    assert (intent.side, intent.quantity) == (Side.BUY, Decimal(50))
    assert (intent.order_type, intent.limit_price) == (OrderType.MARKET, None)
    assert intent.reference_price == Decimal("99.00")
    assert (intent.policy_version, intent.ts_market) == (3, SECOND)
    assert intent.reasons == ["entry", "momentum_bps=9.00", "threshold_bps=2.00"]
    assert not intent.reduce_only


def test_ids_derive_from_the_features_they_answer():
    cause = features(1, 9.0)
    (intent,) = react(strategy_cell(), cause, SECOND)
    assert intent.message_id == intent.intent_id == caused_id(cause, OrderIntent, "threshold")
    assert intent.decision_id == cause.decision_id
    (again,) = react(strategy_cell(), cause, 99)
    assert again.intent_id == intent.intent_id
    (other,) = move(strategy_cell(), 2, 9.0)
    assert other.intent_id != intent.intent_id


def test_a_move_down_without_a_position_does_nothing_where_shorts_are_not_allowed():
    assert move(strategy_cell(), 1, -9.0) == []


def test_a_move_down_sells_the_position_and_no_more():
    (intent,) = move(holding(), 2, -9.0, close=50.0)
    assert (intent.side, intent.quantity, intent.reduce_only) == (Side.SELL, Decimal(50), True)
    assert intent.reasons[0] == "exit"


def test_a_short_is_opened_where_it_is_allowed():
    (intent,) = move(strategy_cell(allow_short=True), 1, -9.0)
    assert (intent.side, intent.quantity, intent.reduce_only) == (Side.SELL, Decimal(50), False)


def test_a_turn_from_long_to_short_is_one_order_that_is_not_reduce_only():
    cell = strategy_cell(allow_short=True)
    (intent,) = move(cell, 1, 9.0)
    filled(cell, intent)
    (turn,) = move(cell, 2, -9.0)
    assert (turn.side, turn.quantity, turn.reduce_only) == (Side.SELL, Decimal(100), False)


@pytest.mark.parametrize("side", list(Side))
def test_a_position_on_the_wanted_side_is_not_resized(side):
    assert move(holding(side), 2, 9.0 * side.sign, close=10.0) == []


@pytest.mark.parametrize("side", list(Side))
def test_a_price_above_the_notional_does_not_close_a_position_the_move_favours(side):
    cell, opposite = holding(side), Side.SELL if side is Side.BUY else Side.BUY
    assert move(cell, 2, 9.0 * side.sign, close=6_000.0) == []
    (leave,) = move(cell, 3, -9.0 * side.sign, close=6_000.0)
    assert (leave.side, leave.quantity, leave.reduce_only) == (opposite, 50, True)


@pytest.mark.parametrize(("age_seconds", "trades"), [(30, True), (31, False)])
def test_a_move_of_a_bar_that_was_missed_decides_nothing(age_seconds, trades):
    said = react(strategy_cell(), features(1, 9.0), (1 + age_seconds) * SECOND)
    assert bool(said) == trades


def test_less_than_one_lot_is_not_bought():
    assert move(strategy_cell(), 1, 9.0, close=5_000.01) == []
    assert move(strategy_cell(), 1, 9.0, close=5_000.0)[0].quantity == 1


@pytest.mark.parametrize("close", [0.0, -1.0])
def test_a_price_that_is_none_makes_no_intent(close):
    assert move(strategy_cell(allow_short=True), 1, 9.0, close=close) == []


def test_features_of_an_instrument_the_desk_does_not_trade_are_passed_over():
    assert move(strategy_cell(), 1, 9.0, instrument_id="TSLA") == []


def test_i9_without_a_policy_nothing_is_wanted():
    assert move(strategy_cell(None), 1, 9.0) == []


@pytest.mark.parametrize(
    "value", [None, float("nan"), float("inf"), float("-inf"), -1.0, 0.0], ids=str
)
def test_a_value_that_cannot_be_used_leaves_the_last_good_one_standing(value):
    cell = strategy_cell(5.0)
    react(cell, policy(4, value), 0)
    assert cell.state.threshold_bps == 5.0
    assert move(cell, 1, 5.0) == []
    (intent,) = move(cell, 2, 5.1)
    assert intent.policy_version == 4


def test_a_new_threshold_holds_from_the_next_bar():
    cell = strategy_cell(5.0)
    assert move(cell, 1, 3.0) == []
    react(cell, policy(4, 2.9), 0)
    assert len(move(cell, 2, 3.0)) == 1


def test_no_second_intent_goes_out_while_one_is_open():
    cell = strategy_cell()
    (intent,) = move(cell, 1, 9.0)
    assert move(cell, 2, 9.0) == []
    assert len(move(cell, 2, 9.0, instrument_id="GOOG")) == 1
    filled(cell, intent, leaves=20)
    assert move(cell, 3, -9.0) == []
    unknown = {**ids("unknown"), **order_ids(1), "intent_id": intent.intent_id, "ts_event": 0}
    react(cell, OrderUnknown(**unknown, reason="lost"), 0)
    assert move(cell, 4, -9.0) == []


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (OrderRefused, {"code": "expired", "detail": ""}),
        (OrderRejected, {"reason": ""}),
        (OrderCanceled, {"reason": "", "leaves_qty": Decimal(1)}),
        (OrderExpired, {"leaves_qty": Decimal(1)}),
    ],
)
def test_an_order_that_ended_makes_room_for_another(kind, more):
    cell = strategy_cell()
    (intent,) = move(cell, 1, 9.0)
    foreign = {**ids("end", 1), **order_ids(7), "ts_event": 0, **more}
    react(cell, kind(**foreign), 0)
    assert move(cell, 2, 9.0) == []
    own = {**ids("end", 2), **order_ids(1), "ts_event": 0, **more, "intent_id": intent.intent_id}
    react(cell, kind(**own), 0)
    assert len(move(cell, 3, 9.0)) == 1


def test_a_denial_makes_room_for_another():
    cell = strategy_cell()
    (intent,) = move(cell, 1, 9.0)
    denied = OrderDenied(
        **ids("denied"),
        ts_event=0,
        intent_id=intent.intent_id,
        account=intent.account,
        strategy=intent.strategy,
        instrument_id="SPY",
        side=intent.side,
        requested_quantity="50",
        failures=[ControlFailure(code="state.trading", observed="halted", limit="active")],
        policy_version=3,
        epoch=1,
    )
    react(cell, denied, 0)
    assert len(move(cell, 2, 9.0)) == 1


def test_a_reloaded_configuration_holds_from_the_next_bar_and_is_said():
    cell = strategy_cell()
    line = ConfigLine(key="strategy.position_notional", old="500", new="200")
    report = ConfigReloaded(
        config=StrategyConfig(position_notional=Decimal(200)), config_hash="h", changes=[line]
    )
    (changed,) = drive(cell.hear(report, 0), cell.service.perform)
    assert changed.changes == [line]
    assert move(cell, 1, 9.0)[0].quantity == 2


DESK_FILE = """
[desk]
name = "d"
account = "a"
venue = "paper"
cadence_seconds = 5
equity_usd = 1
instruments = [{ instrument_id = "SPY", venue = "paper" }]

[strategy]
"""


def test_a_desk_file_is_reloaded_whole_or_not_at_all(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(DESK_FILE + "position_notional = 750.5")
    reload = reloader(StrategyConfig())
    assert reload(load_desk_file(path, {})).config.position_notional == Decimal("750.5")
    assert reload(load_desk_file(path, {})) is None
    path.write_text(DESK_FILE + "position_size = 750")
    with pytest.raises(ConfigError, match="position_size"):
        reload(load_desk_file(path, {}))


@pytest.mark.parametrize("notional", ["0", "-1", "NaN", "Infinity"])
def test_a_position_without_a_size_is_no_configuration(notional):
    with pytest.raises(msgspec.ValidationError, match="position_notional"):
        msgspec.convert({"position_notional": notional}, StrategyConfig, strict=False)


def test_the_intent_that_was_open_before_a_restart_is_still_open():
    first = strategy_cell()
    (intent,) = move(first, 1, 9.0)
    again = strategy_cell()
    again.recover(intent, own=True)
    assert move(again, 2, 9.0) == []
    assert move(again, 1, 9.0) == []


def test_other_messages_are_passed_over():
    assert react(strategy_cell(), bar(1, 100.0), SECOND) == []
