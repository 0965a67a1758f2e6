"""Entries that wait for people: what waits, what never does, what goes out, and what lapses."""

from decimal import Decimal

import msgspec
import pytest
from interlock.model.values import Side, TradingState
from interlock.strategy.app import build
from interlock.strategy.config import Approval, StrategyConfig
from interlock.strategy.state import ConfigReloaded
from interlock.testkit.approvals import asked
from interlock.testkit.cells import cell_of, drive, react
from interlock.testkit.decisions import account, desk, features, policy, trading
from interlock.testkit.desk_messages import SECOND, fill, ids
from interlock.wire.approvals import (
    ApprovalCode,
    ApprovalDecided,
    ApprovalLapsed,
    ApprovalRequested,
    LapseCode,
)
from interlock.wire.base import caused_id
from interlock.wire.orders import OrderIntent
from interlock.wire.system import AlertRaised
from msgspec.structs import replace

WINDOW = 300


def asking_cell(active=True, **config):
    """Return a strategy of a desk at work whose entries wait for one person."""
    cell = cell_of(build(desk(), StrategyConfig(**{"approval": Approval.ENTRIES} | config)))
    react(cell, policy(3, 2.0), 0)
    if active:
        react(cell, trading(), 0)
    return cell


def move(cell, n, momentum_bps, **more):
    return react(cell, features(n, momentum_bps, **more), n * SECOND)


def waiting(**config):
    """Return a strategy that has asked for 50 SPY at 100, one second in, and its request."""
    cell = asking_cell(**config)
    (request,) = move(cell, 1, 9.0)
    assert isinstance(request, ApprovalRequested)
    return cell, request


def decided(request, code=ApprovalCode.APPROVED, n=2, by=("ann",)):
    return ApprovalDecided(
        **ids("decided", request.request_id),
        ts_event=n * SECOND,
        request_id=request.request_id,
        approved=code is ApprovalCode.APPROVED,
        code=code,
        by=list(by),
        reason="",
    )


def approve(cell, request, n=2, **more):
    return react(cell, decided(request, n=n, **more), n * SECOND)


def holding(cell, side=Side.BUY, quantity=50):
    react(cell, fill(1, side, quantity, intent_id="before"), 0)
    return cell


def lapse_of(said):
    lapsed, alert = said
    assert isinstance(lapsed, ApprovalLapsed)
    assert isinstance(alert, AlertRaised)
    assert (alert.code, lapsed.reason in alert.text) == ("approval.lapsed", True)
    return lapsed.code


# What waits.


def test_an_entry_is_asked_for_and_not_said():
    cell, request = waiting(approvers=2, approval_max_move_bps=20.0)
    cause = features(1, 9.0)
    assert request.intent.intent_id == caused_id(cause, OrderIntent, "threshold")
    assert (request.request_id, request.decision_id) == (request.message_id, cause.decision_id)
    assert (request.intent.side, request.intent.quantity) == (Side.BUY, 50)
    assert (request.notional, request.held, request.needed) == (5_000, 0, 2)
    assert (request.expires_at, request.max_move_bps) == ((1 + WINDOW) * SECOND, 20.0)
    assert cell.state.asking == {}


def test_while_one_stands_there_is_no_second_for_the_instrument():
    cell, request = waiting()
    assert move(cell, 2, 9.0) == []
    (other,) = move(cell, 2, 9.0, instrument_id="GOOG")
    assert other.request_id != request.request_id


def test_without_the_setting_nothing_is_asked():
    cell = asking_cell(approval=Approval.NONE)
    (intent,) = move(cell, 1, 9.0)
    assert isinstance(intent, OrderIntent)


@pytest.mark.parametrize(
    "state", [None, TradingState.HALTED, TradingState.REDUCE_ONLY, TradingState.ACTIVE]
)
def test_i9_nobody_is_asked_by_a_desk_that_does_not_enter(state):
    cell = asking_cell(active=False)
    if state is not None:
        react(cell, trading(state), 0)
    assert bool(move(cell, 1, 9.0)) is (state is TradingState.ACTIVE)


def test_i14_an_older_standing_does_not_let_it_ask():
    cell = asking_cell()
    react(cell, trading(TradingState.HALTED, 3), 0)
    react(cell, trading(TradingState.ACTIVE, 2), 0)
    assert move(cell, 1, 9.0) == []


