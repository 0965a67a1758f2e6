"""I17: every verdict of a session comes out of its journal again, to the same bytes.

Whoever holds all keys, the anchors too, can write a journal that is whole. What it says must still
lead to the verdicts in it.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from interlock.cli.audit.run import Audit, audit
from interlock.cli.state_folder import StateFolder
from interlock.ledger.app import journal_path
from interlock.runtime.anchors import Occasion, anchors_file, drop_anchor
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.bus.port import Bus
from interlock.runtime.config import load_desk_file
from interlock.runtime.journal import Entry, Journal, Row, first_row, head_path, read
from interlock.runtime.signing import journal_signer, load_signer
from interlock.wire import catalogue, codec
from interlock.wire.base import Message
from interlock.wire.market import Bar
from interlock.wire.orders import (
    GateConfigured,
    GateHeard,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    OrderSubmitted,
    SubmitOrder,
)
from interlock.wire.policy import TradingStateChanged
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

from tests.replay.test_same_decisions import DESK_FILE, Decisions, slice_of, with_loops

type Change = Callable[[Message], Message | None]


@dataclass(frozen=True)
class Session:
    state: Path
    decisions: Decisions


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder, server = tmp_path_factory.mktemp("session"), MemoryServer()

    async def bus_of(service: str) -> Bus:
        return MemoryBus(server, service)

    replay, state = slice_of("crash-2008", 600, folder), folder / "state"
    # So little that some intents are denied.
    file = load_desk_file(DESK_FILE, {"INTERLOCK__GATE__MAX_GROSS_NOTIONAL": "12000"})
    return Session(state, asyncio.run(with_loops(file, replay, state, bus_of)))


def verify(state: Path, anchors: Path | None = None) -> Audit:
    return audit(StateFolder(state), anchors or Path(os.environ["INTERLOCK_ANCHORS"]))


def test_i17_every_verdict_of_the_crash_comes_out_again(session):
    found = verify(session.state)
    assert found.ok, found.reason
    decisions = session.decisions
    assert len(decisions["order.denied.v1"]) > 3
    verdicts = len(decisions["order.submit.v1"]) + len(decisions["order.denied.v1"])
    assert found.verdicts == verdicts > 30
    assert found.approvals == len(decisions["order.submit.v1"]) > 10
    assert found.submissions == len(decisions["order.submitted.v1"]) > 10
    assert found.lost_verdicts == 0
    assert found.anchors > 0


@dataclass
class Forger:
    """Writes the session's journal anew with every key there is."""

    state: Path
    anchors: Path

    def rewrite(self, change: Change) -> None:
        path, key = journal_path(self.state), journal_signer(self.state / "secrets")
        rows = list(read(path))
        path.unlink()
        head_path(path).unlink()
        with Journal(path, sign=key.sign) as journal:
            journal.append(self._entries(rows, change))
            first = first_row(path)
            assert first is not None
            file = anchors_file(self.anchors, "params", first.hash, key.key_id)
            drop_anchor(file, journal.place, 1, Occasion.CLOSE, key.sign)

    def _entries(self, rows: list[Row], change: Change) -> Iterator[Entry]:
        for row in rows:
            changed = change(codec.decode(row.body))
            if changed is not None:
                yield Entry(row.stream, catalogue.subject_of(changed), codec.encode(changed))

    def sign(self, order: SubmitOrder) -> SubmitOrder:
        key = load_signer(self.state / "secrets")
        return replace(order, signature=key.sign(canonical_bytes(order)))


@pytest.fixture
def forger(session: Session, tmp_path: Path) -> Forger:
    shutil.copytree(session.state, tmp_path / "state")
    return Forger(tmp_path / "state", tmp_path / "anchors")


def once(kind: type[Message], change: Change, number: int = 1) -> Change:
    """Change the message of this kind that comes as `number`, and no other."""
    seen = 0

    def changed(message: Message) -> Message | None:
        nonlocal seen
        seen += type(message) is kind
        return change(message) if type(message) is kind and seen == number else message

    return changed


def gone(_: Message) -> None:
    return None


