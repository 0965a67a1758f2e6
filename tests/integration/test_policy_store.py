"""The policy store on a real Valkey: idempotent, fenced, and its absence is an answer in time."""

import asyncio
from urllib.parse import urlsplit

import pytest
import redis
import uvloop
from interlock.cli.process import start
from interlock.cli.servers.valkey import valkey_server
from interlock.cli.state_folder import open_state_folder
from interlock.gate.app import build
from interlock.gate.config import GateConfig
from interlock.gate.counting import scope_of
from interlock.gate.rules_store import GateRules
from interlock.model.counting import Counted
from interlock.model.values import Side
from interlock.runtime.errors import UnavailableError
from interlock.runtime.service import Perform
from interlock.runtime.signing import throwaway_signer
from interlock.runtime.stores.redis_client import TIMEOUT_SECONDS
from interlock.runtime.stores.redis_rules import (
    RedisRulesStore,
    count_key,
    counted_key,
    rules_key,
)
from interlock.runtime.stores.rules import FOR_EVER, KEPT_SECONDS, Saved
from interlock.testkit.cells import cell_of, react
from interlock.testkit.decisions import desk, policy, reconciled, trading, wanted
from interlock.testkit.desk_messages import DESK, SECOND, bar
from interlock.testkit.fault_proxy import FaultProxy
from interlock.testkit.rules import reader, signed
from interlock.wire.orders import OrderDenied

pytestmark = pytest.mark.servers
KEY = rules_key(DESK)
ENOUGH_SECONDS = 10 * TIMEOUT_SECONDS
NOW = 100
OF_THE_STORE = {"state.policy_store", "state.counters"}
NEVER = -1  # What Redis says of a key without an end.


class Valkey:
    """A Valkey as `interlock up` starts it, which can be killed, stopped and started again."""

    def __init__(self, state):
        self.state = state
        self.server = valkey_server(state)
        self.running = None

    async def start(self):
        self.running = await start(self.server.child, self.state)
        while not await self.server.child.probe():
            assert self.running.process.returncode is None, self.running.last_lines()

    async def kill(self):
        self.running.process.kill()
        await self.running.wait()

    def client(self):
        return redis.Redis.from_url(self.server.url)


@pytest.fixture
async def valkey(tmp_path):
    opened = Valkey(open_state_folder(tmp_path / "state"))
    await opened.start()
    yield opened
    await opened.running.stop()


@pytest.fixture
def valkey_url(tmp_path):
    """The address of a Valkey for a test that brings its own event loop."""
    opened = Valkey(open_state_folder(tmp_path / "state"))
    with asyncio.Runner() as runner:
        runner.run(opened.start())
        yield opened.server.url
        runner.run(opened.running.stop())


@pytest.fixture
async def store(valkey):
    opened = RedisRulesStore(valkey.server.url)
    yield opened
    await opened.close()


async def version(store, desk_name=DESK):
    """Return the version that stands, by the number it is fenced by."""
    number = (await store.read(desk_name)).version
    return None if number is None else int(number)


async def unavailable(call):
    """Wait for the error that a caller expects, no longer than a caller waits."""
    with pytest.raises(UnavailableError, match="policy store"):
        await asyncio.wait_for(call, ENOUGH_SECONDS)


async def test_no_policy_is_no_version(store):
    assert await version(store) is None


async def test_saving_twice_is_saving_once(store, valkey):
    assert await store.save(policy(3, 1.0)) is Saved.TAKEN
    assert await store.save(policy(3, 1.0)) is Saved.STANDS
    assert await store.save(policy(3, 2.0)) is Saved.DIFFERS
    assert await version(store) == 3
    with valkey.client() as client:
        assert b'"threshold_bps":1.0' in client.hget(KEY, "policy")


async def test_i14_an_older_version_never_replaces_a_newer_one(store, valkey):
    assert await store.save(policy(9, 1.0)) is Saved.TAKEN
    assert await store.save(policy(10, 1.1)) is Saved.TAKEN
    assert await store.save(policy(9, 2.0)) is Saved.FENCED
    assert await version(store) == 10
    with valkey.client() as client:
        assert b'"version":10' in client.hget(KEY, "policy")


async def test_i14_of_two_writers_at_once_the_newest_version_stands(store, valkey):
    second = RedisRulesStore(valkey.server.url)
    writers = [store, second]
    saves = [writers[n % 2].save(policy(n)) for n in (5, 3, 9, 1, 7, 9, 8, 2)]
    taken = await asyncio.gather(*saves)
    await second.close()
    assert await version(store) == 9
    assert Saved.TAKEN in taken
    with valkey.client() as client:
        assert b'"version":9' in client.hget(KEY, "policy")


async def test_two_desks_do_not_see_each_other(store):
    await store.save(policy(3))
    assert await version(store, "other") is None


