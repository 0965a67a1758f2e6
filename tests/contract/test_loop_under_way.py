"""Decisions whose words are still travelling: what may go on, what has to wait, what a crash does.

The bus is a real one; only the moment at which a publish is known to be stored is held back.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import ClassVar

import pytest
from interlock.runtime.errors import UnavailableError
from interlock.runtime.loop import MAX_UNDERWAY
from interlock.wire.base import Effect, Heard, Said
from interlock.wire.policy import HaltTrading

from tests.contract.toy_service import PATIENCE, Seen, answer_to, halt, loop_of, running, toy, until


class Harmless(Effect, frozen=True, kw_only=True):
    harmless: ClassVar[bool] = True


class PutOff(Effect, frozen=True, kw_only=True):
    put_off: ClassVar[bool] = True

    reason: str


class Harmful(Effect, frozen=True, kw_only=True):
    pass


class SlowBus:
    """A service's bus whose broker takes its time to answer. `acked` and `stored` are in order."""

    def __init__(self, bus) -> None:
        self._bus = bus
        self.answers = asyncio.Event()
        self.sent: list[str] = []
        self.acked: list[int] = []

    def __getattr__(self, name):
        return getattr(self._bus, name)

    async def publish(self, messages, headers):
        self.sent += [message.reason for message in messages]
        await self._bus.publish(messages, headers)
        await self.answers.wait()

    async def open_inbox(self, stream, arrived):
        inbox = await self._bus.open_inbox(stream, arrived)
        take = inbox.take

        def noted(delivery):
            taken = take(delivery)
            return Noted(taken, self.acked)

        inbox.take = noted
        return inbox


class Noted:
    """A delivery that notes its acknowledgement."""

    def __init__(self, delivery, acked: list[int]) -> None:
        self._delivery = delivery
        self._acked = acked

    def __getattr__(self, name):
        return getattr(self._delivery, name)

    async def ack(self) -> None:
        self._acked.append(self._delivery.sequence)
        await self._delivery.ack()


class Again:
    """A delivery that comes for the fourth time; its first acknowledgement is lost."""

    tries = 4

    def __init__(self, delivery, lose) -> None:
        self._delivery = delivery
        self._lose = lose

    def __getattr__(self, name):
        return getattr(self._delivery, name)

    async def ack(self) -> None:
        self._lose(self._delivery)


class LosesAcknowledgements(SlowBus):
    """A bus whose broker is told of nothing and gives everything once more."""

    async def open_inbox(self, stream, arrived):
        return Forgotten(await self._bus.open_inbox(stream, arrived), arrived, self.acked)


class Forgotten:
    """An inbox that gives again what was acknowledged, once."""

    def __init__(self, inbox, arrived, acked: list[int]) -> None:
        self._inbox = inbox
        self._arrived = arrived
        self._acked = acked
        self._again: list[Again] = []
        self.stream = inbox.stream

    @property
    def waiting(self):
        return [*self._inbox.waiting, *self._again]

    def take(self, delivery):
        if isinstance(delivery, Again):
            self._again.remove(delivery)
            return Again(delivery, lambda one: self._acked.append(one.sequence))
        taken = self._inbox.take(delivery)
        return Lost(taken, self._lose)

    def _lose(self, delivery) -> None:
        self._again.append(Again(delivery, self._lose))
        self._arrived()


class Lost(Again):
    tries = 1


def answering(*effects: Effect):
    """Return a `decide` that asks for `effects` before or after its answer, as they are."""

    def decide(_state: Seen, heard: Heard, now: int) -> Sequence[Said]:
        if not isinstance(heard, HaltTrading):
            return ()
        if heard.reason == "poison":
            raise RuntimeError("no service survives this")
        return [*(one for one in effects if one.harmless), answer_to(heard, now),
                *(one for one in effects if not one.harmless)]  # fmt: skip

    return decide


async def test_the_next_is_decided_while_words_travel_and_nothing_is_acknowledged(world):
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))
    reasons = [str(n) for n in range(5)]
    service = toy(decide=answering(Harmless()), perform=lambda _effect: ())
    async with running(bus, service) as loop:
        await person.publish([halt(reason) for reason in reasons], {})
        await until(lambda: bus.sent == reasons)
        assert loop.cell.state.spoken == reasons
        assert (loop.handled, bus.acked) == (0, [])
        bus.answers.set()
        await until(lambda: loop.handled == 5 and len(bus.acked) == 5)
        assert bus.acked == sorted(bus.acked)


async def test_no_more_than_so_many_are_under_way(world):
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))
    count = 3 * MAX_UNDERWAY
    async with running(bus, toy(decide=answering())) as loop:
        await person.publish([halt(str(n)) for n in range(count)], {})
        await until(lambda: len(bus.sent) == MAX_UNDERWAY)
        await asyncio.sleep(0.05)
        assert len(bus.sent) == MAX_UNDERWAY
        bus.answers.set()
        await until(lambda: loop.handled == count)
        assert bus.sent == [str(n) for n in range(count)]


