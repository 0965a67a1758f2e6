"""Versions and epochs: what is written, that it is true, and that a restart changes nothing."""

import copy
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.trading import Standing
from interlock.model.values import TradingState
from interlock.policy.app import build
from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.policy.ports import SaveRules, SignRules
from interlock.runtime.errors import UnavailableError
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.testkit.cells import begin, cell_of, drive, finish, react
from interlock.testkit.decisions import account, desk, proposal, reconciled
from interlock.testkit.desk_messages import DESK, SECOND, tick
from interlock.testkit.rules import SEAL, reader
from interlock.wire.policy import (
    PolicyChanged,
    ProposalJudged,
    ProposalVerdict,
    TradingStateChanged,
)
from msgspec.structs import replace

V = ProposalVerdict
LIMITS = ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)
WINDOW = 900


def config(**changes):
    limits = ParameterLimits(
        **({name: getattr(LIMITS, name) for name in LIMITS.__struct_fields__} | changes)
    )
    return PolicyConfig(parameters={"threshold_bps": limits})


def fresh_cell(configured=None, store=None, config_hash="c0ffee"):
    return cell_of(
        build(desk(), configured or config(), config_hash, store or MemoryRulesStore(), SEAL)
    )


def policy_cell(store=None):
    """Return a cell that has started and found its book equal to the venue's."""
    cell = fresh_cell(store=store)
    begin(cell, 0)
    react(cell, reconciled(), 0)
    return cell


def cadence(n, proposed, pnl=0):
    return [replace(tick(n), clock_offset_ns=0), account(n, pnl), proposal(n, proposed)]


def said_of(cell, messages):
    return [said for message in messages for said in react(cell, message, message.ts_event)]


def of(kind, said):
    return [message for message in said if isinstance(message, kind)]


def quiet(cell, count=4, start=0):
    for index in range(1, count + 1):
        said_of(cell, cadence(start + index * 5, value_of(cell)))
    return start + (count + 1) * 5


def value_of(cell):
    return cell.state.policy.parameters["threshold_bps"]


def test_the_first_start_puts_version_1_in_force_and_halts():
    store = MemoryRulesStore()
    said = begin(fresh_cell(store=store), 7)
    (changed,), (trading,) = of(PolicyChanged, said), of(TradingStateChanged, said)
    assert (changed.version, changed.parameters) == (1, {"threshold_bps": 1.0})
    assert [(one.name, one.old, one.new) for one in changed.changes] == [
        ("threshold_bps", None, 1.0)
    ]
    assert (trading.state, trading.epoch) == (TradingState.HALTED, 1)
    assert (trading.standing, trading.reason) == (Standing.STARTING, "first start")
    assert reader().read(finish(store.read(DESK))).version == 1


def test_an_accepted_proposal_makes_the_next_version_with_a_true_diff():
    store = MemoryRulesStore()
    cell = policy_cell(store)
    at = quiet(cell)
    row, changed = said_of(cell, cadence(at, 1.1))
    assert (row.verdict, row.policy_version) == (V.ACCEPTED, 2)
    assert (changed.version, changed.parameters) == (2, {"threshold_bps": 1.1})
    assert [(one.name, one.old, one.new) for one in changed.changes] == [
        ("threshold_bps", 1.0, 1.1)
    ]
    assert changed.proposal_id == proposal(at, 1.1).message_id
    assert changed.author == "rules/rules-v1"
    assert row.decision_id == changed.decision_id == proposal(at, 1.1).decision_id
    assert reader().read(finish(store.read(DESK))).version == 2


def test_a_second_start_says_nothing_but_saves_the_version_again():
    store = MemoryRulesStore()
    first = policy_cell(store)
    again = fresh_cell(store=(lost := MemoryRulesStore()))
    again.recover(first.state.policy, own=True)
    again.recover(first.state.trading, own=True)
    assert begin(again, 9) == []
    assert reader().read(finish(lost.read(DESK))).version == 1


@pytest.mark.parametrize(
    ("limits", "value"),
    [({"upper": 0.9, "initial": 0.5}, 0.9), ({"lower": 1.5, "initial": 2.0}, 1.5)],
)
def test_limits_that_were_tightened_pull_the_value_inside_at_the_next_start(limits, value):
    first = policy_cell()
    again = fresh_cell(config(**limits), config_hash="other")
    again.recover(first.state.policy, own=True)
    again.recover(first.state.trading, own=True)
    (changed,) = begin(again, 9)
    assert (changed.version, changed.parameters) == (2, {"threshold_bps": value})
    assert [(one.old, one.new) for one in changed.changes] == [(1.0, value)]
    assert changed.config_hash == "other"


# What a crash may leave behind of an acceptance, and what the second delivery must add to it.


def halves():
    """Return a cell just before it accepts, the cadence that it accepts, and what it says."""
    cell = policy_cell()
    at = quiet(cell)
    *before, last = cadence(at, 1.1)
    said_of(cell, before)
    row, changed = react(copy.deepcopy(cell), last, last.ts_event)
    return cell, last, row, changed


