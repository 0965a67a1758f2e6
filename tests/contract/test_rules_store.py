"""What a store of rules and counters does, in one process and on a real Valkey."""

import asyncio
import random

import pytest
from interlock.cli.process import start
from interlock.cli.servers.valkey import valkey_server
from interlock.cli.state_folder import open_state_folder
from interlock.model.counting import Counted, total
from interlock.runtime.stores.redis_rules import RedisRulesStore
from interlock.runtime.stores.rules import MemoryRulesStore, Saved, Standing
from interlock.testkit.decisions import policy, trading
from interlock.testkit.desk_messages import DESK
from interlock.testkit.rules import reader, signed

SCOPE = "approvals-7"


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.servers)])
async def stores(request, tmp_path):
    """Return a function that opens the store, as one more of its users."""
    if request.param == "memory":
        one = MemoryRulesStore()
        yield lambda: one
        return
    state = open_state_folder(tmp_path / "state")
    server = valkey_server(state)
    running = await start(server.child, state)
    while not await server.child.probe():
        assert running.process.returncode is None, running.last_lines()
    opened = []

    def open_one():
        opened.append(RedisRulesStore(server.url))
        return opened[-1]

    yield open_one
    for one in opened:
        await one.close()
    await running.stop()


@pytest.fixture
def store(stores):
    return stores()


def approval(name, notional=5):
    return Counted(member=str(name), amounts={"approvals": 1, "notional_micros": notional})


async def shown(store, scope=SCOPE):
    return (await store.read(DESK, scope)).counts


async def test_an_empty_store_holds_nothing(store):
    assert await store.read(DESK, SCOPE) == Standing()


async def test_both_records_come_back_as_they_were_signed(store):
    assert await store.save(signed(policy(3))) is Saved.TAKEN
    assert await store.save(signed(trading(epoch=2))) is Saved.TAKEN
    believed = reader().read(await store.read(DESK))
    assert (believed.version, believed.epoch, believed.error) == (3, 2, "")
    assert believed.policy == signed(policy(3))
    assert believed.trading == signed(trading(epoch=2))


async def test_saving_again_changes_nothing_and_says_what_stands(store):
    await store.save(signed(trading(epoch=2)))
    before = await store.read(DESK)
    assert await store.save(signed(trading(epoch=2))) is Saved.STANDS
    assert await store.save(signed(trading(epoch=1))) is Saved.FENCED
    other = signed(trading("halted", epoch=2))
    assert await store.save(other) is Saved.DIFFERS
    assert await store.read(DESK) == before


async def test_one_name_counts_once_with_whatever_amount(store):
    assert await store.count(DESK, SCOPE, [approval("a"), approval("a", 9)], epoch=1)
    assert await store.count(DESK, SCOPE, [approval("a", 9), approval("b")], epoch=1)
    assert await shown(store) == {"approvals": 2, "notional_micros": 10}


async def test_scopes_and_desks_are_counted_apart(store):
    await store.count(DESK, SCOPE, [approval("a")], epoch=1)
    await store.count(DESK, "kill-days", [Counted(member="20400", amounts={"days": 1})], epoch=1)
    await store.count("other", SCOPE, [approval("a", 6)], epoch=1)
    assert await shown(store) == {"approvals": 1, "notional_micros": 5}
    assert await shown(store, "kill-days") == {"days": 1}


async def test_what_is_counted_on_the_way_is_in_the_answer(store):
    await store.save(signed(trading(epoch=2)))
    first = await store.read(DESK, SCOPE, epoch=2, counted=[approval("a"), approval("b")])
    again = await store.read(DESK, SCOPE, epoch=2, counted=[approval("b")])
    assert first.counts == again.counts == {"approvals": 2, "notional_micros": 10}
    assert first.taken


async def test_i14_a_writer_of_an_older_epoch_counts_nothing(store):
    await store.save(signed(trading(epoch=2)))
    assert not await store.count(DESK, SCOPE, [approval("a")], epoch=1)
    answer = await store.read(DESK, SCOPE, epoch=1, counted=[approval("b")])
    assert (answer.taken, answer.counts) == (False, {})
    assert await store.count(DESK, SCOPE, [approval("a")], epoch=2)
    assert await store.count(DESK, SCOPE, [approval("b")], epoch=3)
    assert await shown(store) == {"approvals": 2, "notional_micros": 10}


async def test_f6_two_gates_that_count_at_once_count_everything_once(stores):
    """Each has seen half of the other's approvals too, in another order."""
    names = [f"intent-{n}" for n in range(60)]
    gates, dice = [stores(), stores()], random.Random(6)

    async def gate(store, mine):
        dice.shuffle(mine)
        for at in range(0, len(mine), 3):
            some = [approval(name) for name in mine[at : at + 3]]
            await store.read(DESK, SCOPE, epoch=1, counted=some)

    await asyncio.gather(gate(gates[0], names[:45]), gate(gates[1], names[15:]))
    assert await shown(gates[0]) == {"approvals": 60, "notional_micros": 300}


async def test_any_retries_in_any_order_end_in_the_exact_sums(store):
    dice = random.Random(14)
    things = {str(n): approval(n, dice.randrange(1, 10**15)) for n in range(200)}
    for _ in range(60):
        some = dice.sample(list(things.values()), dice.randrange(1, 30))
        await store.count(DESK, SCOPE, some, epoch=1)
    for _ in range(2):
        await store.count(DESK, SCOPE, list(things.values()), epoch=1)
        assert await shown(store) == total(things)
