"""I10 on a real broker: what the ledger wrote down is held against what the stream still has."""

import pytest
from interlock.ledger.stream_watch import Mark, StreamWatch, loss
from interlock.runtime.bus import admin
from interlock.runtime.bus.condition import condition_of
from interlock.runtime.bus.nats import consumer_name
from interlock.runtime.loop import Recorded
from interlock.testkit.decisions import policy, trading
from interlock.wire import catalogue, codec
from interlock.wire.catalogue import LEDGER, POLICY, Stream

pytestmark = pytest.mark.servers


async def test_i10_a_stream_that_was_made_anew_trips_a_halt(broker, tmp_path):
    speaker, bus = await broker.bus(POLICY), await broker.bus(LEDGER)
    said = []

    async def say(message):
        said.append(message)

    messages = [trading(epoch=1), policy(3), trading(epoch=2)]
    await speaker.publish(messages, {})
    watch = StreamWatch(
        path=tmp_path / "streams.json", desk="params", say=say, now=lambda: 1, marks={},
        ask=lambda stream, sequence: condition_of(bus.client, LEDGER, stream, sequence),
    )  # fmt: skip
    watch.notice(
        [
            Recorded(
                stream=Stream.DESK,
                subject=catalogue.subject_of(one),
                body=codec.encode(one),
                message=one,
                sequence=number,
            )
            for number, one in enumerate(messages, start=1)
        ]
    )
    await watch.look()
    assert said == []
    assert watch.marks[Stream.DESK] == Mark(3, messages[-1].message_id)
    administrator = await broker.client("admin")
    await administrator.jetstream().delete_stream(Stream.DESK)
    await admin.prepare(administrator)
    await speaker.publish([trading(epoch=9)], {})
    await watch.look()
    assert [(one.observed, one.limit) for one in said] == [("DESK ends at 1", "at least 3")]
    for one in (speaker, bus, administrator):
        await one.close()


class Between:
    """A client of the broker in whose pauses between two requests something happens."""

    def __init__(self, client, happens):
        self.client, self.happens = client, happens

    async def request(self, *asked, **more):
        answer = await self.client.request(*asked, **more)
        await self.happens()
        return answer


async def test_what_is_stored_and_acknowledged_while_it_looks_is_no_loss(broker):
    speaker, bus = await broker.bus(POLICY), await broker.bus(LEDGER)
    pull = await bus.client.jetstream().pull_subscribe_bind(consumer_name(LEDGER), Stream.DESK)
    epochs = iter(range(1, 9))

    async def one_more():
        await speaker.publish([trading(epoch=next(epochs))], {})
        (message,) = await pull.fetch(1)
        await message.ack_sync()

    for _ in range(2):
        seen = await condition_of(Between(bus.client, one_more), LEDGER, Stream.DESK, 0)
        assert loss(Mark(), seen) is None
    for one in (speaker, bus):
        await one.close()