async def test_i9_a_killed_server_is_unavailable_in_time_and_back_with_its_version(store, valkey):
    assert await store.save(policy(3)) is Saved.TAKEN
    await valkey.kill()
    await unavailable(store.read(DESK))
    await unavailable(store.save(policy(4)))
    await valkey.start()
    assert await version(store) == 3
    assert await store.save(policy(4)) is Saved.TAKEN


async def test_i9_a_restart_nobody_noticed_costs_one_answer_and_no_version(store, valkey):
    """Nothing is retried, so the call that finds its connection cut is the one that is denied."""
    await store.save(policy(3))
    await valkey.kill()
    await valkey.start()
    await unavailable(store.read(DESK))
    assert await version(store) == 3


async def test_i9_a_server_that_hangs_is_unavailable_in_time(store, valkey):
    await store.save(policy(3))
    with valkey.client() as client:
        client.execute_command("CLIENT", "PAUSE", "2000", "ALL")
    await unavailable(store.read(DESK))
    await unavailable(store.save(policy(4)))


@pytest.mark.parametrize("garbage", ["", "three", "3.5", "\xff", "3 4", "03"])
async def test_i9_a_version_that_is_no_number_is_not_believed(store, valkey, garbage):
    await store.save(signed(policy(3)))
    with valkey.client() as client:
        client.hset(KEY, "version", garbage)
    believed = reader().read(await store.read(DESK))
    assert believed.version is None
    assert "its record says 3" in believed.error


async def test_i9_a_key_of_another_kind_is_unavailable(store, valkey):
    with valkey.client() as client:
        client.set(KEY, "3")
    await unavailable(store.read(DESK))
    await unavailable(store.save(policy(4)))


async def test_i9_a_wrong_password_is_unavailable_and_does_not_show_the_password(valkey):
    address = urlsplit(valkey.server.url)
    stranger = RedisRulesStore(f"redis://:wrong@{address.hostname}:{address.port}/0")
    with pytest.raises(UnavailableError) as caught:
        await stranger.read(DESK)
    await stranger.close()
    assert "wrong@" not in str(caught.value)


async def test_i9_a_full_server_does_not_take_a_policy_and_says_so(store, valkey):
    await store.save(policy(3))
    with valkey.client() as client:
        client.config_set("maxmemory", "1")
        await unavailable(store.save(policy(4)))
        assert await version(store) == 3
        client.config_set("maxmemory", "256mb")
    assert await store.save(policy(4)) is Saved.TAKEN


# The gate, with this store. No limit is configured, so it denies for that as well.


async def refused_for(cell, intent):
    """Return what the gate has against `intent` because of the store, by code."""
    reaction = cell.react(intent, NOW * SECOND)
    said, reports = [], None
    while True:
        try:
            step = reaction.send(reports)
        except StopIteration:
            break
        reports = None
        if isinstance(step, Perform):
            result = cell.service.perform(step.effect)
            reports = await result if asyncio.iscoroutine(result) else result
        else:
            said += step.messages
    (denial,) = [one for one in said if isinstance(one, OrderDenied)]
    return {one.code: one.observed for one in denial.failures if one.code in OF_THE_STORE}


async def gate_cell(store, *, version=3):
    """Return a gate for which `store` holds version 3 and epoch 1, and which heard the same."""
    rules = GateRules(desk=DESK, store=store, reader=reader())
    cell = cell_of(build(desk(), GateConfig(), "c0ffee", rules, throwaway_signer()))
    for one in (policy(3), trading()):
        await store.save(signed(one))
    for message in (trading(), reconciled(), policy(version), bar(NOW, 100.0)):
        react(cell, message, 0)
    return cell


async def test_i9_the_gate_denies_new_risk_while_the_store_is_down_and_not_before_or_after(
    store, valkey
):
    cell = await gate_cell(store)
    assert await refused_for(cell, wanted(NOW)) == {}
    await valkey.kill()
    refused = await asyncio.wait_for(refused_for(cell, wanted(99)), ENOUGH_SECONDS)
    assert list(refused) == ["state.policy_store"]
    leave = wanted(98, side=Side.SELL, reduce_only=True)
    assert await refused_for(cell, leave) == {}
    await valkey.start()
    assert await refused_for(cell, wanted(97)) == {}


async def test_i6_the_gate_denies_while_the_store_has_another_version(store):
    refused = await refused_for(await gate_cell(store, version=4), wanted(NOW))
    assert refused == {"state.policy_store": "version 3, epoch 1"}


async def test_i9_a_deleted_record_denies_in_one_clear_line_until_it_stands_again(store, valkey):
    cell = await gate_cell(store)
    with valkey.client() as client:
        client.delete(KEY)
    refused = await refused_for(cell, wanted(NOW))
    assert refused == {"state.policy_store": "version None, epoch None"}
    for one in (policy(3), trading()):
        await store.save(signed(one))
    assert await refused_for(cell, wanted(99)) == {}


