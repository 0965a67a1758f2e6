"""Our cash against the venue's: rule R9 of `reconcile`, and R7 where it is about cash."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.exec.cash import USUAL, Cash, Tolerance, pay
from interlock.exec.config import ExecConfig
from interlock.exec.core import RECONCILE_SECONDS
from interlock.exec.ports import Ticked, VenueOpened
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, Side
from interlock.testkit.desk_messages import DESK, ids
from interlock.venues.port import VenueUnavailableError
from interlock.wire.orders import OrderFilled, ReconciliationCompleted
from interlock.wire.policy import ResumeTrading
from interlock.wire.system import AlertRaised

from tests.unit.exec.another_house import USD, Away, House, kinds, signed

START = Decimal(100_000)
CENT = Decimal("0.01")


def rich(**cash):
    """Return an exec whose books have been compared once."""
    away = Away(House(cash=cash or {USD: START}))
    minute(away)
    return away


def minute(away):
    return away.report(Ticked(seconds=RECONCILE_SECONDS))


def word_of(said):
    (word,) = [one for one in said if isinstance(one, ReconciliationCompleted)]
    return word


def alerts(said):
    return [one for one in said if isinstance(one, AlertRaised)]


def resume(away, n=1, by="ann"):
    command = ResumeTrading(
        **(ids("resume", n, by) | {"desk": DESK}), ts_event=away.now, by=by, reason="a deposit"
    )
    return away.hear(command)


def trade(away, n, quantity=10, price=100, side=Side.BUY, told=True, **fees):
    """Send an order and let it fill whole; unless it is `told`, exec misses it."""
    away.order(n, quantity=Decimal(quantity), side=side)
    report = away.house.fill(signed(n).client_order_id, quantity, price, **fees)
    if told:
        away.report(report)


def ours(away):
    return away.state.cash[USD].amount


prices = st.decimals("0.01", "5000", places=2)
fees = st.decimals("-1", "20", places=4)
trades = st.tuples(st.integers(1, 500), prices, st.sampled_from(Side), fees, fees, st.booleans())
steps = st.lists(st.one_of(trades, st.sampled_from(["minute", "restart"])), max_size=12)


def live(away, day):
    """Live through `day`, and return what was said of the books."""
    said = []
    for n, step in enumerate(day, 1):
        match step:
            case "minute":
                said += minute(away)
            case "restart":
                said += away.restart()
            case quantity, price, side, fee, elsewhere, told:
                trade(away, n, quantity, price, side, told, fee=fee, fee_elsewhere=elsewhere)
    return [one for one in said if isinstance(one, ReconciliationCompleted)]


@settings(max_examples=60, deadline=None)
@given(steps)
def test_r9_an_honest_venue_has_our_cash_to_the_cent(day):
    away = rich()
    assert {text for word in live(away, day) for text in word.breaks} == set()
    away.restart()
    word = word_of(minute(away))
    assert (word.breaks, word.cash) == ([], {USD: away.house.cash[USD]})
    assert ours(away) == away.house.cash[USD]


@settings(max_examples=60, deadline=None)
@given(steps, st.decimals("-50", "50", places=2), st.sampled_from([ZERO, CENT]))
def test_r9_cash_beyond_the_tolerance_is_one_named_break_of_the_account(day, off, beyond):
    away = rich()
    live(away, day)
    away.restart()
    most = away.state.tolerance.of(away.state.cash[USD].traded)
    moved = off.copy_abs().min(most) if beyond == ZERO else most + beyond
    moved = moved.copy_sign(off)
    before = ours(away)
    away.house.cash[USD] += moved
    theirs = away.house.cash[USD]
    said = minute(away)
    word = word_of(said)
    if beyond == ZERO:
        assert (word.breaks, word.cash, ours(away)) == ([], {USD: theirs}, theirs)
        return
    (text,) = word.breaks
    assert text == f"cash USD: ours {_plain(before)}, theirs {_plain(theirs)}"
    assert (word.account_breaks, word.instruments, word.cash) == ([text], [], {})
    assert word.cash_breaks == {USD: moved}
    assert word.blocks_account
    assert ours(away) == before
    assert len(alerts(said)) == 1


def _plain(amount):
    return f"{amount.normalize():f}"


@settings(max_examples=40, deadline=None)
@given(steps, st.booleans())
def test_r9_cash_is_a_fold_over_the_log(day, accepting):
    away = rich()
    live(away, day)
    if accepting:
        away.house.cash[USD] += 7_000_000
        minute(away)
        away.house.open = dead
        resume(away)
    kept = ({name: (one.amount, one.traded) for name, one in away.state.cash.items()},
            dict(away.state.accepted))  # fmt: skip
    away.house.open = dead
    away.start()
    again = {name: (one.amount, one.traded) for name, one in away.state.cash.items()}
    assert (again, away.state.accepted) == kept
    assert bool(away.state.accepted) == accepting


def dead(*_):
    raise VenueUnavailableError("503")


def test_r9_the_venues_first_word_on_cash_is_taken_over_and_said():
    away = Away(House(cash={USD: START, "EUR": Decimal(5)}))
    assert word_of(minute(away)).cash == {USD: START}
    assert ours(away) == START
    assert set(away.state.cash) == {USD}


@pytest.mark.parametrize("cash", [{}, {"EUR": Decimal(5)}, {USD: Decimal("NaN")}])
def test_r9_of_a_currency_that_the_venue_does_not_name_nothing_is_kept(cash):
    away = Away(House(cash=cash))
    word = word_of(minute(away))
    assert (word.breaks, word.cash, away.state.cash) == ([], {}, {})


def test_r9_a_venue_that_names_its_cash_no_more_is_no_break():
    away = rich()
    away.house.cash.clear()
    assert word_of(minute(away)).breaks == []
    away.house.cash[USD] = START + 1
    assert word_of(minute(away)).breaks == ["cash USD: ours 100000, theirs 100001"]


def test_r9_what_differs_within_the_tolerance_does_not_add_up():
    away = rich()
    for _ in range(5):
        away.house.cash[USD] -= CENT
        assert word_of(minute(away)).breaks == []
    trade(away, 1, 100, 100)
    away.house.cash[USD] -= Decimal("1.01")
    assert word_of(minute(away)).breaks == []
    away.house.cash[USD] -= Decimal("0.02")
    assert len(word_of(minute(away)).breaks) == 1


def test_r9_a_deposit_blocks_new_risk_until_a_named_person_has_resumed():
    away = rich()
    trade(away, 1)
    away.house.cash[USD] += 500
    said = minute(away)
    (alert,) = alerts(said)
    assert "cash USD: ours 99000, theirs 99500" in alert.text
    assert "interlock resume --by" in alert.text
    assert away.order(2)[0].code == "break"
    assert "OrderAccepted" in kinds(away.order(3, side=Side.SELL, reduce_only=True))
    assert alerts(minute(away)) == []
    for nobody in ("", " ", "policy", "Configuration"):
        assert resume(away, by=nobody) == []
        assert word_of(minute(away)).blocks_account
    word = word_of(resume(away))
    assert (word.breaks, word.cash) == ([], {USD: Decimal(99_500)})
    assert "OrderAccepted" in kinds(away.order(4))
    away.house.cash[USD] += 500
    assert word_of(minute(away)).cash_breaks == {USD: Decimal(500)}


def test_r9_a_resume_before_the_break_was_said_accepts_nothing():
    away = rich()
    away.house.cash[USD] += 500
    assert resume(away) == []
    assert word_of(minute(away)).blocks_account


def test_r9_a_resume_accepts_the_difference_that_was_said_and_no_other():
    away = rich()
    away.house.cash[USD] += 500
    minute(away)
    away.house.cash[USD] -= 2_000
    said = resume(away)
    assert word_of(said).breaks == ["cash USD: ours 100000, theirs 98500"]
    assert len(alerts(said)) == 1
    assert word_of(resume(away, 2)).breaks == []
    away.house.cash[USD] += 500
    assert word_of(minute(away)).blocks_account


def test_r9_what_was_accepted_is_taken_over_after_a_restart_too():
    away = rich()
    away.house.cash[USD] += 500
    minute(away)
    shows, away.house.open = away.house.open, dead
    resume(away)
    away.restart()
    assert away.state.last.breaks == ["the venue is not available: 503"]
    assert not away.state.last.awaits_person
    away.house.open = shows
    word = word_of(away.report(Ticked(seconds=2)))
    assert (word.breaks, word.cash) == ([], {USD: START + 500})


def test_r9_cash_that_is_no_number_can_be_accepted_by_nobody():
    away = rich()
    away.house.cash[USD] = Decimal("sNaN")
    word = word_of(minute(away))
    assert word.blocks_account
    assert not word.awaits_person
    assert resume(away) == []
    away.house.cash[USD] = START
    assert word_of(minute(away)).breaks == []


def test_r7_cash_of_before_a_fill_is_asked_again_and_never_taken_over():
    away = rich()
    away.order(1, quantity=Decimal(20_000))
    before = away.house.open((), {}, ())
    moves = away.state.moves
    away.report(away.house.fill(signed(1).client_order_id, 10, 100))
    word = word_of(away.report(VenueOpened(book=before, moves=moves, round=1)))
    assert (word.breaks, word.cash) == ([], {USD: START - 1000})
    # Bought and sold back meanwhile: the old book is close enough, and not what we go on from.
    before = away.house.open((), {}, ())
    moves = away.state.moves
    away.report(away.house.fill(signed(1).client_order_id, 10_000, 100))
    away.order(2, side=Side.SELL, quantity=Decimal(10_000))
    away.report(away.house.fill(signed(2).client_order_id, 10_000, Decimal("100.01")))
    left = VenueOpened(book=away.house.open((), {}, ()), moves=moves, round=1)
    left.book.cash[USD] = before.cash[USD]
    word = word_of(away.report(left))
    assert (word.breaks, word.cash) == ([], {})
    assert ours(away) == away.house.cash[USD]


def test_an_impossible_trade_leaves_the_cash_break_as_it_was_said():
    away = rich()
    trade(away, 1)
    away.house.cash[USD] += 500
    minute(away)
    extra = away.house.trades[0]
    fields = {name: getattr(extra, name) for name in extra.__struct_fields__}
    said = away.report(type(extra)(**(fields | {"trade_id": "t-extra"})))
    assert word_of(said).cash_breaks == {USD: Decimal(500)}


def fill(**more):
    fields = {
        "account": "a", "venue": "v", "client_order_id": "c", "intent_id": "i",
        "instrument_id": "SPY", "venue_order_id": "o", "trade_id": "t", "side": Side.BUY,
        "last_qty": Decimal(2), "last_px": Decimal(100), "cum_qty": Decimal(2), "leaves_qty": ZERO,
        "avg_px": Decimal(100), "fee": Decimal(3),
    }  # fmt: skip
    return OrderFilled(**ids("fill"), ts_event=0, **(fields | more))


@pytest.mark.parametrize(
    ("more", "multiplier", "left", "traded"),
    [
        ({}, 1, 797, 200),
        ({"side": Side.SELL}, 1, 1197, 200),
        ({"fee": Decimal(-3)}, 1, 803, 200),
        ({"fee_elsewhere": Decimal(3)}, 1, 800, 200),
        ({"fee": Decimal(3), "fee_elsewhere": Decimal(1)}, 1, 798, 200),
        ({"last_qty": Decimal("0.01")}, 100, 897, 100),
    ],
)
def test_r9_a_fill_moves_cash_by_its_value_and_by_the_fee_taken_out_of_it(
    more, multiplier, left, traded
):
    cash = {USD: Cash(Decimal(1000))}
    instrument = Instrument(instrument_id="SPY", venue="v", multiplier=Decimal(multiplier))
    pay(cash, fill(**more), instrument)
    assert cash == {USD: Cash(Decimal(left), Decimal(traded))}


def test_r9_a_fill_in_another_currency_leaves_cash_alone():
    cash = {USD: Cash(Decimal(1000))}
    pay(cash, fill(), Instrument(instrument_id="SPY", venue="v", currency="EUR"))
    pay(cash, fill(), None)
    assert cash == {USD: Cash(Decimal(1000))}


def test_the_tolerance_is_a_cent_and_a_basis_point_unless_the_desk_says_otherwise():
    assert Tolerance(amount=CENT, bps=Decimal(1)).of(Decimal(20_000)) == Decimal("2.01")
    config = ExecConfig()
    assert (config.cash_tolerance, config.cash_tolerance_bps) == (USUAL.amount, USUAL.bps)
    assert (USUAL.amount, USUAL.bps) == (CENT, Decimal(1))


@pytest.mark.parametrize("wrong", ["-0.01", "NaN", "Infinity"])
@pytest.mark.parametrize("name", ["cash_tolerance", "cash_tolerance_bps"])
def test_a_tolerance_that_is_no_amount_is_refused(name, wrong):
    with pytest.raises(ValueError, match=name):
        ExecConfig(**{name: Decimal(wrong)})
