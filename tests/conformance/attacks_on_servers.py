"""Attacks that need real processes: NATS, Valkey, and the services `interlock up` starts.

One desk is started for all of them, and each attack is undone before the next.
"""

import asyncio
from functools import cache, partial

import redis
import uvloop
from interlock.model.ids import derive_id
from interlock.runtime.bus.nats import NatsBus
from interlock.runtime.stores.redis_rules import count_key, rules_key
from interlock.runtime.switch_file import SWITCH_FILE
from interlock.wire.base import root_ids
from interlock.wire.catalogue import EXEC, GATE, POLICY
from interlock.wire.orders import OrderIntent
from interlock.wire.policy import HaltTrading, ResumeTrading
from msgspec.structs import replace

from tests.chaos.desk import REDIS, Desk, NotInTimeError, desk, until
from tests.chaos.load import DESK, Load, load_on
from tests.conformance.attack import APPROVED, Attack, told

SEED = 31
VERDICT_SECONDS = 10.0
COPIES = 20
FAILED = "failed"
STOPPED = ("state.switch", "state.trading")


class _Desk:
    """The desk under attack, and what came of each attack so far."""

    def __init__(self, running: Desk, load: Load) -> None:
        self.running, self.load = running, load
        self.number = 0
        self.got: dict[str, str] = {}

    async def verdict(self, intent: OrderIntent | None = None) -> str:
        """Ask for an order and return what the gate has against it."""
        self.number += 1
        intent = intent or self.load.intent(10_000 + self.number)
        await self.load.ask(intent)
        await until(
            partial(self.load.judged, intent.intent_id), VERDICT_SECONDS, "a verdict of the gate"
        )
        if intent.intent_id in self.load.approved:
            return APPROVED
        return told([one.code for one in self.load.denied[intent.intent_id][1].failures])

    async def until_approved(self) -> None:
        async def approved() -> bool:
            return await self.verdict() == APPROVED

        await until(approved, 2 * VERDICT_SECONDS, "orders to be approved again")

    async def denied_as(self, *codes: str) -> str:
        """Return the verdict once what was done has arrived, or the last one before."""
        last = ""
        for _ in range(20):
            last = await self.verdict()
            if last == told(codes):
                break
            await asyncio.sleep(0.1)
        return last

    async def say(self, operator: NatsBus, kind: type[HaltTrading] | type[ResumeTrading]) -> None:
        self.number += 1
        message_id, decision_id = root_ids(kind, "attack", self.number)
        word = kind(message_id=message_id, decision_id=decision_id, ts_event=self.load.ts_market,
                    desk=DESK.name, by="ada", reason="attack")  # fmt: skip
        await operator.publish([word], {})


@cache
def outcomes() -> dict[str, str]:
    """Attack a running desk in every way of this file, and return what came of each.

    Where one of them fails for another reason, that is the answer of those that are left.
    """
    return uvloop.run(_attacked())


async def _attacked() -> dict[str, str]:
    async with desk() as running, load_on(running, SEED) as load:
        place = _Desk(running, load)
        try:
            place.got["control"] = await place.verdict()
            await _in_parallel(place)
            await _second_process(place)
            await _store_killed(place)
            await _halted(place)
            await _switch_deleted(place)
            await _records(place)
        except (NotInTimeError, redis.RedisError) as error:
            place.got[FAILED] = str(error)
    return place.got


async def _in_parallel(place: _Desk) -> None:
    first = place.load.intent(1_000)
    copies = [replace(first, message_id=derive_id("copy", n)) for n in range(COPIES)]
    await asyncio.gather(*(place.load.strategy.publish([one], {}) for one in copies))
    await until(lambda: place.load.judged(first.intent_id), VERDICT_SECONDS, "a verdict")
    await asyncio.sleep(0.5)
    stored = 0
    async for _ in place.load.ear._read_back(
        "APPROVALS", f"cmd.exec.submit-order.*.{first.intent_id}", last_only=False
    ):
        stored += 1
    place.got["parallel"] = f"{stored} approval"


