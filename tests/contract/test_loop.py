"""What the service loop does with what a bus gives it, on both buses."""

import asyncio
import base64
from collections.abc import Sequence

import msgspec
import pytest
from interlock.wire.base import Heard, Message, Said
from interlock.wire.catalogue import Stream
from interlock.wire.policy import HaltTrading, ResumeTrading
from interlock.wire.system import DeadLettered

from tests.contract.toy_service import PATIENCE, Seen, answer_to, halt, loop_of, running, toy, until


async def test_a_message_is_heard_answered_and_its_effect_reported(world):
    person = await world.bus("operator")
    async with running(await world.bus("policy"), toy()) as loop:
        await person.publish([halt("one"), halt("two")], {})
        await until(lambda: loop.handled == 2)
        assert loop.cell.state.reasons == ["one", "two"]
        assert loop.cell.state.spoken == ["one", "two"]
        assert loop.cell.state.reports == 4


async def test_poison_is_parked_after_three_tries_and_the_rest_flows(world):
    person = await world.bus("operator")
    letters: list[bytes] = []
    await person.listen("dead.letter.*", letters.append)
    async with running(await world.bus("policy"), toy()) as loop:
        await person.publish([halt("poison"), halt("good")], {})
        await world.raw("cmd.policy.halt.d", b"\xff{")
        await world.raw("cmd.policy.resume.d", b'{"type": "policy.resume.v1"}')
        await until(lambda: loop.parked == 3 and "good" in loop.cell.state.spoken)
        await until(lambda: len(letters) == 3)
    parked = [msgspec.json.decode(body, type=DeadLettered) for body in letters]
    assert {letter.tries for letter in parked} == {3}
    assert "no service survives this" in parked[0].reason
    assert "desk" in parked[2].reason or "message_id" in parked[2].reason


@pytest.mark.parametrize(("deaths", "parked"), [(5, 0), (6, 1)])
async def test_what_lay_beside_a_death_is_tried_and_what_was_there_each_time_is_parked(
    memory_world, deaths, parked
):
    person = await memory_world.bus("operator")
    await person.publish([halt("beside"), halt("good")], {})
    for _ in range(deaths):
        dying = await memory_world.bus("policy")
        inbox = await dying.open_inbox(Stream.DESK, lambda: None)
        inbox.take(next(iter(inbox.waiting)))
        await dying.close()
    async with running(await memory_world.bus("policy"), toy()) as loop:
        await until(lambda: "good" in loop.cell.state.spoken)
        assert loop.parked == parked
        assert ("beside" in loop.cell.state.spoken) is (parked == 0)


async def test_messages_without_a_byte_are_parked_and_hold_nothing_up(world):
    """A broker may take an answer without a byte for the last one to what a service asked for."""
    person = await world.bus("operator")
    async with running(await world.bus("policy"), toy()) as loop:
        for _ in range(60):
            await world.raw("cmd.policy.halt.d", b"")
        await person.publish([halt("good")], {})
        await until(lambda: loop.cell.state.spoken == ["good"] and loop.parked == 60)


async def test_a_body_near_the_limit_is_parked_cut_short_and_the_rest_flows(world):
    person = await world.bus("operator")
    letters: list[bytes] = []
    await person.listen("dead.letter.*", letters.append)
    body = b'{"type":"' + b"x" * (1024**2 - 100_000) + b'"}'
    async with running(await world.bus("policy"), toy()) as loop:
        await world.raw("cmd.policy.halt.d", body)
        await person.publish([halt("good")], {})
        await until(lambda: "good" in loop.cell.state.spoken and letters)
    letter = msgspec.json.decode(letters[0], type=DeadLettered)
    assert body.startswith(base64.b64decode(letter.body))
    assert f"of {len(body)} bytes" in letter.reason


@pytest.mark.servers
async def test_a_message_whose_answer_is_too_large_is_parked_and_the_rest_flows(nats_world):
    person = await nats_world.bus("operator")
    letters: list[bytes] = []
    await person.listen("dead.letter.*", letters.append)

    def shout(_state: Seen, heard: Heard, now: int) -> Sequence[Said]:
        if not isinstance(heard, HaltTrading):
            return ()
        answer = answer_to(heard, now)
        return [msgspec.structs.replace(answer, reason=heard.reason * 2)]

    async with running(await nats_world.bus("policy"), toy(decide=shout)) as loop:
        await person.publish([halt("x" * 600_000), halt("good")], {})
        await until(lambda: "goodgood" in loop.cell.state.spoken and letters)
    assert "cannot be published" in msgspec.json.decode(letters[0], type=DeadLettered).reason


async def test_a_restarted_service_stands_where_it_stood(world):
    person = await world.bus("operator")
    first = await world.bus("policy")
    async with running(first, toy()) as loop:
        await person.publish([halt("one"), halt("two")], {})
        await until(lambda: loop.handled == 2)
        await asyncio.sleep(0.2)
    await first.close()
    async with running(await world.bus("policy"), toy()) as again:
        assert again.cell.state.reasons == ["one", "two"]
        assert again.cell.state.spoken == ["one", "two"]
        await person.publish([halt("three")], {})
        await until(lambda: again.handled == 1)
        assert again.cell.state.spoken == ["one", "two", "three"]


class DiesBeforeAckError(Exception):
    """The process is gone at the worst moment."""


class NeverAcknowledged:
    """A delivery whose acknowledgement never leaves."""

    def __init__(self, delivery) -> None:
        self._delivery = delivery

    def __getattr__(self, name):
        return getattr(self._delivery, name)

    async def ack(self) -> None:
        raise DiesBeforeAckError


async def test_dying_between_the_answer_and_the_acknowledgement_answers_once(world):
    person = await world.bus("operator")
    said: list[bytes] = []
    await person.listen("evt.policy.trading-state.*", said.append)

    first = await world.bus("policy")
    open_inbox = first.open_inbox

    async def open_and_die(stream, arrived):
        inbox = await open_inbox(stream, arrived)
        take = inbox.take
        inbox.take = lambda delivery: NeverAcknowledged(take(delivery))
        return inbox

    first.open_inbox = open_and_die
    loop = loop_of(first, toy())
    await loop.begin()
    await person.publish([halt("one")], {})
    with pytest.raises(DiesBeforeAckError):
        await asyncio.wait_for(loop.run(), PATIENCE)
    await first.close()
    async with running(await world.bus("policy"), toy()) as again:
        await until(lambda: again.handled == 1)
        assert again.cell.state.spoken == ["one"]
    assert len(said) == 1


async def test_a_message_that_is_not_ready_waits_but_not_for_ever(world):
    """`ready` holds the halt back; the bound lets it through in the end."""
    person = await world.bus("operator")
    asked: list[Message] = []

    def never(_state: Seen, message: Message) -> bool:
        asked.append(message)
        return isinstance(message, ResumeTrading)

    async with running(await world.bus("policy"), toy(ready=never)) as loop:
        await person.publish([halt("late")], {})
        await until(lambda: loop.handled == 1)
    assert len(asked) >= 2


async def test_spans_of_one_decision_share_its_trace(world):
    person = await world.bus("operator")
    async with running(await world.bus("policy"), toy()) as loop:
        await person.publish([halt("one")], {})
        await until(lambda: loop.handled == 1)
        spans = loop.telemetry.take_spans()
    assert spans is not None
    assert {span.trace_id for span in spans.spans} == {halt("one").decision_id}
