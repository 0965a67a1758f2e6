"""Rubbish on every subject of the catalogue: it is parked, and everything else goes on.

Malformed bytes, a torn document, a message that belongs elsewhere and a body near the broker's
limit are published on each subject while intents are asked. Each listener parks each of them after
three tries, judges the intents, and lives.
"""

from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from random import Random

import uvloop
from interlock.cli.servers.nats import MAX_PAYLOAD_BYTES, nats_password
from interlock.runtime.bus.nats import connect
from interlock.runtime.bus.permissions import ADMIN
from interlock.runtime.loop import MAX_TRIES, PARKED_BYTES
from interlock.wire import catalogue, codec, subjects
from interlock.wire.catalogue import BY_TAG, ENTRIES, FEED, GATE, Entry, services_of
from interlock.wire.market import ReplayCounts, ReplayFinished
from interlock.wire.orders import OrderIntent
from interlock.wire.system import DeadLettered

from tests.chaos.audit import audit
from tests.chaos.desk import NATS, POSTGRES, REDIS, desk, until
from tests.chaos.load import DESK, Load, load_on
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 1_000, 12
"""More than there are: all of them."""
LIMIT_SECONDS = 240
RUNNING = tuple(name for name in services_of() if name != FEED)
PARK_BOUND_SECONDS = 90.0
IDS = {"desk": DESK.name, "account": DESK.account, "instrument": "SPY", "interval": "1m"}
ELSEWHERE = ReplayFinished(
    message_id="f" * 32, decision_id="e" * 32, ts_event=1, desk="another", dataset="poison",
    bars=ReplayCounts(read=0, published=0, dropped=0), ticks=0,
)  # fmt: skip
BODIES = {
    "malformed bytes": b"\xff\xfe\x00poison",
    "a torn document": codec.encode(ELSEWHERE)[:-20],
    "a message of another subject": codec.encode(ELSEWHERE),
    "nested too deeply": b'{"type":' * 2_000,
    "near the broker's limit": b'{"type":"' + b"x" * (MAX_PAYLOAD_BYTES - 4_096) + b'"}',
}


@dataclass(frozen=True, slots=True)
class _Poison:
    subject: str
    body: bytes
    listeners: tuple[str, ...]


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


def _every_poison() -> list[_Poison]:
    stored = [entry for entry in ENTRIES if entry.stream is not None]
    told = [
        subjects.settled("gate"), subjects.spans("gate"), "sys.heartbeat.gate.1",
    ]  # fmt: skip
    return [
        _Poison(_subject(entry, number), body, _listeners(entry))
        for entry in stored
        for number, body in enumerate(BODIES.values())
    ] + [_Poison(subject, body, ()) for subject in told for body in BODIES.values()]


def _subject(entry: Entry, number: int) -> str:
    parts = [
        IDS.get(part.strip("{}"), f"poison-{number}") if part.startswith("{") else part
        for part in entry.pattern.split(".")
    ]
    return ".".join(parts)


def _listeners(entry: Entry) -> tuple[str, ...]:
    return tuple(name for name in BY_TAG[entry.tag].listeners if name in RUNNING)


async def _run(seed: int, trials: int) -> Outcome:
    chance = Random(seed)
    poison = _every_poison()
    chance.shuffle(poison)
    poison = poison[:trials]
    async with desk(RUNNING, servers=(NATS, REDIS, POSTGRES)) as running:
        async with load_on(running, seed) as load:
            password = nats_password(running.state, ADMIN)
            enemy = await connect(running.addresses.nats_url, ADMIN, password, lambda _: None)
            for number, one in enumerate(poison):
                await enemy.publish(one.subject, one.body)
                if number % 4 == 0:
                    await load.ask(load.intent(number))
            swollen = load.intent(-1_000, reasons=["x" * (MAX_PAYLOAD_BYTES - 8_700)])
            await enemy.publish(catalogue.subject_of(swollen), codec.encode(swollen))
            await enemy.flush()
            await enemy.close()
            stuck = await _flow(load)
            await running.settled(load.ear, RUNNING)
            found = await audit(running, load.ear, load.acknowledged)
        dead = [name for name, one in running.running.items() if one.process.returncode is not None]
    refused = _take_out(found.parked, swollen) or swollen.intent_id in load.denied
    letters = Counter(
        (letter.service, letter.subject, b64decode(letter.body)) for letter in found.parked
    )
    wanted = Counter(
        (service, one.subject, one.body[:PARKED_BYTES])
        for one in poison
        for service in one.listeners
    )
    hasty = sum(1 for letter in found.parked if letter.tries != MAX_TRIES)
    return Outcome(
        fault="F15",
        what="poison on every subject",
        seed=seed,
        trials=len(poison),
        unit="poisons",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted,
        detected=len(found.parked),
        open_breaks=found.open_breaks,
        failures=[
            *found.told,
            *_unlike(wanted, letters),
            *require_all(
                [
                    (not dead, f"{', '.join(dead)} did not survive"),
                    (not stuck, stuck),
                    (refused, "an intent too large for an order was not refused"),
                    (not hasty, f"{hasty} were parked after another number of tries than 3"),
                ]
            ),
        ],
    )


async def _flow(load: Load) -> str:
    """Return what does not flow, the empty text where everything does."""
    try:
        await until(lambda: not load.unjudged(), PARK_BOUND_SECONDS, "every intent to be judged")
    except AssertionError as error:
        return str(error)
    return ""


def _take_out(parked: list[DeadLettered], swollen: OrderIntent) -> bool:
    """Remove the letter of an intent that no order can be made of; return whether it was there."""
    body = codec.encode(swollen)[:PARKED_BYTES]
    found = [one for one in parked if one.service == GATE and b64decode(one.body) == body]
    for letter in found:
        parked.remove(letter)
    return bool(found)


def _unlike(wanted: Counter, letters: Counter) -> list[str]:
    missing, surplus = wanted - letters, letters - wanted
    return [
        f"{what} by {service}: {len(body):,} bytes on {subject}"
        for what, some in (("not parked", missing), ("parked without need", surplus))
        for service, subject, body in list(some)[:4]
    ]
