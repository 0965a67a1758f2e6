"""While a person wants no model asked: triggers fire, are logged, and are granted nothing."""

from decimal import Decimal

import pytest
from interlock.escalation.core import decide
from interlock.escalation.ports import AskModel, ModelFailed
from interlock.escalation.state import evolve
from interlock.wire.codec import decode, encode
from interlock.wire.reasoning import (
    AnswerSource,
    CallKind,
    EscalationTriggered,
    PauseReasoner,
    ReasonerFailed,
    ReasonerFailure,
    ResumeReasoner,
    Trigger,
)

from tests.unit.escalation.escalation_cells import (
    account,
    cell,
    fired,
    market,
    named,
    parameters,
    put_call,
    say,
    tell,
)
from tests.unit.escalation.test_post_mortem import over

T = Trigger


def pause(n=1, by="ann"):
    return PauseReasoner(**named(PauseReasoner, n), ts_event=0, by=by, reason="odd answers")


def resume(n=1):
    return ResumeReasoner(**named(ResumeReasoner, n), ts_event=0, by="ann", reason="mended")


@pytest.mark.parametrize(
    ("beginning", "moment", "trigger"),
    [
        ((), account(1, -3.0), T.KILL_SWITCH),
        ((), account(1, drawdown=9.0), T.RISK),
        (market(2.5, 0.3), account(1), T.REGIME),
        ((put_call(1.7),), account(1), T.EVENT_HEAT),
    ],
)
def test_no_trigger_is_granted_a_call_and_each_is_logged(beginning, moment, trigger):
    room = cell()
    tell(room, parameters(), *beginning, pause())
    said = say(room, moment)
    assert fired(said)[trigger] is False
    assert all(isinstance(one, EscalationTriggered) for one in said), "nobody is asked"
    (asked,) = [one for one in said if one.trigger is trigger]
    assert asked.reason == "models are not asked: paused by ann"
    assert asked.calls_today == 0


def test_who_gave_no_name_pauses_all_the_same():
    room = cell()
    tell(room, parameters(), pause(by=" "))
    assert fired(say(room, account(1, drawdown=9.0))) == {T.RISK: False}


def test_after_a_resume_the_next_trigger_asks_and_what_was_refused_is_not_asked_late():
    room = cell()
    tell(room, parameters(), pause())
    say(room, account(1, drawdown=9.0))
    tell(room, resume())
    assert say(room, account(1, second=40_000, drawdown=9.0)) == []
    say(room, account(2, drawdown=1.0))
    assert fired(say(room, account(3, drawdown=9.0))) == {T.RISK: True}


def test_a_question_under_way_that_fails_is_asked_of_nobody_else():
    room = cell()
    tell(room, parameters())
    heard = account(1, drawdown=9.0)
    state = evolve(room.state, heard)
    (triggered, ask) = decide(state, heard, heard.ts_event)
    state = evolve(state, triggered)
    assert isinstance(ask, AskModel)
    assert ask.source is AnswerSource.CLOUD
    state = evolve(state, pause())
    failed = ModelFailed(
        asked=ask,
        reason=ReasonerFailure.TIMEOUT,
        detail="10 s",
        provider="rules",
        model="rules",
        spent_usd=Decimal(0),
        latency_ns=1,
    )
    said = decide(state, failed, heard.ts_event)
    assert not [one for one in said if isinstance(one, AskModel)]
    (failure,) = [one for one in said if isinstance(one, ReasonerFailed)]
    assert (failure.question, failure.source) == (CallKind.REWARD_ENGINEER, AnswerSource.CLOUD)


def test_a_pause_outlives_the_process():
    room = cell()
    for message in (parameters(), pause(), account(1, drawdown=9.0)):
        tell(room, decode(encode(message)))
    assert room.state.paused_by == "ann"


def test_the_cloud_adds_no_part_about_a_day_either():
    room = cell()
    tell(room, parameters(), account(1, drawdown=9.0), pause())
    (triggered,) = say(room, over(1))
    assert (triggered.trigger, triggered.granted) == (T.POST_MORTEM, False)
    assert triggered.reason == "models are not asked: paused by ann"
