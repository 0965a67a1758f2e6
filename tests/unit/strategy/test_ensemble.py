"""The ensemble on a desk: what a bar makes it say, when it asks for an order, and for how much."""

from decimal import Decimal

import pytest
from interlock.model.ids import client_order_id
from interlock.model.values import OrderType, Side, TradingState
from interlock.strategy.ensemble.config import BucketRules
from interlock.testkit.cells import react
from interlock.testkit.desk_messages import SECOND, denied, fill
from interlock.wire.base import Message, caused_id
from interlock.wire.decisions import Mode, ScoreAction, ScoreComputed
from interlock.wire.orders import OrderIntent, Protection
from msgspec.structs import replace

from tests.unit.strategy.ensemble_desk import (
    BUCKETS,
    BUY,
    HOLD,
    SELL,
    account,
    bar,
    cancels,
    cell,
    features,
    fill_all,
    holding,
    intents,
    news,
    opening,
    policy,
    ready,
    scored,
    trading,
)


def test_each_bar_is_scored_and_the_score_names_all_it_was_made_of():
    seen = features(1, BUY)
    said = scored(react(ready(), seen, SECOND))
    assert said.message_id == caused_id(seen, ScoreComputed)
    assert (said.features_id, said.decision_id) == (seen.message_id, seen.decision_id)
    assert (said.p_short, said.p_mid, said.size_hint) == (BUY, BUY, seen.size_hint)
    assert said.weights == {"short": 0.4, "mid": 0.3, "rl": 0.3}
    assert (said.base, said.score) == (pytest.approx(BUY), pytest.approx(BUY))
    assert (said.action, said.mode, said.size_fraction) == (ScoreAction.BUY, Mode.FULL, 0.015)
    assert said.policy_version == 1


def test_s3_6_a_buy_enters_a_position_of_the_names_cap_with_its_stops():
    seen = features(1, BUY, atr=2.0)
    (intent,) = intents(react(ready(), seen, SECOND))
    assert (intent.side, intent.order_type, intent.reduce_only) == (
        Side.BUY,
        OrderType.MARKET,
        False,
    )
    assert intent.quantity == 150, "1.5 % of 1,000,000 at 100"
    assert intent.protection == Protection(
        stop=Decimal("3.60"), trail=Decimal("2.40"), profit=Decimal("5.00")
    )
    assert intent.strategy == "ensemble"
    assert intent.intent_id == caused_id(seen, OrderIntent, "ensemble")
    assert (intent.reference_price, intent.ts_market) == (100, SECOND)
    assert intent.reasons == ["entry", "score=0.9000", "base=0.9000", "mode=full"]


def test_an_undecided_bar_is_scored_and_asks_for_nothing():
    (only,) = bar(ready(), 1, HOLD)
    assert isinstance(only, ScoreComputed)
    assert (only.action, only.size_fraction) == (ScoreAction.HOLD, 0.0)


def test_a_position_on_the_wanted_side_is_not_resized():
    made = ready()
    holding(made)
    assert intents(bar(made, 2, BUY, close=50.0)) == []


def test_a_sell_closes_what_is_held_and_carries_no_stops():
    made = ready()
    holding(made)
    (intent,) = intents(bar(made, 2, SELL))
    assert (intent.side, intent.quantity, intent.reduce_only) == (Side.SELL, 150, True)
    assert intent.protection is None
    assert intent.reasons[0] == "exit"


def test_a_sell_of_nothing_asks_for_nothing_where_only_longs_are_allowed():
    said = bar(ready(), 1, SELL)
    assert (scored(said).action, scored(said).size_fraction) == (ScoreAction.SELL, 0.0)
    assert intents(said) == []


def test_a_short_is_entered_where_configuration_stage_and_bucket_allow_it():
    (intent,) = intents(bar(ready(allow_short=True), 1, SELL, "FUT"))
    assert (intent.side, intent.quantity, intent.reduce_only) == (Side.SELL, 70, False)
    assert intent.protection is not None


@pytest.mark.parametrize(
    ("name", "allow_short", "stage_allows"),
    [("FUT", False, True), ("FUT", True, False), ("SPY", True, True)],
)
def test_s3_9_a_short_is_not_asked_for_where_one_of_the_three_forbids_it(
    name, allow_short, stage_allows
):
    made = ready(allow_short=allow_short)
    react(made, trading(allow_short=stage_allows), 0)
    said = bar(made, 1, SELL, name)
    assert intents(said) == []
    assert scored(said).size_fraction == 0.0


