"""When something fires, how often, what it costs of the day's calls, and what is said of it."""

from decimal import Decimal

import pytest
from interlock.escalation.core import CLOUD_UNAVAILABLE, decide
from interlock.escalation.ports import AskModel, ModelFailed
from interlock.escalation.state import evolve
from interlock.testkit.cells import CrashError, drive
from interlock.testkit.desk_messages import SECOND
from interlock.wire.base import caused_id
from interlock.wire.codec import decode, encode
from interlock.wire.reasoning import (
    AnswerSource,
    CallKind,
    DoNotTradeProposed,
    EscalationTriggered,
    ParameterProposal,
    ReasonerFailed,
    ReasonerFailure,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    Trigger,
)
from interlock.wire.system import AlertRaised
from msgspec.structs import replace

from tests.unit.escalation.escalation_cells import (
    NONE,
    RULES,
    account,
    cell,
    config,
    fired,
    killed,
    market,
    of,
    parameters,
    put_call,
    say,
    tell,
)

T = Trigger


def test_a_calm_day_says_nothing():
    room = cell()
    tell(room, parameters(), *market(0.5, 0.8), put_call(0.9))
    assert say(room, account(1, -1.0)) == []


def test_s3_1_a_trigger_fires_once_until_it_has_cleared():
    room = cell(config(max_calls_per_day=9))
    seen = [
        fired(say(room, account(1, second=100 * n, drawdown=fall)))
        for n, fall in enumerate((8.5, 9.5, 7.0, 8.5, 6.0, 8.5, 8.6), 1)
    ]
    assert seen == [{T.RISK: True}, {}, {}, {}, {}, {T.RISK: True}, {}]


def test_a_trigger_that_stands_over_night_does_not_fire_in_the_morning():
    room = cell()
    say(room, account(1, drawdown=9.0))
    assert say(room, account(2, drawdown=9.0)) == []
    assert say(room, account(3, drawdown=5.0)) == []
    assert fired(say(room, account(4, drawdown=9.0))) == {T.RISK: True}


def test_the_kill_switch_fires_once_a_day_and_again_on_the_next():
    room = cell()
    seen = [
        T.KILL_SWITCH in fired(say(room, account(day, pnl, second)))
        for day, pnl, second in [
            (1, -3.0, 100), (1, -1.0, 200), (1, -3.0, 300), (2, -3.0, 100), (2, -4.0, 200),
        ]
    ]  # fmt: skip
    assert seen == [True, False, False, True, False]


def test_policys_kill_rule_asks_the_judge_also_at_exactly_the_limit():
    room = cell()
    assert say(room, account(1, -2.5)) == []
    said = say(room, killed(1))
    assert fired(said) == {T.KILL_SWITCH: True}
    (judged,) = of(SanityJudged, said)
    assert "kill rule: -2.60 %" in judged.prompt
    assert say(room, account(1, -2.5, 36_001)) == []


def test_a_kill_of_another_day_asks_nobody():
    room = cell()
    tell(room, account(5))
    assert say(room, killed(4)) == []


def test_another_accounts_losses_are_none_of_ours():
    assert say(cell(), account(1, -9.0, account="somebody")) == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_an_account_without_numbers_fires_nothing(text):
    room = cell()
    broken = account(1, equity=Decimal(text), day_pnl=Decimal(text), drawdown=float("nan"))
    assert say(room, broken) == []


def test_an_account_that_is_long_past_fires_nothing():
    room = cell()
    late = account(1, -9.0)
    state = evolve(room.state, late)
    assert decide(state, late, late.ts_event + 301 * SECOND) == []
    assert decide(state, late, late.ts_event + 300 * SECOND)


# The day's calls.


def test_a_fourth_call_is_refused_and_said_so():
    """The third is the kill switch's; what is refused is not asked later either."""
    room = cell()
    seen = {}
    for n, message in enumerate([put_call(2.0), *market(3.0, 0.1)]):
        say(room, message)
        seen |= fired(say(room, account(1, second=1_000 + n)))
    assert seen == {T.EVENT_HEAT: True, T.REGIME: True}
    said = say(room, account(1, second=2_000, drawdown=9.0))
    (refused,) = said
    assert isinstance(refused, EscalationTriggered)
    assert (refused.trigger, refused.granted, refused.calls_today) == (T.RISK, False, 2)
    assert refused.reason == (
        "2 of 3 calls of this trading day are made, the last one is kept for the kill switch"
    )
    said = say(room, account(1, -3.0, second=3_000, drawdown=9.0))
    assert fired(said) == {T.KILL_SWITCH: True}
    assert of(EscalationTriggered, said)[0].calls_today == 3
    tell(room, put_call(1.0), account(1, -3.0, second=4_000, drawdown=9.0), put_call(2.1))
    (fourth,) = say(room, account(1, -3.0, second=5_000, drawdown=9.0))
    assert (fourth.trigger, fourth.granted) == (T.EVENT_HEAT, False)
    assert fourth.reason == "all 3 calls of this trading day are made"