async def _second_process(place: _Desk) -> None:
    try:
        await place.running.start(f"{GATE}-2")
    except NotInTimeError:
        place.got["second"] = "does not start"
        place.running.running.pop(f"{GATE}-2", None)
    else:
        place.got["second"] = "starts"


async def _store_killed(place: _Desk) -> None:
    await place.running.kill(REDIS)
    place.got["killed"] = await place.denied_as("state.policy_store")
    await place.running.start(REDIS)
    await place.until_approved()


async def _halted(place: _Desk) -> None:
    await place.say(place.load.ear, HaltTrading)
    place.got["halted"] = await place.denied_as(*STOPPED)
    for name in (GATE, POLICY, EXEC):
        await place.running.stop(name)
        await place.running.start(name)
        place.got[f"restarted {name}"] = await place.denied_as(*STOPPED)
    await place.say(place.load.ear, ResumeTrading)
    await place.until_approved()


async def _switch_deleted(place: _Desk) -> None:
    # The state folder of a desk that has run has a journal; here the ledger, who writes it, is not.
    (place.running.state.root / "journal").mkdir(exist_ok=True)
    (place.running.state.root / "journal" / "journal.jsonl").touch()
    (place.running.state.root / SWITCH_FILE).unlink()
    place.got["switch"] = await place.denied_as(*STOPPED)
    await place.say(place.load.ear, ResumeTrading)
    await place.until_approved()


async def _records(place: _Desk) -> None:
    """Meddle with the store's records, with its password: first the counters, then the rules."""
    with redis.Redis.from_url(place.running.addresses.redis_url) as store:
        # What was approved is counted with the next question, or a tenth of a second later.
        await asyncio.sleep(0.5)
        (counter,) = store.keys(count_key(DESK.name, "*"))
        kept = store.hgetall(counter)
        store.hset(counter, "approvals", 0)
        place.got["zero"] = await place.denied_as("state.counters")
        store.hset(counter, mapping=kept)
        await place.until_approved()
        rules = rules_key(DESK.name)
        record = store.hget(rules, "trading")
        store.hset(rules, "trading", record.replace(b'"state":"', b'"state": "'))
        place.got["forged"] = await place.denied_as("state.policy_store")
        store.hset(rules, "trading", record)
        await place.until_approved()
        store.delete(rules)
        place.got["deleted"] = await place.denied_as("state.policy_store")


def _outcome(key: str) -> str:
    got = outcomes()
    return got.get(key) or f"not reached: {got.get(FAILED)}"


def _attack(name: str, how: str, key: str, *expected: str) -> Attack:
    return Attack(
        name=name, how=how, expected=expected, run=lambda: _outcome(key).split(", "),
        control=lambda: _outcome("control"), servers=True,
    )  # fmt: skip


_TWICE = "same intent twice, in parallel, after restart"
_HALT, _FILES = "gate restart in HALTED", "deleting the halt or state file"
ATTACKS = [
    _attack(_TWICE, f"{COPIES} copies at once, real NATS", "parallel", "1 approval"),
    _attack(_TWICE, "a second gate process", "second", "does not start"),
    _attack("store down during the check", "Valkey is killed", "killed", "state.policy_store"),
    _attack(_HALT, "a halt, real processes", "halted", *STOPPED),
    _attack(_HALT, "the gate process restarts", f"restarted {GATE}", *STOPPED),
    _attack(_HALT, "the policy process restarts", f"restarted {POLICY}", *STOPPED),
    _attack(_HALT, "the exec process restarts", f"restarted {EXEC}", *STOPPED),
    _attack(_FILES, "switch.json is deleted under a running exec", "switch", *STOPPED),
    _attack("error in a counter treated as zero", "the counter in Valkey is set to 0", "zero",
            "state.counters"),
    _attack(_FILES, "the record in Valkey has one more space", "forged", "state.policy_store"),
    _attack(_FILES, "the record in Valkey is deleted", "deleted", "state.policy_store"),
]  # fmt: skip
