"""Saving: a share of the day's profit, once a trading day, at its close."""

from datetime import UTC, datetime, time
from decimal import Decimal

import msgspec
import pytest
from interlock.model.values import TradingState
from interlock.runtime.config import ConfigError
from interlock.strategy.app import build
from interlock.strategy.ensemble.config import SipConfig
from interlock.strategy.ensemble.sip import close_of
from interlock.testkit.cells import react
from interlock.testkit.desk_messages import SECOND, denied, fill
from interlock.wire.market import FeedCondition
from msgspec.structs import replace

from tests.unit.strategy.ensemble_desk import (
    BUY,
    INSTRUMENTS,
    account,
    bar,
    cell,
    config,
    desk,
    features,
    feed,
    fill_all,
    intents,
    opening,
    policy,
    ready,
    trading,
)

SIP = SipConfig(instrument="GLD")
DAY = 20_000
"""A Friday in October: New York is four hours behind UTC."""


def at(hour, minute=0, day=DAY):
    return (day * 86_400 + hour * 3_600 + minute * 60) * SECOND


def closing(profit, day=DAY, ts=None, **more):
    when = at(20, 0, day) if ts is None else ts
    made = account(0, day_pnl=Decimal(profit), day=day, **more)
    return replace(made, message_id=f"account-{day}-{when}", ts_event=when)


def priced(**more):
    """Return a desk that knows what gold costs."""
    made = ready(SIP, **more)
    bar(made, 1, BUY, "GLD")
    return made


def next_bar(message, minutes=1, **more):
    return features(message.ts_event // SECOND + 60 * minutes, BUY, "GLD", **more)


def save(made, message, **more):
    """Let a day close, and then a bar of the instrument come; return what is asked for."""
    said = react(made, message, message.ts_event)
    assert intents(said) == [], "the account is marked while policy may be changing"
    seen = next_bar(message, **more)
    return intents(react(made, seen, seen.ts_event))


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        (20_000, "2024-10-04T15:55:00-04:00"),
        (20_100, "2025-01-12T15:55:00-05:00"),
    ],
)
def test_a_day_closes_at_its_local_time_summer_and_winter(day, moment):
    expected = datetime.fromisoformat(moment).astimezone(UTC)
    assert close_of(day, 4, SIP) == int(expected.timestamp()) * SECOND


def test_a_day_that_begins_in_the_evening_before_closes_on_its_own_date():
    tokyo = SipConfig(instrument="GLD", close=time(15), time_zone="Asia/Tokyo")
    begins = datetime(2024, 10, 3, 15, tzinfo=UTC)
    day = (int(begins.timestamp()) - 15 * 3_600) // 86_400
    closes = datetime(2024, 10, 4, 6, tzinfo=UTC)
    assert close_of(day, 15, tokyo) == int(closes.timestamp()) * SECOND


def test_s3_5_one_percent_of_the_days_profit_is_moved_at_the_close():
    (intent,) = save(priced(), closing(50_000))
    assert (intent.instrument_id, intent.side, intent.quantity) == ("GLD", "buy", Decimal(5))
    assert intent.reasons == ["sip", "day_pnl=50000.00", "owed=500.00"]
    assert (intent.reduce_only, intent.protection) == (False, None)


@pytest.mark.parametrize(("hour", "minute", "moved"), [(19, 54, 0), (19, 55, 1), (23, 0, 1)])
def test_it_is_moved_at_the_close_and_not_before(hour, minute, moved):
    assert len(save(priced(), closing(50_000, ts=at(hour, minute)))) == moved


def test_s3_5_it_is_moved_once_a_trading_day():
    made = priced()
    (intent,) = save(made, closing(50_000))
    fill_all(made, 2, intent)
    assert save(made, closing(90_000, ts=at(20, 1))) == []
    assert save(made, closing(90_000, ts=at(27, 59))) == []
    (next_day,) = save(made, closing(20_000, DAY + 1))
    assert next_day.quantity == 2


@pytest.mark.parametrize("profit", ["0", "-50000", "NaN"])
def test_a_day_without_a_profit_saves_nothing(profit):
    made = priced()
    assert save(made, closing(profit)) == []
    assert made.state.ensemble.savings.owed == 0


def test_what_is_less_than_a_lot_is_kept_for_another_day():
    made = priced()
    assert save(made, closing("60")) == []
    (intent,) = save(made, closing("60", DAY + 1))
    assert intent.quantity == Decimal("0.01")
    fill_all(made, 2, intent)
    assert made.state.ensemble.savings.owed == Decimal("0.2")


def test_what_is_denied_is_asked_for_again_at_the_next_close():
    made = priced()
    (intent,) = save(made, closing(50_000))
    react(made, replace(denied(1), intent_id=intent.intent_id, instrument_id="GLD"), 0)
    (again,) = save(made, closing(-10, DAY + 1))
    assert (again.quantity, again.reasons[2]) == (5, "owed=500.00")
    assert again.intent_id != intent.intent_id


def test_it_comes_to_the_instruments_caps_at_most():
    made = priced()
    (intent,) = save(made, closing(50_000_000, equity_at_day_start=Decimal(1_000_000)))
    assert intent.quantity == 1_000, "10 % of 1,000,000 at 100"
    fill_all(made, 2, intent)
    assert save(made, closing(50_000_000, DAY + 1)) == []