# What never waits.


def test_an_exit_goes_out_at_once():
    (intent,) = move(holding(asking_cell()), 2, -9.0)
    assert (intent.side, intent.quantity, intent.reduce_only) == (Side.SELL, 50, True)


def test_an_exit_goes_out_while_a_request_stands():
    cell, _ = waiting()
    (intent,) = move(holding(cell), 2, -9.0)
    assert (intent.side, intent.reduce_only) == (Side.SELL, True)


def test_of_a_turn_the_exit_goes_at_once_and_the_entry_is_asked_for_afterwards():
    cell = holding(asking_cell(allow_short=True))
    (leave,) = move(cell, 2, -9.0)
    assert (leave.side, leave.quantity, leave.reduce_only) == (Side.SELL, 50, True)
    assert (leave.reasons[0], "entry" in leave.reasons) == ("exit", False)
    react(cell, fill(2, Side.SELL, 50, intent_id=leave.intent_id), 0)
    (request,) = move(cell, 3, -9.0)
    assert isinstance(request, ApprovalRequested)
    assert (request.intent.side, request.intent.quantity, request.held) == (Side.SELL, 50, 0)


def test_flattening_asks_nobody():
    cell = holding(asking_cell())
    halt = replace(trading(TradingState.HALTED, 2), flatten=True)
    (intent,) = react(cell, halt, 0)
    assert (intent.reduce_only, intent.reasons[0]) == (True, "flatten")


# What goes out.


def test_what_was_approved_goes_out_with_the_market_and_the_policy_of_now():
    cell, request = waiting()
    assert move(cell, 2, 9.0, close=100.2) == []
    react(cell, policy(4, 2.5), 2 * SECOND)
    (intent,) = approve(cell, request, 3, by=("Ann", "Bob"))
    assert intent.intent_id == intent.message_id == request.intent.intent_id
    assert intent.decision_id == request.decision_id
    assert (intent.ts_event, intent.ts_market) == (3 * SECOND, 2 * SECOND)
    assert (intent.reference_price, intent.policy_version) == (Decimal("100.20"), 4)
    assert (intent.quantity, intent.side) == (request.intent.quantity, request.intent.side)
    assert intent.reasons == [*request.intent.reasons, "approved by Ann and Bob"]
    assert cell.state.waiting.asked == cell.state.waiting.granted == {}
    assert cell.state.asking == {"SPY": intent.intent_id}


def test_an_old_price_is_not_sent_with_and_the_next_one_is():
    cell, request = waiting()
    assert approve(cell, request, 7) == []
    assert move(cell, 8, 9.0, instrument_id="GOOG")
    (intent,) = move(cell, 61, 9.0)
    assert (intent.ts_event, intent.ts_market) == (61 * SECOND, 61 * SECOND)
    assert approve(cell, request, 62) == []


def test_a_bar_that_was_missed_is_no_fresh_price():
    cell, request = waiting()
    approve(cell, request, 7)
    assert react(cell, features(30, 9.0), 61 * SECOND) == []
    assert len(react(cell, features(60, 9.0), 62 * SECOND)) == 1


def test_an_approval_that_is_heard_twice_makes_one_order():
    cell, request = waiting()
    assert len(approve(cell, request)) == 1
    assert approve(cell, request) == []
    again, same = waiting()
    again.recover(sent(same), own=True)
    assert approve(again, same) == []


def sent(request):
    return replace(request.intent, ts_event=2 * SECOND)


def test_a_restart_keeps_what_was_asked_and_what_was_granted():
    cell, request = waiting()
    approve(cell, request, 7)
    again = asking_cell()
    again.recover(features(1, 9.0), own=False)
    again.recover(request, own=True)
    assert move(again, 2, 9.0) == []
    again.recover(decided(request, n=7), own=False)
    assert again.state.waiting == cell.state.waiting
    assert len(move(again, 9, 9.0)) == 1


def test_another_askers_request_is_not_ours():
    cell = asking_cell()
    assert approve(cell, asked(1)) == []


# What ends.


