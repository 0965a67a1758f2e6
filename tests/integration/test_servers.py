"""The embedded servers and the supervisor, with real processes."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import msgspec
import psycopg
import pytest
import redis
from interlock.cli.errors import CliError
from interlock.cli.process import (
    LOOPBACK,
    Child,
    end_stale,
    free_port,
    identity,
    service_child,
    start,
)
from interlock.cli.run_record import read_run_record
from interlock.cli.servers.nats import desk_users, nats_password, nats_server
from interlock.cli.servers.postgres import postgres_server
from interlock.cli.servers.valkey import valkey_server
from interlock.cli.state_folder import locked, open_state_folder
from interlock.cli.supervisor import ChildFailedError, Supervisor
from nats.aio.client import Client

pytestmark = pytest.mark.servers

PATIENCE_SECONDS = 20.0


@pytest.fixture
def state(tmp_path):
    return open_state_folder(tmp_path / "state")


@asynccontextmanager
async def supervised(state, *stages):
    supervisor = Supervisor(state, "params")
    try:
        for stage in stages:
            await supervisor.start(stage)
        yield supervisor
    finally:
        await supervisor.stop()


@asynccontextmanager
async def bus(state, server, user="admin"):
    client = Client()
    await client.connect(server.url, user=user, password=nats_password(state, user))
    try:
        yield client
    finally:
        await client.close()


def script(name, code, **changes) -> Child:
    """A child that is ready as soon as it runs, unless `changes` say otherwise."""

    async def probe() -> bool:
        return True

    child = Child(name=name, argv=(sys.executable, "-I", "-S", "-c", code), probe=probe)
    return replace(child, **changes)


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


def children(state):
    return read_run_record(state).children


async def test_all_three_start_answer_and_leave_nobody_behind(state):
    nats, valkey = nats_server(state, desk_users(state)), valkey_server(state)
    postgres = postgres_server(state)
    async with supervised(state, [nats.child, valkey.child, postgres.child]):
        record = children(state)
        assert set(record) == {"nats", "valkey", "postgres"}
        assert all(child.ready for child in record.values())
        with redis.Redis.from_url(valkey.url) as client:
            assert client.config_get("appendfsync") == {"appendfsync": "always"}
        with psycopg.connect(postgres.url) as connection:
            row = connection.execute(
                "select current_user, current_setting('fsync'), current_setting('is_superuser')"
            ).fetchone()
            assert row == ("interlock", "on", "off")
        async with bus(state, nats) as client:
            await client.jetstream().add_stream(name="S", subjects=["s.>"])
            assert (await client.jetstream().publish("s.a", b"1")).seq == 1
    assert not any(identity(child.pid) for child in record.values())
    assert not state.run_file.exists()
    assert list(state.pids.iterdir()) == []


async def test_no_server_lets_a_stranger_in(state):
    nats, valkey = nats_server(state, desk_users(state)), valkey_server(state)
    postgres = postgres_server(state)
    async with supervised(state, [nats.child, valkey.child, postgres.child]):
        with redis.Redis.from_url(valkey.address) as client, pytest.raises(redis.RedisError):
            client.ping()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(postgres.address, user="interlock", password="wrong")
        client = Client()
        with pytest.raises(Exception, match="Authorization Violation"):
            await client.connect(nats.url, allow_reconnect=False)
        await client.close()


async def test_data_outlives_a_restart(state):
    for turn in (1, 2):
        nats, valkey = nats_server(state, desk_users(state)), valkey_server(state)
        postgres = postgres_server(state)
        async with supervised(state, [nats.child, valkey.child, postgres.child]):
            async with bus(state, nats) as client:
                stream = client.jetstream()
                if turn == 1:
                    await stream.add_stream(name="S", subjects=["s.>"])
                assert (await stream.publish("s.a", b"1")).seq == turn
            with redis.Redis.from_url(valkey.url) as client:
                assert client.incr("turns") == turn
            with psycopg.connect(postgres.url) as connection:
                connection.execute("create table if not exists turns (n int)")
                connection.execute("insert into turns values (%s)", (turn,))
                assert connection.execute("select count(*) from turns").fetchone() == (turn,)


@pytest.mark.parametrize("name", ["nats", "valkey", "postgres"])
async def test_a_killed_server_comes_back_on_its_port_with_its_data(state, name):
    server = {
        "nats": lambda: nats_server(state, desk_users(state)),
        "valkey": lambda: valkey_server(state),
        "postgres": lambda: postgres_server(state),
    }[name]()
    async with supervised(state, [server.child]):
        await write(state, name, server)
        first = children(state)[name]
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: children(state)[name].restarts > 0 and children(state)[name].ready)
        assert children(state)[name].pid != first.pid
        assert await read(state, name, server) == 1


async def write(state, name, server) -> None:
    match name:
        case "nats":
            async with bus(state, server) as client:
                await client.jetstream().add_stream(name="S", subjects=["s.>"])
                await client.jetstream().publish("s.a", b"1")
        case "valkey":
            with redis.Redis.from_url(server.url) as client:
                client.set("kept", 1)
        case _:
            with psycopg.connect(server.url) as connection:
                connection.execute("create table kept as select 1 as n")


async def read(state, name, server) -> int:
    match name:
        case "nats":
            async with bus(state, server) as client:
                return (await client.jetstream().stream_info("S")).state.messages
        case "valkey":
            with redis.Redis.from_url(server.url) as client:
                return int(client.get("kept"))
        case _:
            with psycopg.connect(server.url) as connection:
                return connection.execute("select n from kept").fetchone()[0]


async def test_a_server_that_dies_at_start_shows_what_it_said(state):
    child = script("broken", "print('disk on fire'); raise SystemExit(3)", probe=never)
    with pytest.raises(ChildFailedError, match=r"broken died at start with exit code 3: disk on"):
        async with supervised(state, [child]):
            pass
    assert list(state.pids.iterdir()) == []


async def test_a_port_in_use_is_named(state):
    taken = free_port()
    server = nats_server(state, desk_users(state))
    prepare = server.child.prepare

    async def on_the_taken_port() -> None:
        await prepare()
        path = state.nats / "nats.conf"
        text = path.read_text()
        path.write_text(text.replace(server.url.removeprefix("nats://"), f"{LOOPBACK}:{taken}"))

    child = replace(server.child, prepare=on_the_taken_port)
    holder = await asyncio.start_server(lambda _r, w: w.close(), LOOPBACK, taken)
    try:
        with pytest.raises(ChildFailedError, match="address already in use"):
            async with supervised(state, [child]):
                pass
    finally:
        holder.close()
        await holder.wait_closed()


async def test_a_child_that_never_becomes_ready_is_ended(state):
    child = script("slow", "import time; time.sleep(60)", probe=never, start_bound_seconds=0.2)
    with pytest.raises(ChildFailedError, match=r"slow is not ready after 0\.2 s"):
        async with supervised(state, [child]):
            pass


async def never() -> bool:
    return False


async def test_a_failed_stage_leaves_none_of_its_children_running(state):
    well = script("well", "import time; time.sleep(60)")
    broken = script("broken", "raise SystemExit(2)", probe=never)
    supervisor = Supervisor(state, "params")
    with pytest.raises(ChildFailedError, match="broken"):
        await supervisor.start([well, broken])
    await supervisor.stop()
    assert list(state.pids.iterdir()) == []


async def test_a_configuration_error_is_not_tried_again(state):
    code = (
        "import pathlib, sys; tries = pathlib.Path(sys.argv[1]); "
        "tries.write_text(tries.read_text() + 'x'); "
        "print('interlock gate: no such key'); raise SystemExit(2)"
    )
    tries = state.root / "tries"
    tries.write_text("")
    child = script("gate", code, probe=never)
    child = replace(child, argv=(*child.argv, str(tries)))
    with pytest.raises(ChildFailedError, match=r"^gate: no such key$"):
        async with supervised(state, [child]):
            pass
    assert tries.read_text() == "x"


async def test_a_configuration_error_later_stops_the_watch(state):
    flag = state.root / "flag"
    code = (
        "import pathlib, sys, time\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)\n"
        "print('the key has gone'); raise SystemExit(2)"
    )
    child = script("gate", code)
    child = replace(child, argv=(*child.argv, str(flag)))
    async with supervised(state, [child]) as supervisor, asyncio.timeout(PATIENCE_SECONDS):
        flag.touch()
        with pytest.raises(ChildFailedError, match="gate: the key has gone"):
            await supervisor.watch()


HEALTH = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
port = int(os.environ["INTERLOCK_HEALTH_PORT"])
http.server.HTTPServer(("127.0.0.1", port), Page).serve_forever()
"""


