"""The driver of backtests: readiness, effects, and what may not be waited for."""

import asyncio
from collections.abc import Sequence

import pytest
from interlock.model.values import TradingState
from interlock.runtime.backtest import Backtest, Member, MustWaitError
from interlock.runtime.clock import DataClock
from interlock.runtime.recent import RecentIds
from interlock.runtime.seal import Seal
from interlock.runtime.service import Service
from interlock.wire.base import Effect, Message, Report, caused_id, root_ids
from interlock.wire.policy import HaltTrading, ResumeTrading, TradingStateChanged


class Ring(Effect, frozen=True, kw_only=True):
    pass


class Rang(Report, frozen=True, kw_only=True):
    pass


def command(kind, reason: str, at: int = 1):
    message_id, decision_id = root_ids(kind, reason)
    return kind(
        message_id=message_id, decision_id=decision_id, ts_event=at, desk="d", by="ada",
        reason=reason,
    )  # fmt: skip


def heard_in_order(state: list, heard) -> list:
    state.append("rang" if isinstance(heard, Rang) else getattr(heard, "reason", ""))
    return state


def silent(_state, _heard, _now) -> Sequence[Message]:
    return ()


def policy(**parts) -> Service[list]:
    return Service(**{
        "name": "policy", "state": [], "evolve": heard_in_order, "decide": silent, **parts,
    })  # fmt: skip


def test_a_message_that_is_not_ready_waits_with_its_subject_until_it_is():
    def ready(state: list, message: Message) -> bool:
        return isinstance(message, ResumeTrading) or "go" in state

    seen: list[str] = []
    member = Member(policy(ready=ready), DataClock())
    desk = Backtest([member], lambda message: seen.append(message.reason))
    desk._queue.append(command(HaltTrading, "then"))
    desk.publish(command(ResumeTrading, "go"))
    assert member.cell.state == ["go", "then"]
    assert seen == ["then", "go"]


def test_what_never_becomes_ready_is_decided_at_the_end_of_its_wave():
    member = Member(policy(ready=lambda _state, _message: False), DataClock())
    desk = Backtest([member])
    desk.publish(command(HaltTrading, "one"))
    desk.publish(command(HaltTrading, "two"))
    assert member.cell.state == ["one", "two"]


def test_effects_are_performed_at_once_also_as_coroutines_that_do_not_wait():
    async def at_once(_effect: Effect) -> Sequence[Report]:
        return [Rang()]

    def decide(_state, heard, _now):
        return [Ring()] if isinstance(heard, HaltTrading) else ()

    for perform in (lambda _effect: [Rang()], at_once):
        member = Member(policy(state=[], decide=decide, perform=perform), DataClock())
        Backtest([member]).publish(command(HaltTrading, "one"))
        assert member.cell.state == ["one", "rang"]


def test_an_effect_that_really_waits_is_an_error_that_names_the_service():
    async def network(_effect: Effect) -> Sequence[Report]:
        await asyncio.sleep(0)
        return ()

    def decide(_state, _heard, _now):
        return [Ring()]

    desk = Backtest([Member(policy(decide=decide, perform=network), DataClock())])
    with pytest.raises(MustWaitError, match="policy waits"):
        desk.publish(command(HaltTrading, "one"))


def test_each_service_hears_what_another_says_and_says_it_once():
    def decide(_state, heard, now):
        if not isinstance(heard, HaltTrading):
            return ()
        said = TradingStateChanged(
            message_id=caused_id(heard, TradingStateChanged), decision_id=heard.decision_id,
            ts_event=now, desk="d", state=TradingState.HALTED, epoch=1, author="a",
            reason="halted",
        )  # fmt: skip
        return [said]

    gate = Service(name="gate", state=[], evolve=heard_in_order, decide=silent)
    members = [Member(policy(state=[], decide=decide), DataClock()), Member(gate, DataClock())]
    desk = Backtest(members)
    desk.publish(command(HaltTrading, "one", at=7))
    desk.publish(command(HaltTrading, "one", at=7))
    assert members[1].cell.state == ["halted"]
    assert members[0].clock.now() == 7


def test_recent_ids_forget_only_what_is_old():
    recent = RecentIds(kept=10)
    for number in range(35):
        recent.add(str(number))
    assert all(str(number) in recent for number in range(25, 35))
    assert "5" not in recent


def test_a_seal_knows_its_own_signature_and_no_other():
    seal = Seal()
    signature = seal.sign(b"buy 10")
    assert seal.verify(b"buy 10", signature)
    assert not seal.verify(b"buy 11", signature)
    assert not Seal().verify(b"buy 10", signature)
    assert not seal.verify(b"buy 10", "ä")
