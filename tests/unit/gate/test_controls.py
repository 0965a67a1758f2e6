"""Every control of the gate at its edge, by code; what is missing denies."""

from decimal import Decimal

import pytest
from interlock.gate.app import build
from interlock.gate.checks import CONTROLS
from interlock.gate.config import GateConfig, InstrumentLimits
from interlock.gate.core import ready
from interlock.gate.rules_store import GateRules
from interlock.model.instrument import Instrument
from interlock.model.values import OrderType, Side, TradingState
from interlock.runtime.config import ConfigError
from interlock.runtime.errors import UnavailableError
from interlock.runtime.signing import throwaway_signer
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.testkit.cells import cell_of, react
from interlock.testkit.decisions import (
    INSTRUMENTS,
    approved,
    desk,
    policy,
    quote,
    reconciled,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import DESK, SECOND, bar, fill, ids, order_ids
from interlock.testkit.rules import reader, store_of
from interlock.wire.base import root_ids
from interlock.wire.market import FeedCondition, FeedStatusChanged
from interlock.wire.orders import (
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderRefused,
    OrderRejected,
    OrderUnknown,
    SubmitOrder,
)
from msgspec.structs import replace

NOW = 100
SIGNER = throwaway_signer()
LIMITS = {
    "max_order_quantity": Decimal(50),
    "max_order_notional": Decimal(4_000),
    "max_position_notional": Decimal(6_000),
}
WHOLE = {
    "max_gross_notional": Decimal(8_000),
    "collar_bps": Decimal(50),
    "max_reference_age_seconds": 10,
    "max_intent_age_seconds": 10,
}


class AwayStore(MemoryRulesStore):
    """A policy store that does not answer."""

    async def read(self, desk, *_, **__):
        raise UnavailableError(f"no answer about {desk}")


def rules_of(store):
    return GateRules(desk=DESK, store=store, reader=reader())


def gate_cell(*, store=None, default=None, heard=True, **changes):
    """Return a gate that approves ten SPY at 100: active, reconciled, every limit configured."""
    config = GateConfig(
        default_limits=InstrumentLimits(**(LIMITS if default is None else default)),
        **(WHOLE | changes),
    )
    rules = rules_of(store or store_of(policy(3), trading()))
    cell = cell_of(build(desk(), config, "c0ffee", rules, SIGNER))
    if heard:
        for message in (trading(), reconciled(), policy(3), priced(), priced("GOOG")):
            react(cell, message, 0)
    return cell


def priced(name="SPY", close=100.0, at=NOW):
    return bar(at, close, name)


def ask(cell, intent, now=NOW):
    """Return the one answer to an intent."""
    (answer,) = react(cell, intent, round(now * SECOND))
    return answer


def codes(cell, intent=None, now=NOW):
    """Return the codes of the denial, none for an approval."""
    answer = ask(cell, intent or wanted(NOW), now)
    if isinstance(answer, SubmitOrder):
        return []
    assert isinstance(answer, OrderDenied)
    assert all(failure.observed and failure.limit for failure in answer.failures)
    return [failure.code for failure in answer.failures]


def limit_order(price, **more):
    value = price if isinstance(price, Decimal | None) else Decimal(price)
    return wanted(NOW, order_type=OrderType.LIMIT, limit_price=value, **more)


def held(cell, quantity, name="SPY", n=1):
    side = Side.BUY if quantity > 0 else Side.SELL
    react(cell, fill(n, side, abs(quantity), instrument_id=name), 0)
    return cell


def working(cell, n, quantity, side=Side.BUY, name="SPY"):
    order = approved(n, quantity=Decimal(quantity), side=side, instrument_id=name)
    cell.recover(order, own=True)
    return order


def test_what_is_asked_for_here_is_approved_by_default():
    assert codes(gate_cell()) == []


def test_every_control_has_a_test_and_its_own_code():
    named = [control.code for control in CONTROLS]
    assert len(set(named)) == len(named) == 22
    text = __loader__.get_data(__file__).decode()
    assert [code for code in named if f'"{code}"' not in text] == []


def feed_status(condition: str) -> FeedStatusChanged:
    message_id, decision_id = root_ids(FeedStatusChanged, condition)
    return FeedStatusChanged(
        message_id=message_id, decision_id=decision_id, ts_event=0, desk="d",
        instrument_id="SPY", condition=FeedCondition(condition), detail="", dropped=False,
    )  # fmt: skip


# The state of the desk.


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCE_ONLY])
def test_a_desk_that_is_not_active_takes_no_risk(state):
    cell = gate_cell()
    react(cell, trading(state, 2), 0)
    assert codes(cell) == ["state.trading"]


