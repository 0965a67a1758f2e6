"""Every standing that a desk can get into, under everything that can happen to it.

The kill rule is made small (two kill days within three sessions, two days of quarantine), so that
all states can be walked: breadth first, states that differ only in how far back a day lies count as
one. What must hold for each step is held for each step there is; a second test does the same for
the source's numbers on long random histories, and folds each of them anew.
"""

import copy
import itertools
from collections import Counter, deque
from dataclasses import replace as with_fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.trading import LETS_THROUGH, Standing
from interlock.model.values import Stage, TradingState
from interlock.policy.config import KillRule
from interlock.policy.core import begin, decide
from interlock.policy.ports import SaveRules, SignRules
from interlock.policy.promotion import Evidence
from interlock.policy.state import evolve
from interlock.testkit.decisions import reconciled
from interlock.wire.base import Message
from interlock.wire.policy import (
    ClearQuarantine,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    ResumeTrading,
    SetStage,
    TradingStateChanged,
)
from interlock.wire.system import TripLevel
from msgspec.structs import replace

from tests.unit.policy.policy_cells import (
    DAY_SECONDS,
    command,
    config,
    fresh_cell,
    on_day,
    sane,
    switched,
    tripped,
)

S = Standing
SMALL = KillRule(daily_loss_pct=2.5, kill_days=2, window_days=3, quarantine_days=2)
SOURCE = KillRule(daily_loss_pct=2.5, kill_days=3, window_days=10, quarantine_days=7)
FIRST_DAY = 100
HALTS = ("halt", "switch", "trip halt", "account unknown")
EVENTS = {
    "reconciled": lambda _: reconciled(),
    "break": lambda _: reconciled(["SPY"]),
    "halt": lambda _: command(HaltTrading),
    "halt by nobody": lambda _: command(HaltTrading, ""),
    "resume": lambda _: command(ResumeTrading),
    "resume by nobody": lambda _: command(ResumeTrading, " "),
    "resume by policy": lambda _: command(ResumeTrading, "policy"),
    "switch": lambda _: switched("file"),
    "switch obeys": lambda _: switched("rule"),
    "switch armed": lambda _: switched(pressed=False),
    "trip halt": lambda _: tripped(TripLevel.HALT),
    "trip reduce": lambda _: tripped(TripLevel.REDUCE),
    "trip disable": lambda _: tripped(TripLevel.DISABLE, about="threshold"),
    "enable": lambda _: command(EnableStrategy),
    "enable by nobody": lambda _: command(EnableStrategy, ""),
    "force demo": lambda _: command(ForceDemo),
    "judge clears": lambda state: sane(0, ts_event=moment(state)),
    "judge stays": lambda state: sane(0, stay_demo=True, ts_event=moment(state)),
    "clear": lambda _: command(ClearQuarantine),
    "clear by nobody": lambda _: command(ClearQuarantine, ""),
    "stage up": lambda _: command(SetStage, stage=Stage.DEMO_TESTING),
    "loss": lambda state: account_of(state, 0, "-750"),
    "no loss": lambda state: account_of(state, 0),
    "next day": lambda state: account_of(state, 1),
    "next day with a loss": lambda state: account_of(state, 1, "-750"),
    "day before": lambda state: account_of(state, -1),
    "day before with a loss": lambda state: account_of(state, -1, "-750"),
    "account unknown": lambda state: account_of(state, 0, "NaN"),
}
counter = itertools.count()


def moment(state):
    """Return a moment after everything that was said so far."""
    return max(state.ts_desk, state.trading.ts_event) + 1


def account_of(state, later, pnl=0):
    """Return an account of today or a neighbouring day, each a little after the one before it."""
    day = FIRST_DAY if state.today is None else state.today + later
    second = 3_600 if state.account is None else state.ts_desk // 10**9 % DAY_SECONDS + 1
    return on_day(day, pnl, second)


def happen(state, name):
    """Let an event happen; return it and what was said to it, everything taken in."""
    event = replace(EVENTS[name](state), message_id=f"{name} {next(counter)}")
    event = replace(event, ts_event=event.ts_event or state.ts_desk)
    evolve(state, event)
    return event, answered(state, decide(state, event, event.ts_event))


def answered(state, said):
    """Take in what the service says, as the loop does; effects are done at once."""
    messages = []
    for one in said:
        match one:
            case SignRules():
                signed = replace(one.rules, signature="signed")
                messages += answered(state, [signed, *one.alerts])
            case SaveRules():
                assert one.rules in (state.policy, state.trading), "only what stands is saved"
            case Message():
                evolve(state, one)
                messages.append(one)
    return messages


def started(rule):
    state = fresh_cell(config(kill=rule, cool_down_seconds=0)).state
    answered(state, begin(state, 0))
    return state


def copied(state):
    """Return a state that can go its own way; what only grows and is never read is left out."""
    evidence = Evidence(deque(map(copy.copy, itertools.islice(state.evidence.sessions, 0, 1))))
    return with_fields(
        state, days=state.days[-8:], evidence=evidence, answered={}, versions=dict(state.versions)
    )


def shape(state):
    """Return what is different about a state, days counted from today."""
    trading, today = state.trading, state.today
    back = state.days_after
    return (
        trading.standing,
        trading.flatten,
        None if trading.since_day is None else min(1, back(trading.since_day)),
        tuple(back(day) for day in trading.kill_days),
        None if trading.quarantined_since is None else back(trading.quarantined_since),
        None if trading.paper_after is None else back(trading.paper_after),
        trading.forced_demo,
        bool(trading.disabled),
        state.reconciled,
        today is None,
        min(2, len(state.days)),
        state.judged is not None
        and trading.quarantined_since is not None
        and (state.judged.ts_event > trading.quarantined_at, state.judged.stay_demo),
    )