def test_a_buy_closes_a_short_before_anything_else():
    made = ready(allow_short=True)
    (short,) = intents(bar(made, 1, SELL, "FUT"))
    fill_all(made, 1, short)
    (intent,) = intents(bar(made, 2, BUY, "FUT"))
    assert (intent.side, intent.quantity, intent.reduce_only) == (Side.BUY, 70, True)


@pytest.mark.parametrize("atr", [None, 0.0, -1.0, float("inf")])
def test_s3_6_without_a_range_nothing_is_entered(atr):
    said = bar(ready(), 1, BUY, atr=atr)
    assert scored(said).action is ScoreAction.BUY
    assert intents(said) == []


def test_without_a_range_a_position_is_still_closed():
    made = ready()
    holding(made)
    assert len(intents(bar(made, 2, SELL, atr=None))) == 1


def test_stops_are_a_tick_away_at_least():
    (intent,) = intents(bar(ready(), 1, BUY, atr=0.0001))
    tick = Decimal("0.01")
    assert intent.protection == Protection(stop=tick, trail=tick, profit=tick)


def test_s3_6_policy_sets_the_distances_of_the_stops_and_not_of_the_profit():
    made = ready()
    react(made, policy(2, stop_atr=3.0, trail_atr=0.5), 0)
    (intent,) = intents(bar(made, 1, BUY, atr=2.0))
    assert intent.protection == Protection(
        stop=Decimal("6.00"), trail=Decimal("1.00"), profit=Decimal("5.00")
    )


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_without_rules_a_standing_or_an_account_nothing_is_entered(missing):
    made = cell()
    for message in opening()[:missing] + opening()[missing + 1 :]:
        react(made, message, 0)
    assert intents(bar(made, 1, BUY)) == []


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCE_ONLY])
def test_a_desk_that_may_not_take_risk_is_asked_for_none_and_still_closes(state):
    made = ready()
    holding(made)
    react(made, trading(state=state), 0)
    assert intents(bar(made, 2, BUY, "GOOG")) == []
    (leaving,) = intents(bar(made, 3, SELL))
    assert leaving.reduce_only


def test_a_disabled_strategy_enters_nothing():
    made = ready()
    react(made, trading(disabled=["ensemble"]), 0)
    assert intents(bar(made, 1, BUY)) == []


@pytest.mark.parametrize(("banned", "allowed"), [("SPY", "GOOG"), ("index", "GOOG")])
def test_what_is_on_the_do_not_trade_list_is_not_entered(banned, allowed):
    made = ready()
    react(made, policy(2, [banned]), 0)
    assert intents(bar(made, 1, BUY, "SPY")) == []
    assert len(intents(bar(made, 1, BUY, allowed))) == 1


def test_what_is_in_no_configured_bucket_is_not_entered():
    made = ready(buckets={"penny": BUCKETS["penny"]})
    said = bar(made, 1, BUY)
    assert (scored(said).size_fraction, intents(said)) == (0.0, [])


def test_s3_9_the_stage_leaves_a_quarter_of_the_caps():
    made = ready()
    react(made, trading(cap_scales={"core": 0.25}), 0)
    said = bar(made, 1, BUY)
    assert scored(said).size_fraction == 0.00375
    assert intents(said)[0].quantity == 37


def test_the_size_is_of_the_equity_at_the_days_first_mark():
    made = ready()
    react(made, account(1, equity_at_day_start=Decimal(500_000)), 0)
    assert intents(bar(made, 1, BUY))[0].quantity == 75


def test_s3_5_a_bucket_is_filled_and_not_overfilled():
    rules = BucketRules(cap_pct=Decimal(2), name_pct=Decimal("1.5"))
    made = ready(buckets={"core": rules})
    holding(made, 1, "SPY")
    (second,) = intents(bar(made, 2, BUY, "GOOG"))
    assert second.quantity == 50, "0.5 % is left of 2"
    fill_all(made, 2, second)
    assert (made.state.positions["SPY"], made.state.positions["GOOG"]) == (150, 50)


def test_one_order_comes_to_its_notional_at_most():
    made = ready(max_order_notional=Decimal(7_550))
    assert intents(bar(made, 1, BUY))[0].quantity == 75


def test_an_open_entry_takes_its_room_before_it_is_filled():
    rules = BucketRules(cap_pct=Decimal(2), name_pct=Decimal("1.5"))
    made = ready(buckets={"core": rules})
    (first,) = intents(bar(made, 1, BUY, "SPY"))
    assert first.quantity == 150
    (second,) = intents(bar(made, 1, BUY, "GOOG"))
    assert second.quantity == 50


