"""The policy store on a real Valkey: idempotent, fenced, and its absence is an answer in time."""

import asyncio
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import redis
from interlock.cli.process import start
from interlock.cli.servers.valkey import valkey_server
from interlock.cli.state_folder import open_state_folder
from interlock.gate.app import build
from interlock.gate.config import GateConfig, InstrumentLimits
from interlock.gate.rules_store import GateRules
from interlock.model.values import Side
from interlock.runtime.errors import UnavailableError
from interlock.runtime.service import Perform
from interlock.runtime.signing import throwaway_signer
from interlock.runtime.stores.redis_client import TIMEOUT_SECONDS
from interlock.runtime.stores.redis_rules import RedisRulesStore, rules_key
from interlock.runtime.stores.rules import Saved
from interlock.testkit.cells import cell_of, react
from interlock.testkit.decisions import desk, policy, reconciled, trading, wanted
from interlock.testkit.desk_messages import DESK, SECOND, bar, fill
from interlock.testkit.rules import reader, signed
from interlock.wire.orders import OrderDenied, SubmitOrder

pytestmark = pytest.mark.servers
KEY = rules_key(DESK)
ENOUGH_SECONDS = 10 * TIMEOUT_SECONDS
NOW = 100


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


# The gate, with this store.

LIMITS = InstrumentLimits(
    max_order_quantity=Decimal(50),
    max_order_notional=Decimal(4_000),
    max_position_notional=Decimal(6_000),
)
CONFIG = GateConfig(
    default_limits=LIMITS,
    max_gross_notional=Decimal(8_000),
    collar_bps=Decimal(50),
    max_reference_age_seconds=10,
    max_intent_age_seconds=10,
)


def rules_of(store):
    return GateRules(desk=DESK, store=store, reader=reader())


async def asked(cell, intent):
    """Return the gate's verdict on `intent`."""
    reaction = cell.react(intent, NOW * SECOND)
    said, reports = [], None
    while True:
        try:
            step = reaction.send(reports)
        except StopIteration:
            (verdict,) = [one for one in said if isinstance(one, OrderDenied | SubmitOrder)]
            return verdict
        reports = None
        if isinstance(step, Perform):
            result = cell.service.perform(step.effect)
            reports = await result if asyncio.iscoroutine(result) else result
        else:
            said += step.messages


async def test_i9_the_gate_denies_new_risk_while_the_store_is_down_and_not_before_or_after(
    store, valkey
):
    await store.save(signed(policy(3)))
    await store.save(signed(trading()))
    cell = cell_of(build(desk(), CONFIG, "c0ffee", rules_of(store), throwaway_signer()))
    for message in (trading(), reconciled(), policy(3), bar(NOW, 100.0), fill(1)):
        react(cell, message, 0)
    assert isinstance(await asked(cell, wanted(NOW)), SubmitOrder)
    await valkey.kill()
    denial = await asyncio.wait_for(asked(cell, wanted(99)), ENOUGH_SECONDS)
    assert isinstance(denial, OrderDenied)
    assert [failure.code for failure in denial.failures] == ["state.policy_store"]
    leave = wanted(98, side=Side.SELL, reduce_only=True)
    assert isinstance(await asked(cell, leave), SubmitOrder)
    await valkey.start()
    assert isinstance(await asked(cell, wanted(97)), SubmitOrder)


async def test_i6_the_gate_denies_while_the_store_has_another_version(store):
    await store.save(signed(policy(4)))
    await store.save(signed(trading()))
    cell = cell_of(build(desk(), CONFIG, "c0ffee", rules_of(store), throwaway_signer()))
    for message in (trading(), reconciled(), policy(3), bar(NOW, 100.0)):
        react(cell, message, 0)
    denial = await asked(cell, wanted(NOW))
    assert [failure.code for failure in denial.failures] == ["state.policy_store"]
