"""Cursors, numbers as text, headroom, and orders folded from messages."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.console import controls
from interlock.console.controls import Use
from interlock.console.desk_views import buckets, numbers_under, volatility
from interlock.console.order_book import ORDERS_KEPT, OrderBook, decision_item
from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import moment_of, money, share, text_of
from interlock.console.problems import ProblemError
from interlock.console.state import BARS_KEPT, Live, evolve
from interlock.gate.controls.table import CONTROLS
from interlock.ledger.rows import OrderChange, Stamp, merged, rows_of
from interlock.model.values import Side, TradingMode
from interlock.testkit.decisions import desk, features
from interlock.testkit.desk_messages import (
    ACCOUNT,
    accepted,
    bar,
    denied,
    fill,
    ids,
    intent,
    submitted,
)
from interlock.wire.accounts import AccountUpdated, PositionLine
from interlock.wire.orders import GateConfigured


@given(moment=st.integers(0, 2**63 - 1), name=st.text(max_size=100).filter(lambda t: "\0" not in t))
def test_a_cursor_leads_back_to_its_place(moment, name):
    try:
        cursor = cursor_after(moment, name)
    except UnicodeEncodeError:
        return
    assert place_of(cursor) == (moment, name)


@given(text=st.text(min_size=1, max_size=500))
def test_no_text_breaks_a_cursor(text):
    with suppress(ProblemError):
        moment, name = place_of(text)
        assert 0 <= moment < 2**63
        assert "\0" not in name


@given(value=st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_money_is_plain_and_exact(value):
    text = money(value)
    assert "e" not in text.lower()
    assert Decimal(text) == value


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        (1, 4, 25.0),
        (None, 4, None),
        (1, None, None),
        (1, 0, None),
        (Decimal(-1), Decimal(8), -12.5),
    ],
)
def test_a_share_of_nothing_is_unknown(part, whole, percent):
    assert share(part, whole) == percent


@pytest.mark.parametrize("text", ["-1", "1e9", "x", "٣", str(2**63)])
def test_a_moment_is_a_number_of_nanoseconds(text):
    with pytest.raises(ProblemError):
        moment_of("since", text)


def test_words_to_look_for_are_bounded():
    assert text_of("code", "") is None
    for text in ("x" * 201, "a\0", "\ud800"):
        with pytest.raises(ProblemError):
            text_of("code", text)


@pytest.mark.parametrize(
    ("use", "headroom"),
    [
        (Use(observed=Decimal(25), limit=Decimal(100)), 75.0),
        (Use(observed=Decimal(110), limit=Decimal(100)), -10.0),
        (Use(observed=Decimal(25), limit=None), None),
        (Use(observed=Decimal(25), limit=Decimal(0)), None),
        (Use(observed=Decimal(200), limit=Decimal(50), at_least=True), 75.0),
        (Use(observed=Decimal(40), limit=Decimal(50), at_least=True), -25.0),
    ],
)
def test_headroom_is_what_is_left_of_a_limit(use, headroom):
    assert use.headroom_pct == headroom


def test_the_console_knows_every_control_of_the_gate():
    known = [(one.code, one.definition, one.level) for one in controls.table()]
    assert known == [(one.code, one.definition, one.level) for one in CONTROLS]


def account(**more) -> AccountUpdated:
    positions = [
        PositionLine(
            instrument_id=name,
            quantity=Decimal(quantity),
            avg_px=Decimal(10),
            mark=Decimal(mark),
            unrealised_pnl=Decimal(0),
        )
        for name, quantity, mark in (("SPY", 10, 110), ("AAPL", -5, 20))
    ]
    fields = {
        **ids("account"),
        "ts_event": 5,
        "account": ACCOUNT,
        "currency": "USD",
        "equity": Decimal(9_800),
        "cash": Decimal(500),
        "realised_pnl": Decimal(0),
        "unrealised_pnl": Decimal(0),
        "fees": Decimal(0),
        "day_pnl": Decimal(-200),
        "window_pnl": Decimal(0),
        "equity_at_day_start": Decimal(10_000),
        "positions": positions,
        "ts_desk": 5,
        "drawdown_5d_pct": 3.0,
        "losses_in_row": 2,
    }
    return AccountUpdated(**(fields | more))


LIMITS = {
    "max_daily_loss_pct": "4",
    "max_drawdown_5d_pct": "12",
    "max_consecutive_losses": 4,
    "min_cash": "100",
    "max_gross_notional": "2400",
    "max_gross_pct": "24",
    "max_net_pct": "20",
    "default_limits": {"max_position_notional": "2200"},
}


def test_what_an_account_uses_of_the_limits():
    uses = controls.uses_of_account(desk(), LIMITS, account())
    left = {code: use.headroom_pct for code, use in uses.items() if use.limit is not None}
    assert left == {
        "loss.day": 50.0,
        "loss.drawdown": 75.0,
        "loss.in_row": 50.0,
        "cash.power": 80.0,
        "position.gross": 50.0,
        "position.gross_share": 50.0,
        "position.net_share": 50.0,
        "position.notional": 50.0,
    }
    assert uses["position.notional"].text == "1100 (SPY)"


def test_a_loss_is_used_and_a_gain_uses_nothing():
    gained = controls.uses_of_account(desk(), LIMITS, account(day_pnl=Decimal(300)))
    assert gained["loss.day"].observed == 0


def test_buckets_show_use_against_caps():
    live = Live()
    gate = GateConfigured(
        **ids("gate"),
        ts_event=0,
        config_hash="",
        build="",
        desk_section="{}",
        gate_section='{"max_gross_pct": "24", "buckets": {"core": {"max_gross_pct": "90"}}}',
        key_id="",
    )
    for message in (gate, account()):
        evolve(live, message, 0)
    view = buckets(desk(), live)
    by_name = {(one.kind, one.name): one for one in view.items}
    assert by_name["desk", "gross"].used_pct == 50.0
    assert by_name["bucket", "core"].limit == "9000"
    assert view.open_risk == "1200"


def test_an_order_folded_here_is_the_ledgers_row():
    messages = [
        *(intent(4), submitted(4), accepted(4), fill(4, Side.BUY, 10, 100)),
        *(intent(6), denied(6)),
    ]
    book, stamp = OrderBook(), Stamp(mode=TradingMode.DEMO, config_hash="")
    rows: dict[str, OrderChange] = {}
    for message in messages:
        book.hear(message)
        for row in rows_of(message, "DESK", "", stamp):
            if isinstance(row, OrderChange):
                rows[row.intent_id] = merged(rows.get(row.intent_id), row)
    for intent_id, row in rows.items():
        known = book._known[intent_id]
        shown = known.order
        assert (shown.status, shown.detail, shown.decision_id) == (
            row.status,
            row.detail,
            row.decision_id,
        )
        for name in ("quantity", "filled_quantity", "requested_quantity", "limit_price"):
            mine, theirs = getattr(shown, name), getattr(row, name)
            assert (None if mine is None else Decimal(mine)) == theirs, name
        assert decision_item(known).verdict in ("approved", "denied")


def test_orders_and_bars_take_bounded_room():
    book, live = OrderBook(), Live()
    for number in range(ORDERS_KEPT + 10):
        book.hear(intent(number))
    assert len(book._known) == ORDERS_KEPT
    for number in range(BARS_KEPT + 10):
        evolve(live, bar(number, 100.0), 0)
    assert len(live.bars["SPY"]) == BARS_KEPT
    evolve(live, bar(5, 1.0), 0)
    assert live.bars["SPY"][-1].close == 100.0, "a bar from before changes nothing"


@pytest.mark.parametrize(
    ("z", "label"),
    [(None, "unknown"), (-1.0, "calm"), (0.5, "normal"), (1.5, "high"), (2.5, "extreme")],
)
def test_the_regime_is_named_by_the_widest_score(z, label):
    live = Live()
    evolve(live, features(1, 1.0, volatility_z=z), 0)
    assert volatility(live).label == label


def test_parameters_are_shown_by_what_they_are_about():
    found = numbers_under({"feature.rsi": 1.0, "weight.short": 0.4, "threshold": 1.0}, "feature.")
    assert found == {"rsi": 1.0}