def test_one_order_for_it_comes_to_its_notional_at_most_and_the_rest_is_owed():
    made = priced(max_order_notional=Decimal(300))
    (intent,) = save(made, closing(50_000))
    assert intent.quantity == 3
    fill_all(made, 2, intent)
    assert made.state.ensemble.savings.owed == 200


@pytest.mark.parametrize(
    "change",
    [
        trading(state=TradingState.HALTED),
        trading(state=TradingState.HALTED, flatten=True),
        trading(state=TradingState.REDUCE_ONLY),
        trading(disabled=["ensemble"]),
        trading(cap_scales={"sip": 0.0}),
        policy(2, ["gold"]),
        feed(2, FeedCondition.STALE, "GLD"),
    ],
    ids=["halted", "flatten", "reduce", "disabled", "stage", "listed", "stall"],
)
def test_it_is_not_asked_for_where_no_risk_may_be_taken_and_stays_owed(change):
    made = priced()
    react(made, change, 0)
    assert intents(save(made, closing(50_000))) == []
    assert made.state.ensemble.savings.owed == 500


def test_without_models_nothing_is_moved():
    silent = {"p_short": None, "p_mid": None, "size_hint": None}
    assert save(ready(SIP), closing(50_000), **silent) == []


@pytest.mark.parametrize("close", [0.0, -1.0])
def test_without_a_price_nothing_is_moved(close):
    made = priced()
    assert save(made, closing(50_000), close=close) == []
    assert made.state.ensemble.savings.owed == 500


def test_a_bar_that_was_missed_moves_nothing():
    made, close = priced(), closing(50_000)
    react(made, close, close.ts_event)
    seen = next_bar(close)
    assert react(made, seen, seen.ts_event + 31 * SECOND) == []


def test_only_the_first_bar_after_the_close_asks_and_only_of_the_instrument():
    made, close = priced(), closing(50_000)
    react(made, close, close.ts_event)
    other = bar(made, close.ts_event // SECOND + 30, BUY, "SPY")
    assert [one.reasons[0] for one in intents(other)] == ["entry"]
    first, second = next_bar(close), next_bar(close, 2)
    (intent,) = react(made, first, first.ts_event)
    assert intent.reasons[0] == "sip"
    react(made, replace(denied(1), intent_id=intent.intent_id, instrument_id="GLD"), 0)
    assert react(made, second, second.ts_event) == []


def test_the_ensemble_does_not_trade_what_is_saved_into():
    made = ready(SIP)
    assert bar(made, 1, BUY, "GLD") == []
    assert len(bar(made, 1, BUY, "SPY")) == 2


def test_without_a_section_nothing_is_saved():
    made = ready()
    (entry,) = save(made, closing(50_000))
    assert entry.reasons[0] == "entry"


def test_another_accounts_profit_is_not_ours():
    assert save(priced(), closing(50_000, account="other")) == []


@pytest.mark.parametrize("own_first", [True, False])
def test_a_restart_after_the_close_moves_nothing_twice(own_first):
    first, close = priced(), closing(50_000)
    (intent,) = save(first, close)
    bought = fill_of(intent)
    again = cell(SIP)
    heard = [(one, False) for one in [*opening(), close]]
    own = [(intent, True)]
    for message, is_own in [*own, *heard] if own_first else [*heard, *own]:
        again.recover(message, own=is_own)
    bar(again, 2, BUY, "GLD")
    assert again.state.ensemble.savings.owed == 500
    react(again, bought, bought.ts_event)
    assert again.state.ensemble.savings.owed == 0
    assert save(again, closing(60_000, ts=at(20, 5))) == []
    assert again.state.ensemble.savings.day == DAY


def fill_of(intent):
    return fill(
        3, intent.side, intent.quantity, 100, intent_id=intent.intent_id, instrument_id="GLD"
    )


def test_a_crash_before_the_order_was_said_says_the_same_order():
    close = closing(50_000)
    (intent,) = save(priced(), close)
    again = priced()
    again.recover(close, own=False)
    seen = next_bar(close)
    (same,) = react(again, seen, seen.ts_event)
    assert (same.intent_id, same.quantity) == (intent.intent_id, intent.quantity)


@pytest.mark.parametrize(
    ("instrument", "message"), [("TSLA", "no instrument of the desk"), ("PNY", "not traded in USD")]
)
def test_a_section_that_does_not_fit_the_desk_is_refused(instrument, message):
    foreign = tuple(
        replace(one, currency="CAD") if one.instrument_id == "PNY" else one for one in INSTRUMENTS
    )
    with pytest.raises(ConfigError, match=message):
        build(desk(instruments=foreign), config(SipConfig(instrument=instrument)))


@pytest.mark.parametrize(
    ("key", "value"),
    [("pct", "0"), ("pct", "101"), ("close", "15:55Z"), ("time_zone", "Mars/Olympus")],
)
def test_a_setting_that_cannot_be_meant_is_refused(key, value):
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert({"instrument": "GLD", key: value}, SipConfig, strict=False)