async def test_a_service_is_ready_when_its_page_says_so_and_is_started_again(state):
    child = service_child("gate", (sys.executable, "-I", "-c", HEALTH), {})
    async with supervised(state, [child]):
        first = children(state)["gate"]
        assert first.ready
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: children(state)["gate"].restarts == 1 and children(state)["gate"].ready)
        assert children(state)["gate"].health_url == first.health_url


STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


async def test_a_child_that_will_not_stop_is_killed_after_its_bound(state):
    child = script("stubborn", STUBBORN, stop_bound_seconds=0.2)
    running = await start(child, state)
    await until(lambda: running.log_path.stat().st_size > 0)
    assert await running.stop() == -signal.SIGKILL


CRASHING = """
import asyncio, os, pathlib, sys
from interlock.cli.servers.nats import desk_users, nats_server
from interlock.cli.servers.postgres import postgres_server
from interlock.cli.servers.valkey import valkey_server
from interlock.cli.state_folder import locked, open_state_folder
from interlock.cli.supervisor import Supervisor

async def main():
    state = open_state_folder(pathlib.Path(sys.argv[1]))
    with locked(state):
        supervisor = Supervisor(state, "params")
        nats = nats_server(state, desk_users(state))
        servers = nats, valkey_server(state), postgres_server(state)
        await supervisor.start([server.child for server in servers])
        print("up", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_children_do_not_outlive_a_killed_supervisor(state):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CRASHING, str(state.root)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await process.stdout.readline() == b"up\n"
        left = children(state)
        with pytest.raises(CliError, match=f"process {process.pid}"), locked(state):
            pass
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    await until(lambda: not any(identity(child.pid) for child in left.values()))
    with locked(state):
        assert end_stale(state) == []
        servers = [valkey_server(state), postgres_server(state)]
        async with supervised(state, [server.child for server in servers]):
            assert set(children(state)) == {"valkey", "postgres"}


async def test_what_escaped_a_crash_is_ended_at_the_next_start(state):
    child = script("escaped", "import time; time.sleep(60)")
    running = await start(child, state)
    assert end_stale(state) == ["escaped"]
    with suppress(ProcessLookupError):
        assert await running.wait() == -signal.SIGTERM


async def test_a_left_lock_of_postgres_does_not_stop_the_next_start(state):
    server = postgres_server(state)
    async with supervised(state, [server.child]):
        pass
    # In a container numbers repeat: ours is a living process that is no postmaster.
    (state.postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{state.postgres}\n")
    async with supervised(state, [postgres_server(state).child]):
        assert children(state)["postgres"].restarts == 0


async def test_a_database_of_another_version_is_left_alone(state):
    state.postgres.mkdir()
    (state.postgres / "PG_VERSION").write_text("15\n")
    with pytest.raises(CliError, match="made by PostgreSQL 15"):
        async with supervised(state, [postgres_server(state).child]):
            pass


async def test_the_record_holds_no_password(state):
    valkey = valkey_server(state)
    supervisor = Supervisor(state, "params", servers={"redis": valkey.address})
    try:
        await supervisor.start([valkey.child])
        assert state.secret("valkey") not in state.run_file.read_text()
        assert msgspec.json.decode(state.run_file.read_bytes())["servers"]["redis"]
    finally:
        await supervisor.stop()
