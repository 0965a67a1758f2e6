"""Our book against the venue's. Numbered as in `reconcile`."""

from dataclasses import replace as changed
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.exec.core import RECONCILE_SECONDS, ROUNDS
from interlock.exec.ports import OpenVenue, Ticked, VenueAway, VenueOpened
from interlock.exec.reconcile import Break, breaks_between, doubtful, unsettled
from interlock.model.order import OrderStatus, WorkingOrder
from interlock.model.values import ZERO, Side
from interlock.testkit.decisions import trading
from interlock.venues.port import ForeignOrder, VenueBook, VenueLinkMoved
from interlock.wire.orders import OrderFilled, ReconciliationCompleted

from tests.unit.exec.another_house import Away, kinds, signed

NAME = signed(1).client_order_id
NAMES = ("SPY", "QQQ", "BTC-USD")


def working(name="il-1", instrument="SPY", quantity=10, filled=0, status=OrderStatus.ACCEPTED):
    return WorkingOrder(
        client_order_id=name, intent_id=name, instrument_id=instrument, side=Side.BUY,
        quantity=Decimal(quantity), filled=Decimal(filled), status=status,
    )  # fmt: skip


def found(orders=(), book=None, positions=None, closed=()):
    return breaks_between(
        {one.client_order_id: one for one in orders},
        {one.client_order_id: one for one in closed},
        positions or {},
        book or VenueBook(leaves={}, positions={}),
    )


@pytest.mark.parametrize("status", [OrderStatus.SUBMITTED, OrderStatus.UNKNOWN])
@pytest.mark.parametrize("theirs", [{}, {"il-1": Decimal(4)}])
def test_r2_an_order_in_doubt_is_no_break(status, theirs):
    assert found([working(status=status)], VenueBook(leaves=theirs, positions={})) == []


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.PENDING_REPLACE,
    ],
)
@pytest.mark.parametrize("theirs", [None, Decimal(4), Decimal(11)])
def test_r3_an_order_that_leaves_another_quantity_is_a_break_of_its_instrument(status, theirs):
    book = VenueBook(leaves={} if theirs is None else {"il-1": theirs}, positions={})
    assert found([working(status=status)], book) == [
        Break(instrument_id="SPY", text=f"order il-1: ours 10, theirs {theirs}")
    ]


def test_r3_an_order_that_ended_here_and_works_there_is_a_break_of_its_instrument():
    book = VenueBook(leaves={"il-1": Decimal(3), "il-2": Decimal(1)}, positions={})
    ended = working(status=OrderStatus.CANCELED)
    assert found(book=book, closed=[ended]) == [
        Break(instrument_id="SPY", text="order il-1: ours None, theirs 3"),
        Break(instrument_id="", text="order il-2: ours None, theirs 1"),
    ]


def test_r4_r5_positions_and_orders_of_others_are_named_with_their_instrument():
    foreign = ForeignOrder(
        venue_order_id="v9", instrument_id="QQQ", side=Side.SELL, leaves=Decimal(2)
    )
    book = VenueBook(leaves={}, positions={"SPY": Decimal(4), "IBM": ZERO}, foreign=[foreign])
    assert found(book=book, positions={"SPY": Decimal(5), "TLT": ZERO}) == [
        Break(instrument_id="QQQ", text="external order v9: sell 2"),
        Break(instrument_id="SPY", text="position SPY: ours 5, theirs 4"),
    ]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(-20, 20).map(Decimal)),
    st.dictionaries(st.sampled_from(NAMES), st.integers(-20, 20).map(Decimal)),
    st.dictionaries(st.text("abc", min_size=1), st.tuples(st.integers(1, 9), st.integers(0, 9))),
    st.dictionaries(st.text("abc", min_size=1), st.integers(1, 9).map(Decimal)),
    st.randoms(),
)
def test_r8_the_breaks_are_the_differences_in_any_order(ours, theirs, sent, leaves, random):
    orders = [working(name, quantity=n + done, filled=done) for name, (n, done) in sent.items()]
    book = VenueBook(leaves=leaves, positions=theirs)
    breaks = found(orders, book, ours)
    random.shuffle(orders)
    again = VenueBook(
        leaves=dict(sorted(leaves.items(), reverse=True)),
        positions=dict(sorted(theirs.items(), reverse=True)),
    )
    assert found(orders, again, dict(sorted(ours.items()))) == breaks
    unequal = {n for n in NAMES if ours.get(n, ZERO) != theirs.get(n, ZERO)}
    assert {one.instrument_id for one in breaks if one.text.startswith("position")} == unequal
    mine = {one.client_order_id: one.leaves for one in orders}
    assert len(breaks) - len(unequal) == len(mine.items() ^ leaves.items()) - len(
        [name for name in mine if name in leaves and mine[name] != leaves[name]]
    )
    equal = VenueBook(leaves=mine, positions=ours)
    assert found(orders, equal, ours) == []
    assert doubtful(orders, equal) == []