def test_reduce_only_lets_reducing_orders_through():
    cell = held(gate_cell(), 10)
    react(cell, trading(TradingState.REDUCE_ONLY, 2), 0)
    assert codes(cell, wanted(NOW, side=Side.SELL, reduce_only=True)) == []


def test_i7_a_halted_gate_approves_only_what_reduces():
    cell = held(gate_cell(), 10)
    react(cell, trading(TradingState.HALTED, 2), 0)
    assert codes(cell) == ["state.trading"]
    too_much = wanted(NOW, message_id="1", side=Side.SELL, quantity=Decimal(11), reduce_only=True)
    assert codes(cell, too_much) == ["permission.short", "position.reduce_only"]
    assert codes(cell, wanted(NOW, message_id="2", side=Side.SELL, reduce_only=True)) == []


def test_i9_a_gate_without_limits_prices_or_policy_still_lets_a_position_be_closed():
    cell = cell_of(
        build(desk(), GateConfig(max_intent_age_seconds=10), "", rules_of(AwayStore()), SIGNER)
    )
    held(cell, 10)
    assert codes(cell, wanted(NOW, side=Side.SELL, reduce_only=True)) == []


@pytest.mark.parametrize("condition", ["stale", "gap", "jump", "crossed"])
def test_a_price_that_the_feed_doubts_is_no_reference_until_the_feed_is_well(condition):
    cell = gate_cell()
    react(cell, feed_status(condition), 0)
    assert codes(cell) == ["price.quality"]
    react(cell, feed_status("ok"), 0)
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


def test_i14_an_older_epoch_does_not_lift_a_halt():
    cell = gate_cell()
    react(cell, trading(TradingState.HALTED, 5), 0)
    react(cell, trading(TradingState.ACTIVE, 4), 0)
    assert codes(cell) == ["state.trading"]
    react(cell, trading(TradingState.ACTIVE, 6), 0)
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


@pytest.mark.parametrize("breaks", [None, ["position SPY: ours 1, theirs 2"]])
def test_i13_until_reconciled_without_a_break_nothing_is_approved(breaks):
    cell = gate_cell(heard=False)
    for message in (trading(), policy(3), priced()):
        react(cell, message, 0)
    if breaks is not None:
        react(cell, reconciled(breaks), 0)
    assert codes(cell) == ["state.reconciled"]
    react(cell, reconciled(), 0)
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


def test_i9_a_policy_store_that_is_away_denies_new_risk_and_lets_reducing_orders_out():
    cell = held(gate_cell(store=AwayStore()), 10)
    answer = ask(cell, wanted(NOW))
    assert [(one.code, one.observed) for one in answer.failures] == [
        ("state.policy_store", "no answer about params")
    ]
    assert codes(cell, wanted(99, side=Side.SELL, reduce_only=True)) == []


@pytest.mark.parametrize("stored", [None, 2, 4])
def test_i6_a_store_with_another_version_denies(stored):
    standing = [] if stored is None else [policy(stored)]
    cell = gate_cell(store=store_of(*standing, trading()))
    assert codes(cell) == ["state.policy_store"]


@pytest.mark.parametrize("version", [0, 2, 4])
def test_i6_an_intent_decided_under_another_policy_is_denied(version):
    assert codes(gate_cell(), wanted(NOW, policy_version=version)) == ["version.policy"]


# Who and what.


@pytest.mark.parametrize("other", [{"account": "live-1"}, {"venue": "alpaca"}, {"desk": "crypto"}])
def test_another_account_venue_or_desk_is_denied(other):
    # The store is asked about the desk that the intent names.
    found = codes(gate_cell(), wanted(NOW, **other))
    assert [code for code in found if code != "state.policy_store"] == ["permission.account"]


