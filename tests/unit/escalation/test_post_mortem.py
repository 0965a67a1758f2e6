"""The cloud's part of a post-mortem: on days with escalations, inside that day's calls."""

from decimal import Decimal

import pytest
from interlock.escalation.core import decide
from interlock.escalation.ports import AskModel, ModelFailed
from interlock.escalation.state import evolve
from interlock.testkit.desk_messages import ACCOUNT, SECOND
from interlock.wire.accounts import DaySummarised
from interlock.wire.codec import decode, encode
from interlock.wire.reasoning import (
    AnswerSource,
    CallKind,
    EscalationTriggered,
    PostMortemSource,
    PostMortemWritten,
    ReasonerFailure,
    Trigger,
)
from msgspec.structs import replace

from tests.unit.escalation.escalation_cells import (
    DAY_SECONDS,
    NONE,
    account,
    cell,
    config,
    market,
    of,
    put_call,
    say,
    tell,
)


def over(day, **more):
    """Return the summary of a day, said as the next one begins."""
    fields = {
        "message_id": f"{day:032x}",
        "decision_id": f"{day + 1_000:032x}",
        "ts_event": (day + 1) * DAY_SECONDS * SECOND,
        "desk": "hybrid",
        "account": ACCOUNT,
        "currency": "USD",
        "day": day,
        "equity_at_day_start": Decimal(100_000),
        "equity": Decimal(97_000),
        "day_pnl": Decimal(-3_000),
        "fees": Decimal(10),
        "drawdown_5d_pct": 3.0,
        "max_drawdown_pct": 3.2,
        "cadences": 10,
        "intents": 4,
        "approvals": 3,
        "fills": 3,
        "killed": True,
        "escalations": 1,
        "proposals_applied": 0,
        "instruments": [],
        "denials_by_code": {},
        "trips_by_code": {},
        "failures": {},
    }
    return DaySummarised(**(fields | more))


def test_a_day_with_an_escalation_is_written_about_inside_its_calls():
    room = cell()
    tell(room, account(1, drawdown=9.0))
    triggered, written = say(room, over(1))
    assert isinstance(triggered, EscalationTriggered)
    assert (triggered.trigger, triggered.call) == (Trigger.POST_MORTEM, CallKind.POST_MORTEM)
    assert (triggered.granted, triggered.calls_today, triggered.day) == (True, 2, 1)
    assert isinstance(written, PostMortemWritten)
    assert (written.source, written.day) == (PostMortemSource.CLOUD, 1)
    assert written.figures["day_pnl_pct"] == -3.0
    assert written.root_cause
    assert all(decode(encode(one)) == one for one in (triggered, written))
    assert not room.state.open


def test_a_day_without_an_escalation_is_left_to_the_local_reasoner():
    room = cell()
    tell(room, account(1, -1.0))
    assert say(room, over(1)) == []


def test_a_post_mortem_makes_the_next_day_no_day_of_escalations():
    room = cell()
    tell(room, account(1, drawdown=9.0), account(2, drawdown=9.0), over(1))
    assert say(room, over(2)) == []


def test_the_call_kept_for_the_kill_switch_is_free_when_the_day_is_over():
    room = cell()
    tell(room, put_call(2.0), *market(3.0, 0.1), account(1))
    triggered, _ = say(room, over(1))
    assert (triggered.granted, triggered.calls_today) == (True, 3)


def test_a_day_whose_calls_are_all_made_has_none_left_for_it():
    room = cell()
    tell(room, put_call(2.0), account(1, -3.0))
    (refused,) = say(room, over(1))
    assert (refused.granted, refused.calls_today) == (False, 3)
    assert refused.reason == "all 3 calls of the day that is over were made"


def test_a_summary_that_comes_again_asks_nobody_again():
    room = cell()
    tell(room, account(1, drawdown=9.0), over(1))
    assert say(room, replace(over(1), equity=Decimal(1))) == []


def test_a_summary_whose_answer_is_missing_is_asked_about_again():
    room = cell()
    tell(room, account(1, drawdown=9.0))
    triggered, _ = say(room, over(1))
    again = cell()
    for one in of(EscalationTriggered, [triggered]):
        again.recover(one, own=True)
    (written,) = say(again, over(1))
    assert isinstance(written, PostMortemWritten)


@pytest.mark.parametrize("configured", [config(cloud=NONE)], ids=["no cloud model"])
def test_without_a_cloud_model_nobody_is_asked(configured):
    room = cell(configured)
    tell(room, account(1, drawdown=9.0))
    assert say(room, over(1)) == []


def test_another_accounts_day_is_none_of_ours():
    room = cell()
    tell(room, account(1, drawdown=9.0))
    assert say(room, over(1, account="somebody")) == []


def test_where_the_cloud_fails_the_local_reasoners_own_part_has_to_do():
    room = cell()
    tell(room, account(1, drawdown=9.0))
    _, effect = decide(room.state, over(1), over(1).ts_event)
    assert isinstance(effect, AskModel)
    report = ModelFailed(
        asked=effect,
        reason=ReasonerFailure.TIMEOUT,
        detail="",
        provider="openai",
        model="gpt-5",
        spent_usd=Decimal(0),
        latency_ns=1,
    )
    room.state = evolve(room.state, effect.escalation)
    alert, failure = decide(room.state, report, 0)
    assert alert.text == "cloud model unavailable, using local reasoner"
    assert effect.source is AnswerSource.CLOUD
    evolve(room.state, failure)
    assert not room.state.open