def test_a_journal_written_anew_as_it_was_is_whole(forger):
    forger.rewrite(lambda message: message)
    found = verify(forger.state, forger.anchors)
    assert found.ok, found.reason


def milder(denial: OrderDenied) -> OrderDenied:
    first = replace(denial.failures[0], observed="another")
    return replace(denial, failures=[first, *denial.failures[1:]])


CHANGES = [
    pytest.param(OrderDenied, milder, "journal.verdict", id="a denial"),
    pytest.param(
        SubmitOrder, lambda m: replace(m, quantity=m.quantity + 1), "journal.signature",
        id="an approval, without the gate's key",
    ),
    pytest.param(OrderIntent, lambda m: replace(m, quantity=Decimal(1)), "journal.verdict",
                 id="an intent"),
    pytest.param(OrderFilled, gone, "journal.heard", id="a fill that is gone"),
    pytest.param(Bar, gone, "journal.heard", id="a bar that is gone"),
    pytest.param(GateHeard, gone, "journal.verdict", id="a list that is gone"),
    pytest.param(GateHeard, lambda m: replace(m, store_answer={}), "journal.verdict",
                 id="the store's answer"),
    pytest.param(GateHeard, lambda m: replace(m, intent_id="other"), "journal.heard",
                 id="the intent of a list"),
    pytest.param(OrderSubmitted, lambda m: replace(m, quantity=m.quantity + 1),
                 "journal.sent_otherwise", id="i3 what was sent"),
    pytest.param(OrderSubmitted, lambda m: replace(m, intent_id="other"), "journal.unapproved",
                 id="i2 sent without approval"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "code"), CHANGES)
def test_i17_what_was_changed_with_the_ledgers_key_is_found_by_the_verdicts(
    forger, kind, change, code
):
    forger.rewrite(once(kind, change))
    found = verify(forger.state, forger.anchors)
    assert (found.ok, found.code) == (False, code), found.reason
    assert f"row {found.first_bad_seq}" in found.reason
    assert "\n" not in found.reason


def test_i17_an_approval_changed_with_the_gates_own_key_is_found_by_computing_it_again(forger):
    forger.rewrite(
        once(SubmitOrder, lambda order: forger.sign(replace(order, quantity=order.quantity + 1)))
    )
    found = verify(forger.state, forger.anchors)
    assert not found.ok
    assert found.code in {"journal.verdict", "journal.sent_otherwise"}


@pytest.mark.parametrize("reducing", [True, False])
def test_only_an_exit_may_be_older_than_the_policy(forger, reducing):
    """The gate asks no exit for its version: what closes is not kept back by a newer policy."""
    older = set[str]()

    def before(message: Message) -> Message:
        if not isinstance(message, OrderIntent | SubmitOrder | OrderSubmitted):
            return message
        if message.reduce_only is not reducing:
            return message
        older.add(message.intent_id)
        fresh = replace(message, policy_version=message.policy_version - 1)
        return forger.sign(fresh) if isinstance(fresh, SubmitOrder) else fresh

    forger.rewrite(before)
    found = verify(forger.state, forger.anchors)
    assert older
    assert (found.ok, found.code) == ((True, "") if reducing else (False, "journal.verdict")), (
        found.reason
    )


def test_i1_an_intent_approved_twice_is_found(forger):
    orders = []

    def second_is_the_first(message: Message) -> Message:
        if not isinstance(message, SubmitOrder):
            return message
        orders.append(message)
        if len(orders) != 2:
            return message
        return forger.sign(replace(orders[0], message_id=message.message_id))

    forger.rewrite(second_is_the_first)
    assert verify(forger.state, forger.anchors).code == "journal.approved_twice"


def test_rules_that_policy_did_not_sign_are_found(forger):
    forger.rewrite(once(TradingStateChanged, lambda m: replace(m, reason="mine")))
    assert verify(forger.state, forger.anchors).code == "journal.signature"


def test_a_gate_that_says_less_than_it_worked_under_is_found(forger):
    forger.rewrite(once(GateConfigured, lambda m: replace(m, gate_section="{}")))
    assert verify(forger.state, forger.anchors).code == "journal.verdict"