def test_an_instrument_the_desk_does_not_trade_is_denied():
    found = codes(gate_cell(), wanted(NOW, instrument_id="TSLA"))
    assert found[0] == "permission.instrument"
    assert "price.reference" in found


@pytest.mark.parametrize(("quantity", "found"), [(10, []), (11, ["permission.short"])])
def test_selling_more_than_is_held_is_a_short(quantity, found):
    cell = held(gate_cell(), 10)
    assert codes(cell, wanted(NOW, side=Side.SELL, quantity=Decimal(quantity))) == found


def test_working_sales_count_towards_a_short_and_working_purchases_do_not():
    cell = held(gate_cell(), 10)
    working(cell, 1, 4, Side.SELL)
    working(cell, 2, 40, Side.BUY)
    assert codes(cell, wanted(NOW, side=Side.SELL, quantity=Decimal(6))) == []
    assert codes(cell, wanted(99, side=Side.SELL, quantity=Decimal(1))) == ["permission.short"]


def test_a_desk_that_may_short_may():
    assert codes(gate_cell(allow_short=True), wanted(NOW, side=Side.SELL)) == []


# Sizes.

NO_AMOUNTS = ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "-1", "0", "-0", "9E+999", "1E-999"]


@pytest.mark.parametrize("quantity", NO_AMOUNTS)
def test_a_quantity_must_be_a_finite_number_above_zero(quantity):
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal(quantity))) == ["size.number"]


@pytest.mark.parametrize(
    "quantity", ["0.5", "1.5", "10.0000000000000000000000000000000000001", "1E-18"]
)
def test_a_quantity_must_be_whole_lots(quantity):
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal(quantity))) == ["size.lot"]


def test_a_lot_may_be_written_in_another_way():
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal("1E+1"))) == []
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal("10.00"))) == []


@pytest.mark.parametrize(("quantity", "found"), [(50, []), (51, ["size.quantity"])])
def test_an_order_has_a_largest_quantity(quantity, found):
    cell = gate_cell()
    react(cell, priced(close=1.0), 0)
    intent = wanted(NOW, quantity=Decimal(quantity), reference_price=Decimal(1))
    assert codes(cell, intent) == found


@pytest.mark.parametrize(("quantity", "found"), [(40, []), (41, ["size.notional"])])
def test_an_order_has_a_largest_notional(quantity, found):
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal(quantity))) == found


def test_a_quantity_too_large_to_compute_with_is_denied_and_not_a_crash():
    found = codes(gate_cell(), wanted(NOW, quantity=Decimal("1E+18")))
    assert {"size.quantity", "size.notional", "position.notional"} <= set(found)
    tiny = Instrument(instrument_id="SPY", venue="paper", lot=Decimal("1E-12"))
    cell = gate_cell()
    cell.state.instruments["SPY"] = tiny
    assert "size.lot" in codes(cell, wanted(99, quantity=Decimal("1E+18")))


# Prices.


@pytest.mark.parametrize("price", [*NO_AMOUNTS, None])
def test_a_limit_order_has_a_price_above_zero(price):
    found = codes(gate_cell(), limit_order(price))
    assert found[0] == "price.number"


def test_a_market_order_has_no_price():
    assert codes(gate_cell(), wanted(NOW, limit_price=Decimal(100))) == ["price.number"]


@pytest.mark.parametrize(
    ("price", "found"), [("100.01", []), ("100.011", ["price.tick"]), ("100.0100", [])]
)
def test_a_price_is_on_the_grid(price, found):
    assert codes(gate_cell(), limit_order(price)) == found


@pytest.mark.parametrize(
    ("price", "found"),
    [
        ("100.50", []),
        ("99.50", []),
        ("100.51", ["price.collar"]),
        ("99.49", ["price.collar"]),
        ("1000000000000000000", ["price.collar"]),
        ("0.01", ["price.collar"]),
    ],
)
def test_the_limit_price_stays_in_the_collar(price, found):
    assert codes(gate_cell(), limit_order(price)) == found


@pytest.mark.parametrize(
    ("price", "found"),
    [("100.5", []), ("100.50001", ["price.collar"])]
    + [(bad, ["price.collar"]) for bad in NO_AMOUNTS],
)
def test_the_price_the_strategy_saw_stays_in_the_collar(price, found):
    assert codes(gate_cell(), wanted(NOW, reference_price=Decimal(price))) == found