@pytest.mark.parametrize("stored", [(), ("row",), ("changed",), ("row", "changed")])
def test_an_acceptance_cut_by_a_crash_is_finished_at_the_second_delivery(stored):
    cell, last, row, changed = halves()
    saved = []
    for name, message in (("row", row), ("changed", changed)):
        if name in stored:
            cell.recover(message, own=True)

    def perform(effect):
        if isinstance(effect, SignRules):
            return cell.service.perform(effect)
        assert isinstance(effect, SaveRules)
        saved.append(effect.rules)
        return ()

    said = drive(cell.react(last, last.ts_event), perform)
    missing = {"row": row, "changed": changed}
    assert said == [missing[name] for name in ("row", "changed") if name not in stored]
    assert saved == [changed]
    assert list(cell.state.accepted["threshold_bps"]) == [last.ts_desk]
    assert cell.state.policy == changed


def test_a_version_is_saved_once_the_store_is_back():
    """The row is out and the store was away: a second try must not judge, only save."""
    cell, last, row, changed = halves()
    saved = []

    def away(effect):
        if isinstance(effect, SignRules):
            return cell.service.perform(effect)
        raise UnavailableError("no store")

    published = []
    with pytest.raises(UnavailableError):
        drive(cell.react(last, last.ts_event), away, said=published)
    assert published == [row, changed]
    assert drive(cell.react(last, last.ts_event), lambda effect: saved.append(effect) or ()) == []
    assert [effect.rules for effect in saved] == [changed]


def test_a_refusal_delivered_again_is_said_once():
    cell = policy_cell()
    said = of(ProposalJudged, said_of(cell, cadence(5, 9.0)))
    again = copy.deepcopy(cell)
    assert [row.verdict for row in said] == [V.OUT_OF_BOUNDS]
    assert react(again, proposal(5, 9.0), 5 * SECOND) == []


STEPS = st.sampled_from([-0.5, -0.2, -0.1, -0.01, 0, 0.01, 0.1, 0.15, 0.2, 0.2000001, 0.5])
GAPS = st.sampled_from([5, 5, 5, 10, 60, 300, 895, 900, 905])
LOSSES = st.sampled_from([0, 0, 0, -149, -150, -1000])
MOVES = st.lists(st.tuples(GAPS, STEPS, LOSSES), max_size=60)


def run(cell, moves, at=0):
    """Propose a series of steps away from the value in force; return everything said."""
    said = []
    for gap, step, pnl in moves:
        at += gap
        proposed = round(value_of(cell) + step, 7)
        said += said_of(cell, cadence(at, proposed, pnl))
    return said


@settings(max_examples=150, deadline=None)
@given(MOVES)
def test_i16_no_series_of_proposals_gets_past_the_hard_limits(moves):
    cell = policy_cell()
    versions = [copy.copy(cell.state.policy), *of(PolicyChanged, said := run(cell, moves))]
    rows = of(ProposalJudged, said)
    assert len(rows) == len(moves)
    accepted = [row for row in rows if row.verdict is V.ACCEPTED]
    for row in accepted:
        now = row.ts_desk
        taken = sum(now - WINDOW * SECOND < other.ts_desk <= now for other in accepted)
        seen = sum(now - WINDOW * SECOND < other.ts_desk <= now for other in rows)
        assert 0.3 <= row.applied <= 3.0
        assert abs(row.delta) <= 0.2 + 1e-12
        assert taken <= 2
        assert 10 * taken <= 3 * seen
        assert (row.accepted_in_window, row.seen_in_window) == (taken, seen)
        assert row.freeze_reasons == []
    for older, newer in itertools.pairwise(versions):
        assert newer.version == older.version + 1
        values = dict(older.parameters)
        for change in newer.changes:
            assert values.get(change.name) == change.old
            values[change.name] = change.new
        assert values == newer.parameters
    assert len(versions) == len(accepted) + 1


@settings(max_examples=60, deadline=None)
@given(MOVES, STEPS)
def test_i17_folding_the_history_gives_the_same_state_and_the_same_next_verdict(moves, step):
    cell = fresh_cell()
    history = [(message, True) for message in begin(cell, 0)]
    at = 0
    for gap, move, pnl in moves:
        at += gap
        for message in cadence(at, round(value_of(cell) + move, 7), pnl):
            history.append((message, False))
            history += [(said, True) for said in react(cell, message, message.ts_event)]
    again = fresh_cell()
    for message, own in history:
        again.recover(message, own=own)
    assert again.state == cell.state
    last = cadence(at + 5, round(value_of(cell) + step, 7))
    assert said_of(again, last) == said_of(cell, last)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_i16_the_words_of_a_model_change_no_verdict(rationale, answer):
    def judged(**words):
        cell = policy_cell()
        at = quiet(cell)
        said = said_of(cell, [*cadence(at, 1.1)[:2], replace(proposal(at, 1.1), **words)])
        return [(row.verdict, row.applied) for row in of(ProposalJudged, said)], value_of(cell)

    assert judged(rationale=rationale, answer=answer) == judged()
    assert judged()[1] == pytest.approx(1.1)