@pytest.mark.parametrize(
    ("code", "asks_again"),
    [
        (ApprovalCode.REJECTED, False),
        (ApprovalCode.EXPIRED, True),
        (ApprovalCode.HALTED, True),
    ],
)
def test_what_was_not_approved_is_not_said(code, asks_again):
    cell, request = waiting()
    assert react(cell, decided(request, code), 2 * SECOND) == []
    assert bool(move(cell, 3, 9.0)) is asks_again


def test_a_no_holds_as_long_as_the_question_would_have_stood():
    cell, request = waiting()
    react(cell, decided(request, ApprovalCode.REJECTED, n=10), 10 * SECOND)
    assert move(cell, 9 + WINDOW, 9.0) == []
    assert len(move(cell, 10 + WINDOW, 9.0)) == 1


@pytest.mark.parametrize(
    ("close", "lapses"),
    [(100.50, False), (100.51, True), (99.50, False), (99.49, True)],
)
def test_a_price_that_moved_too_far_lapses_either_way(close, lapses):
    cell, request = waiting()
    move(cell, 2, 0.0, close=close)
    said = approve(cell, request)
    if lapses:
        assert lapse_of(said) is LapseCode.PRICE
    else:
        assert isinstance(said[0], OrderIntent)
    assert cell.state.waiting.asked == {}


def stopped(cell):
    react(cell, trading(TradingState.REDUCE_ONLY, 2), 0)


def bought(cell):
    react(cell, fill(2, Side.BUY, 1, intent_id="another"), 0)


def under_way(cell):
    cell.recover(replace(sent(asked(1)), intent_id="another"), own=True)


def held_too_much(cell):
    config = replace(cell.state.config, max_exposure_pct=Decimal(1))
    report = ConfigReloaded(config=config, config_hash="h", changes=[])
    drive(cell.hear(report, 0), cell.service.perform)
    react(cell, account(1), SECOND)
    react(cell, fill(3, Side.BUY, 50, intent_id="another", instrument_id="GOOG"), 0)
    move(cell, 1, 0.0, instrument_id="GOOG")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (held_too_much, LapseCode.EXPOSURE),
        (stopped, LapseCode.HALTED),
        (bought, LapseCode.POSITION),
        (under_way, LapseCode.POSITION),
    ],
)
def test_what_no_longer_is_what_was_approved_lapses(event, code):
    cell, request = waiting()
    event(cell)
    assert lapse_of(approve(cell, request)) is code
    assert approve(cell, request, 3) == []


def test_an_approved_entry_lapses_when_no_fresh_price_comes():
    cell, request = waiting()
    assert approve(cell, request, 7) == []
    assert lapse_of(move(cell, 8 + WINDOW, 0.0, instrument_id="GOOG")) is LapseCode.LATE


def test_an_approved_entry_lapses_with_the_exit_that_comes_with_it():
    cell = holding(asking_cell(), quantity=10)
    request = asked(1, intent=sent(asked(1)), held=Decimal(10))
    cell.recover(request, own=True)
    approve(cell, request, 7)
    leave, *lapse = move(cell, 8, -9.0)
    assert (leave.reduce_only, lapse_of(lapse)) == (True, LapseCode.POSITION)


def test_an_instrument_that_is_gone_after_a_restart_lapses():
    cell = asking_cell()
    gone = replace(asked(1).intent, instrument_id="GONE")
    request = asked(1, intent=gone)
    cell.recover(request, own=True)
    assert lapse_of(approve(cell, request)) is LapseCode.INSTRUMENT


def test_switched_off_while_one_stands_it_still_makes_one_order_of_it():
    cell, request = waiting()
    off = ConfigReloaded(config=StrategyConfig(), config_hash="h", changes=[])
    drive(cell.hear(off, 0), cell.service.perform)
    assert move(cell, 2, 9.0) == []
    assert isinstance(move(cell, 2, 9.0, instrument_id="GOOG")[0], OrderIntent)
    assert len(approve(cell, request)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"approval": "some"},
        {"approval_seconds": 0},
        {"approvers": 0},
        {"approvers": 3},
        {"approval_max_move_bps": -1},
        {"approval_max_move_bps": float("nan")},
    ],
    ids=str,
)
def test_a_setting_that_means_nothing_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, StrategyConfig)