@pytest.mark.parametrize("close", [0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e300])
def test_i9_a_market_price_that_is_none_denies_at_once(close):
    cell = gate_cell()
    react(cell, priced(close=close, at=NOW + 1), 0)
    assert codes(cell, now=NOW + 1) == ["price.reference"]
    react(cell, priced(close=100.0, at=NOW + 2), 0)
    assert codes(cell, wanted(99, ts_market=NOW * SECOND), NOW + 2) == []


def test_i9_no_market_price_denies():
    cell = gate_cell(heard=False)
    for message in (trading(), reconciled(), policy(3)):
        react(cell, message, 0)
    assert codes(cell) == ["price.reference"]


@pytest.mark.parametrize(
    ("bid", "ask_price", "found"),
    [
        (99.9, 100.1, []),
        (100.0, 100.0, []),
        (100.1, 99.9, ["price.reference"]),
        (0.0, 200.0, ["price.reference"]),
        (float("nan"), 100.0, ["price.reference"]),
    ],
)
def test_the_middle_of_a_quote_is_the_price_unless_it_is_crossed(bid, ask_price, found):
    cell = gate_cell()
    react(cell, quote(NOW, bid, ask_price), 0)
    assert codes(cell) == found


@pytest.mark.parametrize(
    ("age", "found"), [(0, []), (10, []), (10.000001, ["price.stale"]), (-0.001, ["price.stale"])]
)
def test_the_market_price_is_at_most_ten_seconds_old_and_not_from_the_future(age, found):
    now = NOW + age
    assert codes(gate_cell(), wanted(NOW, ts_market=round(now * SECOND)), now) == found


def test_an_older_bar_does_not_replace_a_newer_price():
    cell = gate_cell()
    react(cell, priced(close=1.0, at=NOW - 1), 0)
    assert codes(cell) == []


@pytest.mark.parametrize(
    ("age", "found"), [(0, []), (10, []), (10.000001, ["age.intent"]), (-0.001, ["age.intent"])]
)
def test_an_intent_is_at_most_ten_seconds_old_and_not_from_the_future(age, found):
    intent = wanted(NOW, ts_market=NOW * SECOND - round(age * SECOND))
    assert codes(gate_cell(), intent) == found


# Positions.


@pytest.mark.parametrize(("quantity", "found"), [(20, []), (21, ["position.notional"])])
@pytest.mark.parametrize("side", list(Side))
def test_position_working_and_this_order_stay_below_the_limit_on_their_side(side, quantity, found):
    cell = held(gate_cell(allow_short=True), 30 * side.sign)
    working(cell, 1, 10, side)
    other = Side.SELL if side is Side.BUY else Side.BUY
    working(cell, 2, 30, other)
    assert codes(cell, wanted(NOW, side=side, quantity=Decimal(quantity))) == found


def test_i4_split_orders_below_the_cap_are_caught_in_their_sum():
    cell = gate_cell()
    found = [codes(cell, wanted(NOW - n, ts_market=NOW * SECOND)) for n in range(7)]
    assert found == [[]] * 6 + [["position.notional"]]


@pytest.mark.parametrize("name", ["GOOG", "GOOGL", "GOOG.O"])
def test_i4_an_alias_does_not_split_a_limit(name):
    cell = gate_cell()
    for n, alias in enumerate(["GOOG", "GOOGL", "GOOG.O"]):
        order = ask(
            cell, wanted(n, instrument_id=alias, quantity=Decimal(20), ts_market=NOW * SECOND)
        )
        assert order.instrument_id == "GOOG"
    assert codes(cell, wanted(NOW, instrument_id=name)) == ["position.notional"]


def test_i4_an_alias_has_the_limits_of_its_instrument():
    cell = gate_cell(default={}, limits={"GOOG": InstrumentLimits(**LIMITS)})
    assert codes(cell, wanted(NOW, instrument_id="GOOGL")) == []