@given(
    st.lists(st.sampled_from(["", *NAMES]), max_size=4),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5)),
    st.integers(0, 5),
)
def test_r7_only_what_has_moved_since_is_asked_again(names, moved, asked_at):
    breaks = [Break(instrument_id=name, text=name) for name in names]
    late = {name for name, at in moved.items() if at > asked_at}
    assert unsettled(breaks, moved, asked_at) == bool(late and ("" in names or late & set(names)))


# The whole of it.


def reconciled(said):
    return [one for one in said if isinstance(one, ReconciliationCompleted)]


def minute(away):
    return away.report(Ticked(seconds=RECONCILE_SECONDS))


def test_i13_equal_books_have_no_breaks():
    away = Away()
    away.order(1)
    away.report(away.house.fill(NAME, 4))
    (word,) = reconciled(minute(away))
    assert (word.breaks, word.open_orders, word.positions) == ([], 1, 1)


def test_r1_i11_fills_and_a_cancel_that_were_missed_are_applied_once():
    away = Away()
    away.order(1)
    missed = [away.house.fill(NAME, 4), away.house.fill(NAME, 3)]
    gone = away.house.cancel(NAME)
    said = away.restart()
    assert kinds(said).count("OrderFilled") == 2
    assert kinds(said).count("OrderCanceled") == 1
    assert reconciled(said)[-1].breaks == []
    assert away.state.positions == {"SPY": 7}
    for report in [*missed, *gone]:
        assert away.report(report) == []
    assert reconciled(away.restart())[-1].breaks == []


def test_r6_what_nobody_can_explain_blocks_new_risk_in_its_instrument_alone():
    away = Away()
    away.house.positions["SPY"] = Decimal(5)
    (word,) = reconciled(minute(away))
    assert (word.instruments, word.account_breaks, word.blocks_account) == (["SPY"], [], False)
    assert away.order(1)[0].code == "break"
    assert "OrderAccepted" in kinds(away.order(2, instrument_id="QQQ"))
    away.house.positions["SPY"] = ZERO
    (word,) = reconciled(minute(away))
    assert word.breaks == []
    assert "OrderAccepted" in kinds(away.order(3))


def test_r7_what_moved_while_the_venue_answered_is_asked_again():
    away = Away()
    away.order(1)
    before = away.house.open((), {}, ())
    moves = away.state.moves
    away.report(away.house.fill(NAME, 10))
    late = VenueOpened(book=before, moves=moves, round=1)
    (word,) = reconciled(away.report(late))
    assert word.breaks == []
    last = changed_round(late, ROUNDS)
    (word,) = reconciled(away.report(last))
    assert word.instruments == ["SPY"]


def changed_round(opened, number):
    return VenueOpened(book=opened.book, moves=opened.moves, round=number)


def test_a_venue_that_is_away_at_the_start_is_not_reconciled_and_asked_again():
    away = Away()
    perform = away.cell.service.perform

    def dead(effect):
        return [VenueAway(reason="503")] if isinstance(effect, OpenVenue) else perform(effect)

    service = changed(away.cell.service, perform=dead)
    fresh = Away.__new__(Away)
    fresh.house, fresh.changes, fresh.log, fresh.now = away.house, {}, [], away.now
    fresh.cell = type(away.cell)(service, type(away.state)(**_fields(away)))
    fresh.report(VenueLinkMoved(up=True, reason="connected"))
    (word,) = [m for m, _ in fresh.log if isinstance(m, ReconciliationCompleted)]
    assert word.blocks_account
    fresh.hear(trading())
    assert fresh.order(1)[0].code == "venue_link"
    assert reconciled(fresh.report(Ticked(seconds=2))) == []
    fresh.cell.service = away.cell.service
    (word,) = reconciled(fresh.report(Ticked(seconds=4)))
    assert word.breaks == []
    assert not word.blocks_account


def _fields(away):
    state = away.state
    names = ("desk", "account", "venue", "key_id", "read_only", "mode", "build", "simulated")
    return {name: getattr(state, name) for name in names}


def test_i13_an_impossible_trade_blocks_its_instrument_until_the_books_are_equal():
    away = Away()
    away.order(1)
    away.report(away.house.fill(NAME, 10))
    extra = away.house.trades[0]
    said = away.report(type(extra)(**{f: getattr(extra, f) for f in extra.__struct_fields__}
                                   | {"trade_id": "t-extra", "quantity": Decimal(2)}))  # fmt: skip
    fill, word = said
    assert isinstance(fill, OrderFilled)
    assert (fill.leaves_qty, fill.cum_qty) == (0, 12)
    assert word.instruments == ["SPY"]
    assert away.state.positions == {"SPY": 12}
    away.house.positions["SPY"] = Decimal(12)
    assert reconciled(minute(away))[0].breaks == []
