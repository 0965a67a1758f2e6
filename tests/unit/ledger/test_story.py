"""The story of a desk that escalates, from its messages and from its journal."""

import json
from decimal import Decimal

from interlock.cli.main import app
from interlock.cli.story_lines import story_lines
from interlock.ledger.app import journal_path
from interlock.ledger.story import Telling, story_of, tell
from interlock.ledger.story_query import story_in
from interlock.model.values import TradingState
from interlock.runtime.journal import Entry, Journal
from interlock.testkit.decisions import account, trading
from interlock.testkit.desk_messages import SECOND, ids
from interlock.wire import codec
from interlock.wire.catalogue import entry_of, subject_of
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.reasoning import (
    CallKind,
    EscalationTriggered,
    ReasonerFailed,
    ReasonerFailure,
    SanityJudged,
    Trigger,
)
from msgspec.structs import replace
from typer.testing import CliRunner

DAY_NS = 86_400 * SECOND
NOON = 12 * 3_600 * SECOND


def on(day):
    return day * DAY_NS + NOON


def fired(day, trigger=Trigger.RISK, *, granted=True, calls=1):
    return EscalationTriggered(
        **ids("fired", day, trigger, granted),
        ts_event=on(day),
        trigger=trigger,
        call=CallKind.REWARD_ENGINEER,
        observed={"daily_loss_pct": 3.0},
        limits={"daily_loss_pct": 2.5},
        granted=granted,
        reason="call 1 of 3",
        calls_today=calls,
        ts_desk=on(day),
        day=day,
    )


def marked(day, loss=0):
    return account(day, ts_event=on(day), day=day, day_pnl=Decimal(-loss))


def standing(day, epoch, **more):
    fields = {"ts_event": on(day), "kill_days": [], "author": "policy", "reason": "why"}
    return replace(trading(TradingState.ACTIVE, epoch), **(fields | more))


def judged(day):
    return SanityJudged(
        **ids("judged", day), ts_event=on(day), stay_demo=False, rationale="", provider="p",
        model="m", cost_usd=Decimal("0.25"),
    )  # fmt: skip


def failed(day):
    return ReasonerFailed(
        **ids("failed", day), ts_event=on(day), reason=ReasonerFailure.TIMEOUT, detail="",
        provider="p", model="m", spent_usd=Decimal("0.05"), latency_ns=0,
    )  # fmt: skip


def mode(day, *, begun):
    return ModeChanged(**ids("mode", day, begun), ts_event=on(day), mode=Mode.RL_ONLY, begun=begun,
                       reason="")  # fmt: skip


KILLED = [
    marked(100),
    marked(101, 900),
    standing(101, 2, kill_days=[101], paper_after=101, reason="kill rule: -900 USD"),
    fired(101),
    fired(101, Trigger.REGIME, granted=False),
    judged(101),
    failed(101),
    marked(102),
    mode(102, begun=True),
    mode(103, begun=False),
    standing(103, 3, kill_days=[101], reason="the session on paper is over"),
    fired(103, calls=2),
]


def told(messages):
    telling = Telling()
    for message in messages:
        tell(telling, message)
    return story_of(telling)


def test_it_says_what_was_asked_and_what_it_cost():
    story = told(KILLED)
    assert (story.granted, story.refused) == ({"risk": 2}, {"regime": 1})
    assert (story.calls, story.most_calls_a_day) == ({"reward_engineer": 2}, 2)
    assert (story.model_calls, story.model_failures) == ({"sanity_judge": 1}, 1)
    assert (story.cost_usd, story.most_cost_a_day_usd) == (Decimal("0.30"), Decimal("0.30"))
    assert (story.modes, story.judged) == ({"rl_only": 1}, {101: False})


def test_the_dearest_day_is_told_and_failures_count():
    story = told([*KILLED, judged(102), judged(103), failed(103)])
    assert (story.cost_usd, story.most_cost_a_day_usd) == (Decimal("0.85"), Decimal("0.30"))
    told_of = dict(story_lines(story))["models"]
    assert told_of.endswith("cost 0.85 USD, at most 0.30 on a day")


def test_a_kill_day_is_told_once_with_its_loss_and_the_way_back():
    story = told(KILLED)
    assert [(one.day, one.loss_pct) for one in story.kill_days] == [(101, 3.0)]
    (spell,) = story.spells
    assert (spell.kind, spell.since, spell.until, spell.sessions) == ("paper", 101, 103, 1)
    assert "the session on paper is over" in spell.ended_by


def test_a_quarantine_that_is_not_over_is_told_as_one():
    begins = standing(101, 2, kill_days=[99, 100, 101], quarantined_since=101)
    (spell,) = told([marked(101, 900), begins, marked(102), marked(103)]).spells
    assert (spell.kind, spell.until, spell.sessions) == ("quarantine", None, 2)


def test_a_desk_without_any_of_it_has_no_story():
    assert told([marked(100), standing(100, 1), judged(100)]) is None
    assert story_lines(None) == []


def test_the_lines_name_the_days_and_the_losses():
    lines = dict(story_lines(told(KILLED)))
    assert lines["kill days"] == "1970-04-12: -3.00 %"
    assert lines["escalated"].startswith("regime 0 + 1 refused, risk 2; 2 calls granted")
    assert lines["models"].startswith("sanity_judge 1, 1 gave nothing; cost 0.30 USD")


def test_the_journal_tells_the_same_story_and_the_command_lists_the_triggers(tmp_path):
    path = journal_path(tmp_path)
    path.parent.mkdir()
    journal = Journal(path)
    rows = [Entry(entry_of(one).stream, subject_of(one), codec.encode(one)) for one in KILLED]
    torn = replace(rows[0], body=b"{")
    elsewhere = replace(rows[-1], subject=f"{rows[-1].subject}.else")
    journal.append([torn, *rows, elsewhere])
    journal.close()
    assert story_in(path) == told(KILLED)
    words = ["escalation", "table", "--state", str(tmp_path), "--json"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    rows = json.loads(answer.stdout)
    assert [(row["day"], row["trigger"], row["granted"]) for row in rows] == [
        (101, "risk", True),
        (101, "regime", False),
        (103, "risk", True),
    ]


def test_a_folder_without_a_journal_is_one_line(tmp_path):
    answer = CliRunner().invoke(app, ["escalation", "table", "--state", str(tmp_path)])
    assert answer.exit_code == 2
    assert "holds no journal" in answer.output