@pytest.mark.parametrize(("quantity", "found"), [(10, []), (11, ["position.gross"])])
def test_gross_adds_long_and_short_of_all_instruments(quantity, found):
    cell = held(gate_cell(allow_short=True), -40, "GOOG")
    working(cell, 5, 10, Side.SELL, "GOOG")
    held(cell, 15, n=2)
    working(cell, 6, 5, Side.BUY)
    assert codes(cell, wanted(NOW, quantity=Decimal(quantity))) == found


@pytest.mark.parametrize("close", [None, float("nan"), 0.0])
def test_i9_exposure_that_has_no_price_is_not_counted_as_nothing(close):
    cell = gate_cell(heard=False)
    for message in (trading(), reconciled(), policy(3), priced()):
        react(cell, message, 0)
    held(cell, 10, "GOOG")
    if close is not None:
        react(cell, priced("GOOG", close), 0)
    assert codes(cell) == ["position.gross"]
    held(cell, -10, "GOOG", n=2)
    assert codes(cell, wanted(99, ts_market=NOW * SECOND)) == []


@pytest.mark.parametrize(
    ("holding", "side", "quantity", "found"),
    [
        (10, Side.SELL, 10, []),
        (10, Side.SELL, 11, ["permission.short", "position.reduce_only"]),
        (-10, Side.BUY, 10, []),
        (-10, Side.BUY, 11, ["position.reduce_only"]),
        (10, Side.BUY, 1, ["position.reduce_only"]),
        (0, Side.BUY, 1, ["position.reduce_only"]),
    ],
)
def test_a_reduce_only_order_cannot_do_more_than_close(holding, side, quantity, found):
    cell = held(gate_cell(), holding) if holding else gate_cell()
    intent = wanted(NOW, side=side, quantity=Decimal(quantity), reduce_only=True)
    assert codes(cell, intent) == found


def test_i4_two_reduce_only_orders_do_not_close_one_position_twice():
    cell = held(gate_cell(allow_short=True), 10)
    for n, found in ((1, []), (2, ["position.reduce_only"])):
        intent = wanted(n, side=Side.SELL, reduce_only=True, ts_market=NOW * SECOND)
        assert codes(cell, intent) == found


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (OrderRefused, {"code": "expired", "detail": ""}),
        (OrderRejected, {"reason": ""}),
        (OrderCanceled, {"reason": "", "leaves_qty": Decimal(40)}),
        (OrderExpired, {"leaves_qty": Decimal(40)}),
    ],
)
def test_an_order_that_ended_no_longer_counts(kind, more):
    cell = gate_cell()
    order = working(cell, 1, 40)
    assert codes(cell, wanted(2, quantity=Decimal(30), ts_market=NOW * SECOND)) == [
        "position.notional"
    ]
    names = {**order_ids(1), "client_order_id": order.client_order_id}
    react(cell, kind(**ids("end"), **names, ts_event=0, **more), 0)
    assert codes(cell, wanted(3, quantity=Decimal(30), ts_market=NOW * SECOND)) == []


def test_i12_an_unknown_order_still_counts():
    cell = gate_cell()
    order = working(cell, 1, 40)
    names = {**order_ids(1), "client_order_id": order.client_order_id}
    react(cell, OrderUnknown(**ids("lost"), **names, ts_event=0, reason="no answer"), 0)
    assert codes(cell, wanted(NOW, quantity=Decimal(30))) == ["position.notional"]


def test_i11_a_fill_heard_twice_counts_once():
    cell = gate_cell()
    order = working(cell, 1, 10)
    news = fill(1, client_order_id=order.client_order_id, leaves_qty=Decimal(0))
    react(cell, news, 0)
    react(cell, replace(news, message_id="again"), 0)
    assert cell.state.positions == {"SPY": 10}
    assert cell.state.working == {}


# What is missing.


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max_order_quantity", "size.quantity"),
        ("max_order_notional", "size.notional"),
        ("max_position_notional", "position.notional"),
    ],
)
def test_i9_a_limit_of_an_instrument_that_is_not_set_denies(name, code):
    cell = gate_cell(default={key: value for key, value in LIMITS.items() if key != name})
    assert codes(cell) == [code]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max_gross_notional", "position.gross"),
        ("collar_bps", "price.collar"),
        ("max_reference_age_seconds", "price.stale"),
        ("max_intent_age_seconds", "age.intent"),
    ],
)
def test_i9_a_limit_of_the_desk_that_is_not_set_denies(name, code):
    assert codes(gate_cell(**{name: None})) == [code]