@pytest.mark.parametrize("field", ["version", "policy", "epoch", "trading"])
async def test_i9_a_flipped_value_denies_every_new_risk(store, valkey, field):
    cell = await gate_cell(store)
    with valkey.client() as client:
        value = bytearray(client.hget(KEY, field))
        value[len(value) // 2] ^= 1
        client.hset(KEY, field, bytes(value))
    (refused,) = (await refused_for(cell, wanted(NOW))).items()
    assert refused[0] == "state.policy_store"
    assert "in the policy store" in refused[1]


async def test_i9_counters_that_another_moved_deny_every_new_risk(store):
    cell = await gate_cell(store)
    strange = Counted(member="strange", amounts={"approvals": 1, "notional_micros": 7})
    await store.count(DESK, scope_of(NOW * SECOND), [strange], epoch=1)
    refused = await refused_for(cell, wanted(NOW))
    assert refused == {"state.counters": "1 approvals of 0.000007 together"}


# The counters.

DAY = "approvals-7"


def approval(name, notional=5):
    return Counted(member=name, amounts={"approvals": 1, "notional_micros": notional})


async def test_i9_a_counter_that_holds_no_number_is_unavailable_and_stays_uncounted(store, valkey):
    await store.count(DESK, DAY, [approval("a")], epoch=1)
    with valkey.client() as client:
        client.hset(count_key(DESK, DAY), "approvals", "many")
        await unavailable(store.count(DESK, DAY, [approval("b")], epoch=1))
        await unavailable(store.read(DESK, DAY))
        assert not client.sismember(counted_key(DESK, DAY), "b")


async def test_an_epoch_that_is_no_number_is_unavailable(store, valkey):
    await store.save(signed(trading()))
    with valkey.client() as client:
        client.hset(KEY, "epoch", "two")
    await unavailable(store.count(DESK, DAY, [approval("a")], epoch=1))


async def test_counters_that_were_deleted_are_restored_by_counting_everything_again(store, valkey):
    day = [approval("a"), approval("b")]
    await store.count(DESK, DAY, day, epoch=1)
    with valkey.client() as client:
        client.delete(count_key(DESK, DAY))
    await store.count(DESK, DAY, day, epoch=1)
    assert (await store.read(DESK, DAY)).counts == {"approvals": 2, "notional_micros": 10}


async def test_counters_of_a_day_do_not_stay_for_ever_unless_asked_to(store, valkey):
    await store.count(DESK, DAY, [approval("a")], epoch=1)
    await store.count(DESK, "kill-days", [approval("b")], epoch=1, kept_seconds=FOR_EVER)
    with valkey.client() as client:
        assert 0 < client.ttl(count_key(DESK, DAY)) <= KEPT_SECONDS
        assert 0 < client.ttl(counted_key(DESK, DAY)) <= KEPT_SECONDS
        assert client.ttl(count_key(DESK, "kill-days")) == NEVER


async def test_f6_a_server_killed_again_and_again_loses_no_count_and_adds_none(store, valkey):
    """An answer that was lost may have been counted: it is asked again, with the same name."""
    names, lost = [f"intent-{n}" for n in range(300)], 0

    async def counting():
        nonlocal lost
        for name in names:
            while True:
                try:
                    await store.count(DESK, DAY, [approval(name)], epoch=1)
                except UnavailableError:
                    lost += 1
                    await asyncio.sleep(0.01)
                else:
                    break

    async def killing():
        for _ in range(3):
            await asyncio.sleep(0.02)
            await valkey.kill()
            await valkey.start()

    await asyncio.gather(counting(), killing())
    assert lost
    counts = (await store.read(DESK, DAY)).counts
    assert counts == {"approvals": 300, "notional_micros": 1_500}


def test_a_connection_that_was_reset_is_no_answer_and_the_next_one_is(valkey_url):
    """On the event loop of a service, whose words for a dead connection are its own."""

    async def asked() -> list[bool]:
        address = urlsplit(valkey_url)
        async with FaultProxy(address.hostname, address.port) as proxy:
            opened = RedisRulesStore(valkey_url.replace(f":{address.port}", f":{proxy.port}"))
            answered = []
            for number in range(60):
                if number % 3 == 0:
                    proxy.reset()
                    for _ in range(number % 5):
                        await asyncio.sleep(0)
                try:
                    await opened.read(DESK)
                    answered.append(True)
                except UnavailableError:
                    answered.append(False)
            await opened.close()
        return answered

    found = uvloop.run(asked())
    assert found.count(False) >= 10
    assert found.count(True) >= 30
