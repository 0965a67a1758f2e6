"""Who may trade what, where and when."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from interlock.gate.session import Session, Weekday, Window, is_open
from interlock.model.instrument import Instrument
from interlock.model.values import InstrumentKind, Side, Stage, TradingMode
from interlock.runtime.config import ConfigError
from interlock.testkit.cells import react
from interlock.testkit.decisions import (
    INSTRUMENTS,
    features,
    policy,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import SECOND
from msgspec.structs import replace

from tests.unit.gate.asking import (
    NOW,
    codes,
    gate_cell,
    held,
    limit_order,
    working,
)


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
    working(cell, 2, 40, Side.BUY, limit_price=Decimal(99))
    asked = {"side": Side.SELL, "ts_market": NOW * SECOND}
    assert codes(cell, limit_order(100, 11, quantity=Decimal(6), **asked)) == []
    assert codes(cell, limit_order(100, 12, quantity=Decimal(1), **asked)) == ["permission.short"]


def test_a_desk_that_may_short_may():
    assert codes(gate_cell(allow_short=True), wanted(NOW, side=Side.SELL)) == []


def standing(**more):
    return replace(trading(), **more)


def test_a_short_needs_configuration_stage_and_bucket():
    short = wanted(NOW, side=Side.SELL)
    assert codes(gate_cell(allow_short=True), short) == []
    assert codes(gate_cell(), short) == ["permission.short"]
    no_stage = standing(allow_short=False)
    assert codes(gate_cell(allow_short=True, standing=no_stage), short) == ["permission.short"]
    long_only = {"long_only": True}
    assert codes(gate_cell(allow_short=True, bucket=long_only), short) == ["permission.short"]


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        ((InstrumentKind.EQUITY,), []),
        ((InstrumentKind.CRYPTO, InstrumentKind.EQUITY), []),
        ((InstrumentKind.CRYPTO,), ["permission.kind"]),
        ((), ["permission.kind"]),
    ],
)
def test_a_kind_of_instrument_that_is_not_allowed_is_denied(kinds, found):
    assert codes(gate_cell(allowed_kinds=kinds)) == found


@pytest.mark.parametrize(("allow", "stage"), [(False, True), (True, False)])
def test_an_option_needs_configuration_and_stage(allow, stage):
    call = Instrument(
        instrument_id="SPY-C", venue="paper", kind=InstrumentKind.OPTION, bucket="core",
        sector="index", underlying="SPY",
    )  # fmt: skip
    cell = gate_cell(
        of={"instruments": (INSTRUMENTS[0], call)}, allow_options=allow,
        allowed_kinds=tuple(InstrumentKind), standing=standing(allow_options=stage),
    )  # fmt: skip
    react(cell, features(NOW, 1.0, "SPY-C", delta=0.1), 0)
    assert codes(cell, wanted(NOW, instrument_id="SPY-C")) == ["permission.option"]


def test_a_side_that_is_not_allowed_is_denied_and_still_gets_out():
    cell = held(gate_cell(sides=(Side.BUY,)), 10)
    assert codes(cell, wanted(1, side=Side.SELL, ts_market=NOW * SECOND)) == ["permission.side"]
    assert codes(cell, wanted(2, side=Side.SELL, reduce_only=True, ts_market=NOW * SECOND)) == []


@pytest.mark.parametrize("name", ["SPY", "GOOGL", "goog.o ", " Media"])
def test_a_list_bans_by_id_alias_or_sector_however_it_is_written(name):
    cell = gate_cell(rules=replace(policy(3), do_not_trade=[name]))
    banned = "SPY" if name == "SPY" else "GOOG"
    assert codes(cell, wanted(NOW, instrument_id=banned)) == ["permission.list"]
    other = "GOOG" if name == "SPY" else "SPY"
    assert codes(cell, wanted(1, instrument_id=other, ts_market=NOW * SECOND)) == []


def test_policy_cannot_take_a_name_off_the_configured_list():
    cell = gate_cell(do_not_trade=("SPY",), rules=policy(3))
    assert codes(cell) == ["permission.list"]


def test_i9_a_banned_name_that_means_nothing_does_not_start():
    with pytest.raises(ConfigError, match="SPYY"):
        gate_cell(do_not_trade=("SPYY",))


def test_i8_a_strategy_that_policy_disabled_is_denied():
    cell = gate_cell(standing=standing(disabled=["threshold"]))
    assert codes(cell) == ["permission.strategy"]
    assert codes(cell, wanted(1, strategy="other", ts_market=NOW * SECOND)) == []


LIVE = {"mode": TradingMode.LIVE, "live_allowed": True}


@pytest.mark.parametrize("stage", list(Stage))
def test_a_live_desk_trades_only_at_a_live_stage_and_not_while_kept_on_paper(stage):
    let_out = stage in {Stage.LIVE_MICRO, Stage.LIVE_LIMITED, Stage.FULL}
    found = codes(gate_cell(of=LIVE, standing=standing(stage=stage)))
    assert found == ([] if let_out else ["permission.live"])
    kept = gate_cell(of=LIVE, standing=standing(stage=stage, demo_only=True))
    assert codes(kept) == ["permission.live"]
    assert codes(gate_cell(standing=standing(stage=stage, demo_only=True))) == []


NEW_YORK = Session(
    time_zone="America/New_York",
    windows=(Window(days=(Weekday.MONDAY, Weekday.TUESDAY), open=time(9, 30), close=time(16)),),
    closed=(date(2024, 7, 8),),
)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2024-07-01T13:29:59+00:00", False),
        ("2024-07-01T13:30:00+00:00", True),
        ("2024-07-01T19:59:59+00:00", True),
        ("2024-07-01T20:00:00+00:00", False),
        ("2024-01-02T13:30:00+00:00", False),
        ("2024-01-02T14:30:00+00:00", True),
        ("2024-07-03T14:30:00+00:00", False),
        ("2024-07-08T14:30:00+00:00", False),
    ],
)
def test_a_session_is_in_the_exchanges_own_time_summer_and_winter(moment, opened):
    assert is_open(NEW_YORK, round(datetime.fromisoformat(moment).timestamp()) * SECOND) is opened


def test_out_of_hours_an_order_is_denied_and_may_still_reduce():
    cell = held(gate_cell(session=NEW_YORK), 10)
    assert codes(cell) == ["permission.session"]
    assert codes(cell, wanted(1, side=Side.SELL, reduce_only=True, ts_market=NOW * SECOND)) == []


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_i9_hours_in_no_time_zone_do_not_start(name):
    with pytest.raises(ValueError, match="time_zone"):
        Session(time_zone=name, windows=())
