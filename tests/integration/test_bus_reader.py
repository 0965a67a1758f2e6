"""Looking at a real bus as the operator."""

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

import pytest
from interlock.cli.bus_reader import reading
from interlock.cli.errors import CliError
from interlock.cli.main import app
from interlock.cli.run_record import running
from interlock.cli.servers.nats import desk_users, nats_password, nats_server
from interlock.cli.state_folder import open_state_folder
from interlock.cli.supervisor import Supervisor
from nats.aio.client import Client
from typer.testing import CliRunner

pytestmark = pytest.mark.servers


@asynccontextmanager
async def desk_with_streams(folder):
    """A bus with two streams and one consumer, the admin's connection, and the reader."""
    state = open_state_folder(folder)
    server = nats_server(state, desk_users(state))
    supervisor = Supervisor(state, "params", servers={"nats": server.address})
    admin = Client()
    try:
        await supervisor.start([server.child])
        await admin.connect(server.url, user="admin", password=nats_password(state, "admin"))
        streams = admin.jetstream()
        await streams.add_stream(name="DESK", subjects=["evt.>", "doc.>"])
        await streams.add_stream(name="MARKET", subjects=["data.>"])
        await streams.add_consumer("DESK", durable_name="gate", ack_policy="explicit")
        yield state, streams
    finally:
        await admin.close()
        await supervisor.stop()


async def take(messages, count):
    async with asyncio.timeout(10), aclosing(messages):
        return [((await anext(messages)).subject) for _ in range(count)]


async def test_it_lists_streams_subjects_and_consumers(tmp_path):
    async with desk_with_streams(tmp_path) as (state, streams):
        await streams.publish("evt.a", b"{}")
        await streams.publish("evt.a", b"{}")
        await streams.publish("data.b", b"{}")
        async with reading(state, running(state)) as bus:
            assert await bus.subject_list() == [("data.b", "MARKET", 1), ("evt.a", "DESK", 2)]
            assert [info.config.name for info in await bus.stream_list()] == ["DESK", "MARKET"]
            (consumer,) = await bus.consumer_list()
            assert (consumer.name, consumer.num_pending) == ("gate", 2)


async def test_a_tail_begins_with_what_was_stored_in_order_and_goes_on_live(tmp_path):
    async with desk_with_streams(tmp_path) as (state, streams):
        record = running(state)
        for subject in ("evt.1", "data.2", "doc.3", "data.4"):
            await streams.publish(subject, subject.encode())
        async with reading(state, record) as bus:
            since = datetime.fromisoformat(record.started_at)
            tail = bus.tail("*.*", since)
            first = await anext(tail)
            assert (first.subject, first.body) == ("evt.1", b"evt.1")
            await streams.publish("evt.5", b"5")
            assert await take(tail, 4) == ["data.2", "doc.3", "data.4", "evt.5"]


async def test_a_tail_shows_only_its_subject(tmp_path):
    desk = desk_with_streams(tmp_path)
    async with desk as (state, _), reading(state, running(state)) as bus:
        coming = asyncio.create_task(take(bus.tail("evt.>", None), 1))
        while not coming.done():
            await bus.client.publish("cmd.policy.halt.d", b"")
            await bus.client.publish("evt.alert.raised.d.info", b"")
            await asyncio.wait((coming,), timeout=0.05)
        assert coming.result() == ["evt.alert.raised.d.info"]


async def test_the_operator_may_not_write_what_the_gate_writes(tmp_path):
    async with desk_with_streams(tmp_path) as (state, _), reading(state, running(state)) as bus:
        await bus.client.publish("cmd.exec.submit-order.a.b", b"{}")
        await bus.client.flush()
        async with asyncio.timeout(10):
            assert "permissions violation" in (await bus.denied).lower()


async def test_the_commands_print_tables_and_json(tmp_path):
    async with desk_with_streams(tmp_path) as (state, streams):
        await streams.publish("evt.a", b'{"n":1}')
        options = ["--state", str(state.root)]

        async def said(*words) -> str:
            answer = await asyncio.to_thread(CliRunner().invoke, app, [*words, *options])
            assert answer.exit_code == 0, answer.stderr
            return answer.stdout

        assert "evt.a    DESK    1" in await said("bus", "ls")
        (row,) = json.loads(await said("bus", "ls", "--json"))
        assert row == {"subject": "evt.a", "stream": "DESK", "messages": 1}
        assert json.loads(await said("bus", "streams", "--json"))[0]["stream"] == "DESK"
        assert json.loads(await said("bus", "consumers", "--json"))[0]["waiting"] == 1
        tail = ("bus", "tail", "evt.>", "--since-start", "--count", "1")
        assert await said(*tail) == 'evt.a {"n":1}\n'
        assert await said(*tail, "--json") == '{"n":1}\n'
        assert "nats     ready" in await said("status")
        assert json.loads(await said("status", "--json"))["children"][0]["state"] == "ready"


async def test_a_run_without_a_bus_says_so(tmp_path):
    state = open_state_folder(tmp_path)
    supervisor = Supervisor(state, "params")
    await supervisor.start([])
    try:
        with pytest.raises(CliError, match="no bus to look at"):
            async with reading(state, running(state)):
                pass
    finally:
        await supervisor.stop()