async def test_what_touches_the_world_waits_until_all_said_before_is_stored(world):
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))
    stored_then: list[bool] = []

    def perform(effect):
        if isinstance(effect, Harmful):
            stored_then.append(bus.answers.is_set())
        return ()

    def decide(state: Seen, heard: Heard, now: int) -> Sequence[Said]:
        effect = Harmful() if isinstance(heard, HaltTrading) and heard.reason == "b" else Harmless()
        return [effect, *answering()(state, heard, now)]

    async with running(bus, toy(decide=decide, perform=perform)) as loop:
        await person.publish([halt("a"), halt("b"), halt("c")], {})
        await until(lambda: bus.sent == ["a"])
        await asyncio.sleep(0.05)
        assert (bus.sent, stored_then) == (["a"], [])
        bus.answers.set()
        await until(lambda: loop.handled == 3)
    assert stored_then == [True]
    assert bus.sent == ["a", "b", "c"]


async def test_what_is_put_off_is_done_after_storing_before_the_acknowledgement(world):
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))
    log: list[tuple[bool, int]] = []
    tries = iter([UnavailableError("not now")])

    def perform(_effect):
        for error in tries:
            raise error
        log.append((bus.answers.is_set(), len(bus.acked)))
        return ()

    async with running(bus, toy(decide=answering(PutOff(reason="x")), perform=perform)) as loop:
        await person.publish([halt("a"), halt("b")], {})
        await until(lambda: bus.sent == ["a", "b"])
        assert log == []
        bus.answers.set()
        await until(lambda: loop.handled == 2 and len(bus.acked) == 2)
    assert log == [(True, 0), (True, 0)]


async def test_poison_between_words_that_travel_is_parked_and_the_rest_flows_in_order(world):
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))
    bus.answers.set()
    async with running(bus, toy(decide=answering())) as loop:
        await person.publish([halt("a"), halt("poison"), halt("b")], {})
        await until(lambda: loop.parked == 1 and loop.handled == 2 and len(bus.acked) == 3)
        assert loop.cell.state.spoken == ["a", "b"]
        assert bus.acked == sorted(bus.acked)


async def test_i1_a_crash_with_words_under_way_says_each_of_them_once(world):
    """All five were sent and may be stored, none was acknowledged: all come again."""
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))
    reasons = [str(n) for n in range(5)]
    said: list[bytes] = []
    await person.listen("evt.policy.trading-state.*", said.append)
    loop = loop_of(bus, toy(decide=answering()))
    await loop.begin()
    task = asyncio.create_task(loop.run())
    await person.publish([halt(reason) for reason in reasons], {})
    await until(lambda: bus.sent == reasons and len(said) == len(reasons))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await bus.close()
    assert bus.acked == []
    async with running(await world.bus("policy"), toy(decide=answering())) as again:
        await until(lambda: again.handled == 5)
        assert again.cell.state.spoken == reasons
    assert len(said) == len(reasons)


async def test_a_publish_that_fails_ends_the_service_and_acknowledges_nothing(world):
    person, bus = await world.bus("operator"), SlowBus(await world.bus("policy"))

    async def broken(_messages, _headers):
        raise OSError("the link is gone for good")

    bus.publish = broken
    loop = loop_of(bus, toy(decide=answering()))
    await loop.begin()
    await person.publish([halt("a")], {})
    with pytest.raises(OSError, match="gone for good"):
        await asyncio.wait_for(loop.run(), PATIENCE)
    assert bus.acked == []
    await bus.close()
    async with running(await world.bus("policy"), toy(decide=answering())) as again:
        await until(lambda: again.cell.state.spoken == ["a"])


async def test_messages_of_one_subject_are_foreseen_together_and_others_are_not(world):
    person, bus = await world.bus("operator"), await world.bus("policy")
    foreseen: list[list[str]] = []

    def foresee(messages):
        foreseen.append([m.reason for m in messages if isinstance(m, HaltTrading)])

    service = toy(decide=answering(), foresee=foresee)
    loop = loop_of(bus, service)
    loop.batch = 3
    await person.publish([halt(str(n)) for n in range(7)], {})
    await loop.begin()
    task = asyncio.create_task(loop.run())
    await until(lambda: loop.handled == 7)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [reason for batch in foreseen for reason in batch] == [str(n) for n in range(7)]
    assert max(map(len, foreseen)) <= 3
    assert loop.cell.state.spoken == [str(n) for n in range(7)]


async def test_what_is_done_is_no_poison_however_often_it_comes_again(world):
    person, bus = await world.bus("operator"), LosesAcknowledgements(await world.bus("policy"))
    bus.answers.set()
    async with running(bus, toy(decide=answering())) as loop:
        await person.publish([halt("a"), halt("b")], {})
        await until(lambda: len(bus.acked) == 2)
        assert (loop.parked, loop.cell.state.spoken, bus.sent) == (0, ["a", "b"], ["a", "b"])