def hold(name, before, event, said, state):
    """Hold one step against every invariant; `before` is the trading state before it."""
    after = state.trading
    changes = [one for one in said if isinstance(one, TradingStateChanged)]
    assert len(changes) <= 1
    assert after.epoch == before.epoch + len(changes), "I14: epochs grow by one, none is used twice"
    assert after.state is LETS_THROUGH[after.standing]
    assert after.author.strip()
    assert after.reason.strip()
    assert after.demo_only is True, "stage demo is on paper"
    by_name = getattr(event, "by", "").strip() == "ann"
    if before.standing is S.HALTED and after.standing is not S.HALTED:
        assert (name, by_name) == ("resume", True), "I7: a halt is a person's to end"
    if name in HALTS:
        assert after.state is TradingState.HALTED, "I7: a halt halts"
    if after.standing is S.ACTIVE and before.standing is not S.ACTIVE:
        assert name in ("reconciled", "resume", "next day")
        if name == "reconciled":
            assert before.standing is S.STARTING
        if name == "next day":
            assert before.standing in (S.REDUCED, S.HALTED_FOR_DAY)
    if before.disabled and not after.disabled:
        assert (name, by_name) == ("enable", True), "I8: repeat-disable is a person's to end"
    _hold_kill_days(before, event, after, state.today)
    _hold_quarantine(name, before, after, by_name=by_name)


def _hold_kill_days(before, event, after, today):
    added = set(after.kill_days) - set(before.kill_days)
    assert len(set(after.kill_days)) == len(after.kill_days), "I5: a kill day is counted once"
    if added:
        assert added == {event.day} == {today}, "I5: no day but the one that runs"
        assert (after.cancel_orders, after.flatten) == (True, True)
        assert after.paper_after == event.day
    if today in after.kill_days:
        assert after.state is TradingState.HALTED, "a kill day is over for new risk"


def _hold_quarantine(name, before, after, *, by_name):
    if after.quarantined_since is not None:
        assert after.quarantined_until == after.quarantined_since + SMALL.quarantine_days + 1 or (
            after.quarantined_until == after.quarantined_since + SOURCE.quarantine_days + 1
        )
    if before.quarantined_since is not None and after.quarantined_since is None:
        assert name in ("next day", "next day with a loss") or (name, by_name) == ("clear", True), (
            "I8: a quarantine ends with its days, or by a person after a judge"
        )


@pytest.fixture(scope="module")
def walked():
    """Walk every state once; return the steps, by state shape and event, and where they led."""
    start = started(SMALL)
    seen = {shape(start): start}
    waiting = deque([start])
    steps = Counter()
    while waiting:
        state = waiting.popleft()
        for name in EVENTS:
            after = copied(state)
            event, said = happen(after, name)
            hold(name, state.trading, event, said, after)
            steps[state.trading.standing, name, after.trading.standing] += 1
            if shape(after) not in seen:
                seen[shape(after)] = after
                waiting.append(after)
    return seen, steps


def test_i5_i7_i8_i14_every_step_from_every_state_holds_every_invariant(walked):
    seen, steps = walked
    assert len(seen) > 500
    assert sum(steps.values()) == len(seen) * len(EVENTS)
    assert {state.trading.standing for state in seen.values()} == set(Standing)
    assert any(state.trading.quarantined_since is not None for state in seen.values())


def test_i7_from_every_state_a_halt_halts_and_a_named_person_can_go_on_the_next_day(walked):
    """No state is a trap: whatever happened, there is a way on, and a person is on it."""
    for state in walked[0].values():
        after = copied(state)
        for name in ("halt", "reconciled", "no loss", "next day", "resume"):
            happen(after, name)
        assert after.trading.standing is S.ACTIVE


def test_i8_no_state_leaves_a_quarantine_before_its_days_without_judge_and_person(walked):
    for state in walked[0].values():
        since = state.trading.quarantined_since
        if since is None:
            continue
        judged = state.judged is not None and (
            state.judged.ts_event > state.trading.quarantined_at and not state.judged.stay_demo
        )
        for name in EVENTS:
            after = copied(state)
            happen(after, name)
            if after.trading.quarantined_since is None:
                over = after.days_after(since) > SMALL.quarantine_days
                assert over or (name == "clear" and judged)


def test_a_word_that_lets_risk_through_is_never_taken_from_nobody(walked):
    for state in walked[0].values():
        for name in ("resume by nobody", "resume by policy", "enable by nobody", "clear by nobody"):
            after = copied(state)
            _, said = happen(after, name)
            assert [one.code for one in said] == ["command.unnamed"]
            assert after.trading == state.trading


NAMES = st.sampled_from(
    [*EVENTS, *["next day"] * 12, *["loss"] * 4, *["next day with a loss"] * 6, *["resume"] * 6]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NAMES, min_size=5, max_size=60), st.integers(0, 3))
def test_i17_folding_a_history_gives_the_same_standing_at_every_prefix(names, late):
    """Also where what was said is stored only after `late` more words of others."""
    state, history = started(SOURCE), []
    state_at_start = copy.deepcopy(state)
    for name in names:
        before = state.trading
        event, said = happen(state, name)
        hold(name, before, event, said, state)
        history.append((event, said))
    for stop in range(len(history) + 1):
        again = copy.deepcopy(state_at_start)
        delayed = deque()
        for event, said in history[:stop]:
            evolve(again, event)
            delayed.append(said)
            while len(delayed) > late:
                for message in delayed.popleft():
                    evolve(again, message)
        for message in itertools.chain.from_iterable(delayed):
            evolve(again, message)
        if stop == len(history):
            assert again == state
        else:
            assert again.trading.epoch <= state.trading.epoch
        assert answered(again, begin(again, 0)) == [], "a restart says nothing new"
