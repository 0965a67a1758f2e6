"""What a desk with models says, as the console keeps and shows it."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.console import controls
from interlock.console.desk_views import dial_of, dial_view, kill_days, modes
from interlock.console.order_book import OrderBook, decision_item, verdict_of
from interlock.console.promotion_view import promotion_view
from interlock.console.scores import scores_now
from interlock.console.state import Live, evolve
from interlock.model.values import Side
from interlock.testkit.decisions import account, desk, trading
from interlock.testkit.desk_messages import intent, submitted
from interlock.wire.accounts import PositionLine
from interlock.wire.codec import decode
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.reasoning import PostMortemWritten, SanityJudged, SentimentJudged
from msgspec.structs import replace

EXAMPLES = Path(__file__).parents[3] / "proto" / "examples"
RULE = {"kill_days": 3, "window_days": 10}


def example(tag):
    return decode((EXAMPLES / tag / "typical.json").read_bytes())


def mode(which, at, *, begun=True):
    return ModeChanged(
        message_id=f"{which} {at}",
        decision_id="d",
        ts_event=at,
        desk="hybrid",
        mode=which,
        begun=begun,
        reason="local reasoner offline, RL-only mode",
        by_silence=not begun,
    )


def heard(*messages):
    live = Live()
    for message in messages:
        evolve(live, message, 0)
    return live


def test_several_modes_hold_at_once_and_one_that_ended_is_over():
    live = heard(
        mode(Mode.RL_ONLY, 2), mode(Mode.DATA_STALL, 1), mode(Mode.PREDICTORS_ONLY, 3),
        mode(Mode.PREDICTORS_ONLY, 4, begun=False),
    )  # fmt: skip
    assert [(one.mode, one.since) for one in modes(live)] == [("data_stall", "1"), ("rl_only", "2")]


def test_a_mode_read_back_late_undoes_nothing():
    assert modes(heard(mode(Mode.RL_ONLY, 5, begun=False), mode(Mode.RL_ONLY, 2))) == []


def test_that_all_models_are_there_is_no_failure():
    assert modes(heard(mode(Mode.FULL, 1))) == []


def test_the_last_score_of_each_instrument_is_shown_with_its_news():
    first = example("strategy.score.v1")
    news = replace(example("reasoner.sentiment.v1"), instrument_id="IBM", sentiment=-0.5)
    live = heard(replace(first, instrument_id="MSFT"), first, replace(first, score=0.3), news)
    assert isinstance(news, SentimentJudged)
    shown = [(one.instrument_id, one.score, one.sentiment) for one in scores_now(live)]
    assert shown == [("IBM", 0.3, -0.5), ("MSFT", first.score, None)]


def test_the_dial_goes_evenly_from_one_hard_limit_to_the_other():
    dial = dial_of("max_position_pct", {"lower": 0.25, "upper": 1.5})
    assert dial.levels == (0.25, 0.6667, 1.0833, 1.5)
    at = dial_view(dial, {"max_position_pct": 1.5})
    assert at is not None
    assert (at.level, at.value, at.parameter) == (3, 1.5, "max_position_pct")
    between = dial_view(dial, {"max_position_pct": 1.35})
    assert between is not None
    assert between.level is None


@pytest.mark.parametrize(
    ("limits", "parameters"),
    [
        ({}, {"aggressiveness": 1.0}),
        ({"lower": 0, "upper": 3}, {}),
        ({"lower": 1, "upper": 1}, {"aggressiveness": 1.0}),
        ({"lower": "much", "upper": 3}, {"aggressiveness": 1.0}),
    ],
)
def test_a_desk_without_the_parameter_has_no_dial(limits, parameters):
    assert dial_view(dial_of("aggressiveness", limits), parameters) is None


def test_a_kill_day_counts_until_its_window_has_passed():
    live = heard(replace(trading(), kill_days=[100]))
    assert kill_days(live, [101, 102, 103], 10) == ["1970-04-11"]
    assert kill_days(live, range(101, 110), 10) == ["1970-04-11"]
    assert kill_days(live, range(101, 111), 10) == []
    assert kill_days(Live(), [1], 10) == []


def test_what_keeps_the_desk_on_paper_is_told_in_words():
    judged = replace(example("reasoner.sanity-judged.v1"), stay_demo=True, ts_event=5)
    assert isinstance(judged, SanityJudged)
    killed = replace(
        trading(), kill_days=[100], paper_after=100, quarantined_since=100,
        quarantined_until=107, quarantined_at=3, demo_only=True, forced_demo=True,
    )  # fmt: skip
    shown = promotion_view(heard(killed, judged), RULE, ["1970-04-11"])
    assert (shown.quarantined_until, shown.kill_days_limit) == ("1970-04-18", 3)
    assert [line.partition(":")[0] for line in shown.path[:3]] == [
        "killed on 1970-04-11",
        "in quarantine until 1970-04-18; a person may end it early where the judge agrees",
        "a person forced demo",
    ]
    assert shown.path[1].endswith("the judge says stay on paper")
    late = promotion_view(heard(replace(killed, quarantined_at=9), judged), RULE, [])
    assert late.path[1].endswith("no judge has looked since it began")


def test_before_the_first_word_nothing_is_claimed():
    shown = promotion_view(Live(), {}, [])
    assert (shown.stage, shown.criteria, shown.path, shown.judged_stay_demo) == (
        "demo", [], [], None,
    )  # fmt: skip


def test_what_is_shown_of_others_leaves_the_state_alone():
    written = example("reasoner.post-mortem.v1")
    assert isinstance(written, PostMortemWritten)
    assert heard(written) == Live()


def test_a_control_that_lets_what_reduces_pass_is_not_shown_as_held():
    wanted = replace(intent(1), reduce_only=True)
    _, known = OrderBook().hear(wanted)
    assert known is not None
    lines = controls.held_against(known.order, "approved", [], {})
    asked = {one.code: one.asked for one in lines}
    assert asked == {one.code: one.binds_reducing for one in controls.table()}
    entry = replace(known.order, reduce_only=False)
    assert all(one.asked for one in controls.held_against(entry, "approved", [], {}))


def test_of_an_order_the_use_of_its_own_name_is_shown_and_not_the_tightest():
    held = account(
        1,
        equity_at_day_start=Decimal(10_000),
        positions=[
            PositionLine(
                instrument_id=name, quantity=Decimal(quantity), avg_px=Decimal(100),
                mark=Decimal(100), unrealised_pnl=Decimal(0),
            )
            for name, quantity in (("SPY", 1), ("IBM", 9))
        ],
    )  # fmt: skip
    limits = {"default_limits": {"max_position_notional": 1000}}
    uses = controls.uses_of_account(desk(), limits, held)
    assert uses["position.notional"].about == "IBM"
    own = controls.uses_of_account(desk(), limits, held, "SPY")
    assert (own["position.notional"].about, own["position.notional"].headroom_pct) == ("SPY", 90.0)


@pytest.mark.parametrize(
    ("side", "held", "after"), [("buy", 4, 14), ("sell", 4, -6), ("buy", 0, 10)]
)
def test_what_an_order_uses_is_counted_with_the_order_filled(side, held, after):
    lines = [
        PositionLine(
            instrument_id="SPY", quantity=Decimal(held), avg_px=Decimal(90), mark=Decimal(95),
            unrealised_pnl=Decimal(0),
        )
    ] if held else []  # fmt: skip
    _, known = OrderBook().hear(intent(1, Side(side), 10))
    assert known is not None
    (line,) = controls.with_order(account(1, positions=lines), known.order).positions
    assert (line.instrument_id, line.quantity) == ("SPY", Decimal(after))
    assert line.mark == Decimal(known.order.reference_price or 0)


def test_a_protective_order_was_signed_with_its_entry_and_not_judged():
    _, known = OrderBook().hear(replace(submitted(2, Side.SELL), parent="il-1"))
    assert known is not None
    assert decision_item(known).verdict == "protective"
    assert verdict_of(replace(known.order, parent=None)) == "approved"