def test_a_denied_entry_gives_its_room_back():
    rules = BucketRules(cap_pct=Decimal(2), name_pct=Decimal("1.5"))
    made = ready(buckets={"core": rules})
    (first,) = intents(bar(made, 1, BUY, "SPY"))
    react(made, replace(denied(1), intent_id=first.intent_id), 0)
    assert intents(bar(made, 2, BUY, "GOOG"))[0].quantity == 150


def test_a_position_nobody_can_value_leaves_no_room():
    made = ready()
    react(made, fill(1, Side.BUY, 10, instrument_id="GOOG"), 0)
    assert intents(bar(made, 1, BUY, "SPY")) == []


def test_a_bucket_of_its_own_has_room_of_its_own():
    made = ready()
    holding(made, 1, "SPY")
    (penny,) = intents(bar(made, 2, BUY, "PNY", close=0.5))
    assert penny.quantity == 8_000, "0.4 % of 1,000,000 at 0.50"


def test_no_second_intent_goes_out_while_one_is_open():
    made = ready()
    assert len(intents(bar(made, 1, BUY))) == 1
    assert intents(bar(made, 2, BUY)) == []


@pytest.mark.parametrize(
    ("sentiment", "said_at", "penalties"),
    [
        (-0.31, 1, {"negative_news": -0.10}),
        (-0.30, 1, {}),
        (-0.31, 86_402, {"negative_news": -0.10}),
        (-0.31, 86_403, {}),
    ],
)
def test_news_counts_for_a_day(sentiment, said_at, penalties):
    made = ready()
    react(made, news(2, sentiment), 0)
    assert scored(bar(made, said_at, HOLD)).penalties == penalties
    assert scored(bar(made, said_at, HOLD, "GOOG")).penalties == {}


def test_policy_sets_the_weights_and_a_value_that_cannot_be_used_changes_nothing():
    made = ready()
    react(made, policy(2, weight__short=0.5, weight__mid=0.3, weight__rl=0.2), 0)
    new = {"short": 0.5, "mid": 0.3, "rl": 0.2}
    assert scored(bar(made, 1, HOLD)).weights == new
    for n, value in enumerate([float("nan"), -0.1, float("inf")], 3):
        react(made, policy(n, weight__short=value, weight__mid=0.3, weight__rl=0.2), 0)
        assert scored(bar(made, n, HOLD)).weights == new
    react(made, policy(9), 0)
    assert scored(bar(made, 9, HOLD)).weights == {"short": 0.4, "mid": 0.3, "rl": 0.3}


def test_old_features_are_neither_scored_nor_traded():
    assert react(ready(), features(1, BUY), 32 * SECOND) == []
    assert len(react(ready(), features(1, BUY), 31 * SECOND)) == 2


@pytest.mark.parametrize("close", [0.0, -1.0])
def test_a_price_that_is_none_makes_nothing(close):
    assert bar(ready(), 1, BUY, close=close) == []


def test_an_instrument_the_desk_does_not_trade_is_passed_over():
    assert intents(bar(ready(), 1, BUY, "TSLA")) == []


def test_a_desk_that_is_closing_closes_at_each_bar_and_enters_nothing():
    made = ready()
    holding(made)
    flat = trading(state=TradingState.HALTED, flatten=True, reason="kill rule")
    (closing,) = intents(react(made, flat, 0))
    assert closing.reasons == ["flatten", "kill rule"]
    react(made, replace(denied(1), intent_id=closing.intent_id), 0)
    said = bar(made, 2, BUY)
    assert scored(said).action is ScoreAction.BUY
    (again,) = intents(said)
    assert (again.side, again.reduce_only) == (Side.SELL, True)


def trimming():
    """Return an ensemble that holds more than the desk may, and the slice it asked for."""
    made = ready(section={"max_exposure_pct": Decimal(1)})
    holding(made)
    (slice_,) = intents(react(made, account(2), 2 * SECOND))
    assert slice_.reasons[0] == "trim"
    return made, slice_


def test_while_exposure_is_trimmed_nothing_is_entered():
    made, _ = trimming()
    said = bar(made, 3, BUY, "GOOG")
    assert scored(said).action is ScoreAction.BUY
    assert intents(said) == []


def test_an_exit_takes_back_the_slice_that_rests():
    made, slice_ = trimming()
    (cancel,) = cancels(bar(made, 3, SELL))
    assert cancel.client_order_id == client_order_id(slice_.intent_id)


def test_nothing_of_a_bar_waits_for_anything_outside():
    """All that is said to a bar is messages: no effect stands between it and an intent."""
    made = ready()
    made.service.evolve(made.state, features(1, BUY))
    said = made.service.decide(made.state, features(1, BUY), SECOND)
    assert [type(one) for one in said] == [ScoreComputed, OrderIntent]
    assert all(isinstance(one, Message) for one in said)