def test_a_new_day_has_new_calls():
    room = cell()
    tell(room, put_call(2.0), *market(3.0, 0.1))
    assert list(fired(say(room, account(1, -3.0))).values()) == [True, True, True, False]
    tell(room, put_call(1.0, day=2), account(2), put_call(2.0, day=2))
    assert fired(say(room, account(2, second=40_000))) == {T.EVENT_HEAT: True}


def test_a_refused_trigger_stands_like_a_granted_one():
    room = cell(config(max_calls_per_day=1))
    assert fired(say(room, account(1, drawdown=9.0))) == {T.RISK: False}
    assert say(room, account(2, drawdown=9.0)) == []


# What is said.


def test_a_risk_becomes_proposals_for_the_rewards():
    room = cell()
    tell(room, parameters())
    cause = account(1, drawdown=9.0)
    said = say(room, cause)
    triggered, *proposals, outcome = said
    assert triggered.observed == {"drawdown_5d_pct": 9.0, "daily_loss_pct": 0.0}
    assert triggered.limits == {"drawdown_5d_pct": 8.0, "daily_loss_pct": 2.5}
    assert (triggered.call, triggered.granted) == (CallKind.REWARD_ENGINEER, True)
    assert [(one.parameter, one.proposed, one.delta) for one in proposals] == [
        ("reward.drawdown", 0.6, None)
    ]
    assert isinstance(outcome, RewardsEngineered)
    assert (outcome.asked_by, outcome.source) == (T.RISK, AnswerSource.CLOUD)
    assert {one.decision_id for one in said} == {cause.decision_id}
    assert proposals[0].ts_desk == cause.ts_desk
    assert proposals[0].prompt_hash == outcome.prompt_hash
    assert all(decode(encode(one)) == one for one in said)


def test_a_regime_becomes_differences_of_weights_and_caps_and_names_first():
    room = cell()
    tell(room, parameters(), *market(3.5, 0.1))
    _, names, *proposals, outcome = say(room, account(1))
    assert isinstance(names, DoNotTradeProposed)
    assert isinstance(outcome, RegimeAudited)
    assert {one.parameter: one.delta for one in proposals} == {
        "weight.short": -0.05,
        "weight.mid": 0.05,
        "bucket_cap_pct.penny": -0.2,
        "bucket_cap_pct.fno": -0.5,
        "bucket_cap_pct.core": -5.0,
    }
    assert proposals[0].current == 0.4
    assert proposals[0].proposed == 0.35
    assert outcome.regime_label == "crisis"


def test_a_kill_becomes_a_verdict_and_tighter_limits():
    room = cell()
    tell(room, parameters())
    said = say(room, account(1, -3.0))
    (judged,) = of(SanityJudged, said)
    assert judged.stay_demo is False
    assert judged.live_changes.max_position_pct == 1.35
    assert judged.live_changes.stop_multipliers.atr == 1.71
    assert {"max_position_pct", "stop_atr", "trail_atr"} <= {
        one.parameter for one in of(ParameterProposal, said)
    }


def test_after_a_severe_loss_the_judge_keeps_the_desk_on_paper():
    (judged,) = of(SanityJudged, say(cell(), account(1, -6.0)))
    assert judged.stay_demo is True


def test_a_verdict_is_younger_than_the_kill_it_is_about():
    room = cell()
    kill = killed(1)
    tell(room, account(1, -2.5))
    (judged,) = of(SanityJudged, say(room, kill))
    assert judged.ts_event > kill.ts_event


# A model that fails.


def failing(effect, source, reason=ReasonerFailure.TIMEOUT):
    assert effect.source is source
    return ModelFailed(
        asked=effect,
        reason=reason,
        detail="no answer within 10 s",
        provider="openai",
        model="gpt-5",
        spent_usd=Decimal("0.01"),
        latency_ns=7,
    )