def test_i9_limits_of_an_instrument_replace_the_default_and_inherit_nothing():
    only = InstrumentLimits(max_order_quantity=Decimal(5))
    cell = gate_cell(limits={"SPY": only})
    assert codes(cell) == ["size.quantity", "size.notional", "position.notional"]


def test_i9_a_gate_that_knows_nothing_denies_with_everything_it_misses():
    cell = cell_of(build(desk(), GateConfig(), "", rules_of(AwayStore()), SIGNER))
    assert codes(cell) == [
        "state.trading",
        "state.reconciled",
        "state.policy_store",
        "version.policy",
        "size.quantity",
        "size.notional",
        "price.reference",
        "price.stale",
        "price.collar",
        "position.notional",
        "position.gross",
        "age.intent",
    ]


def test_all_that_is_wrong_is_listed_together():
    intent = wanted(
        NOW,
        account="other",
        side=Side.SELL,
        quantity=Decimal("60.5"),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("102.001"),
        policy_version=9,
        ts_market=0,
    )
    assert codes(gate_cell(), intent) == [
        "version.policy",
        "permission.account",
        "permission.short",
        "size.lot",
        "size.quantity",
        "size.notional",
        "price.tick",
        "price.collar",
        "position.notional",
        "age.intent",
    ]


@pytest.mark.parametrize("name", ["GOOGL", "TSLA", "goog"])
def test_limits_for_a_name_that_is_no_instruments_own_do_not_start(name):
    with pytest.raises(ConfigError, match=name):
        gate_cell(limits={name: InstrumentLimits(**LIMITS)})


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("name", [*LIMITS, "max_gross_notional", "collar_bps"])
def test_a_limit_that_is_no_amount_does_not_start(name, value):
    kind = InstrumentLimits if name in LIMITS else GateConfig
    with pytest.raises(ValueError, match=name):
        kind(**{name: Decimal(value)})


# One approval per intent.


def test_i1_an_intent_delivered_again_is_answered_once():
    cell = gate_cell()
    intent = wanted(NOW)
    assert isinstance(ask(cell, intent), SubmitOrder)
    assert react(cell, intent, NOW * SECOND) == []


def test_i1_another_message_with_the_id_of_an_approved_intent_is_denied():
    cell = gate_cell()
    ask(cell, wanted(NOW))
    assert codes(cell, wanted(NOW, message_id="another")) == ["duplicate.intent"]


def test_i1_an_approval_is_remembered_over_a_restart():
    order = ask(gate_cell(), wanted(NOW))
    again = gate_cell()
    again.recover(order, own=True)
    assert react(again, wanted(NOW), NOW * SECOND) == []
    assert codes(again, wanted(NOW, message_id="another")) == ["duplicate.intent"]


def test_i17_a_denial_delivered_again_after_a_restart_does_not_become_an_approval():
    halted = gate_cell()
    react(halted, trading(TradingState.HALTED, 2), 0)
    denial = ask(halted, wanted(NOW))
    again = gate_cell()
    again.recover(denial, own=True)
    assert react(again, wanted(NOW), NOW * SECOND) == []
    assert again.state.working == {}


def test_a_denied_intent_may_be_asked_again_under_a_message_of_its_own():
    cell = gate_cell()
    react(cell, trading(TradingState.HALTED, 2), 0)
    assert codes(cell) == ["state.trading"]
    react(cell, trading(TradingState.ACTIVE, 3), 0)
    assert codes(cell, wanted(NOW, message_id="again")) == []


# Before it is judged.


def test_an_intent_waits_for_the_market_and_the_policy_it_was_decided_on():
    cell = gate_cell()
    assert ready(cell.state, wanted(NOW))
    assert not ready(cell.state, wanted(NOW + 1))
    assert not ready(cell.state, wanted(NOW, policy_version=4))
    assert ready(cell.state, wanted(NOW, instrument_id="TSLA"))
    assert ready(cell.state, priced())
    assert not ready(gate_cell(heard=False).state, wanted(NOW))
    assert [one.instrument_id for one in INSTRUMENTS] == ["SPY", "GOOG"]