def asked(room, message):
    """Return what is said to `message` before anybody answers."""
    room.state = evolve(room.state, message)
    said = decide(room.state, message, message.ts_event)
    for one in said:
        if not isinstance(one, AskModel):
            room.state = evolve(room.state, one)
    return said


def test_s3_8_where_the_cloud_fails_the_local_model_is_asked_the_same_and_a_person_is_told():
    room = cell()
    _, effect = asked(room, account(1, drawdown=9.0))
    failure, alert, local = decide(room.state, failing(effect, AnswerSource.CLOUD), 0)
    assert isinstance(failure, ReasonerFailed)
    assert (failure.reason, failure.spent_usd) == (ReasonerFailure.TIMEOUT, Decimal("0.01"))
    assert isinstance(alert, AlertRaised)
    assert alert.text == "cloud model unavailable, using local reasoner" == CLOUD_UNAVAILABLE
    assert local.source is AnswerSource.LOCAL
    assert local.question.prompt == effect.question.prompt
    assert local.escalation == effect.escalation


def test_where_both_fail_nothing_is_proposed_and_both_are_counted():
    room = cell()
    _, effect = asked(room, account(1, drawdown=9.0))
    first, _, local = decide(room.state, failing(effect, AnswerSource.CLOUD), 0)
    alert, second = decide(room.state, failing(local, AnswerSource.LOCAL), 0)
    assert {first.message_id, second.message_id} == {
        caused_id(effect.escalation, ReasonerFailed, source) for source in AnswerSource
    }
    assert alert.text == "no model answered reward_engineer (timeout), nothing is proposed"
    assert room.state.open
    for message in (first, second):
        evolve(room.state, message)
    assert not room.state.open


def test_without_a_local_model_the_clouds_failure_is_the_last():
    room = cell(config(cloud=RULES, local=NONE))
    _, effect = asked(room, account(1, drawdown=9.0))
    alert, failure = decide(room.state, failing(effect, AnswerSource.CLOUD), 0)
    assert "nothing is proposed" in alert.text
    evolve(room.state, failure)
    assert not room.state.open


def test_without_a_cloud_model_the_local_one_is_asked_and_nobody_is_alarmed():
    room = cell(config(cloud=NONE))
    said = say(room, account(1, drawdown=9.0))
    (outcome,) = of(RewardsEngineered, said)
    assert outcome.source is AnswerSource.LOCAL
    assert not of(AlertRaised, said)


# A crash.


def crashing(room, message, kind):
    """Let the process die before what has a message of this kind in it is published."""
    said = []

    def before(step):
        return any(isinstance(one, kind) for one in getattr(step, "messages", ()))

    with pytest.raises(CrashError):
        drive(room.react(message, message.ts_event), room.service.perform, said=said, before=before)
    return said


def test_a_call_without_an_outcome_is_asked_again_under_the_same_id_and_counted_once():
    message = account(1, drawdown=9.0)
    said = crashing(cell(), message, RewardsEngineered)
    assert fired(said) == {T.RISK: True}
    again = cell()
    for one in said:
        again.recover(one, own=True)
    more = say(again, message)
    assert not of(EscalationTriggered, more), "it was said before"
    assert of(RewardsEngineered, more)
    assert len(again.state.granted[1]) == 1
    whole = say(cell(), message)
    assert [one.message_id for one in [*said, *more]] == [one.message_id for one in whole]


def test_a_call_with_its_outcome_is_not_asked_again():
    message = account(1, drawdown=9.0)
    said = say(cell(), message)
    again = cell()
    for one in said:
        again.recover(one, own=True)
    assert say(again, message) == []


def test_an_escalation_that_was_read_back_twice_counts_once():
    message = account(1, drawdown=9.0)
    said = say(cell(), message)
    again = cell()
    for one in [*said, *said]:
        again.recover(one, own=True)
    assert len(again.state.granted[1]) == 1
    assert not again.state.open


def test_the_same_input_gives_the_same_bytes():
    def day():
        room = cell()
        heard = [parameters(), *market(3.0, 0.1), put_call(2.0), account(1, -3.0), killed(1)]
        return [encode(one) for message in heard for one in say(room, message)]

    assert day() == day()


def test_a_message_that_is_told_again_changes_nothing():
    room = cell()
    message = account(1, drawdown=9.0)
    assert say(room, message)
    assert say(room, replace(message, message_id="another", ts_desk=message.ts_desk + 1)) == []
