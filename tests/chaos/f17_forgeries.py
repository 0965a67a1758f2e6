"""Every identity of the bus sends forged, altered, expired and replayed approvals.

All but one cannot publish them, nor have the server say them in its own name. That one is the
gate's, with the gate's password but without its key: it can publish, and exec refuses.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import uvloop
from interlock.cli.servers.nats import nats_password
from interlock.model.ids import client_order_id, derive_id
from interlock.model.values import OrderType, Side, TimeInForce, TradingMode
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.permissions import all_permissions
from interlock.runtime.bus.tcp_only import BusError, Client
from interlock.runtime.signing import Signer, load_signer, throwaway_signer
from interlock.wire import catalogue, codec
from interlock.wire.catalogue import CLI, ENTRIES, GATE, Stream
from interlock.wire.orders import OrderRefused, OrderSubmitted, SubmitOrder
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

from tests.chaos.audit import audit, read_history
from tests.chaos.desk import Desk, desk, until
from tests.chaos.load import Load, load_on
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 4, 1
LIMIT_SECONDS = 180
ANSWER_SECONDS = 0.5
HOUR_NS = 3_600 * 1_000_000_000
OTHER: dict[str, object] = {
    "desk": "another", "account": "another", "venue": "another", "mode": TradingMode.LIVE,
    "instrument_id": "MSFT", "side": Side.SELL, "order_type": OrderType.LIMIT,
    "quantity": Decimal(1_000), "limit_price": Decimal(1), "time_in_force": TimeInForce.IOC,
    "reduce_only": True, "config_hash": "another", "nonce": "another",
    "client_order_id": "il-another", "decision_id": "0" * 32,
}  # fmt: skip
"""Another value of every signed field but two: the intent's id is in the subject as well, and of a
policy version that never was the audit says by itself that it was not in force.
"""
SECOND: dict[str, object] = {"instrument_id": "IBM", "side": Side.BUY}
"""Where the genuine order has the first already."""


@dataclass(slots=True)
class _Counts:
    tried: Counter[str] = field(default_factory=Counter[str])
    published: Counter[str] = field(default_factory=Counter[str])
    forged: set[str] = field(default_factory=set[str])


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


async def _run(seed: int, trials: int) -> Outcome:
    counts = _Counts()
    async with desk() as running, load_on(running, seed) as load:
        before = await _sent(load, 0)
        for number in range(trials):
            await _round(running, load, counts, Random(seed + number), number)
        after = await _sent(load, 1)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
        sent = {event.intent_id for event in found.of(OrderSubmitted)} & counts.forged
        refused = Counter(one.code for one in found.of(OrderRefused))
    # The audit adds up every approval in the stream; the gate has counted none of the forged.
    told = [text for text in found.told if not text.startswith("I5")]
    breaches = found.breaches - (len(found.told) - len(told))
    tried = sum(counts.tried.values())
    others = sum(n for who, n in counts.published.items() if who != GATE)
    return Outcome(
        fault="F17",
        what="forged approvals as every identity of the bus",
        seed=seed,
        trials=tried,
        unit="forgeries",
        duplicated=found.duplicated,
        unsigned=found.unsigned + len(sent),
        breaches=breaches + others,
        detected=tried - others - len(sent),
        open_breaks=found.open_breaks,
        failures=[
            *told,
            *require_all(
                [
                    (before and after, "a genuine order was not sent: nothing is proven"),
                    (not others, f"published in the gate's place: {dict(counts.published)}"),
                    (counts.published[GATE] > 0, "the gate's identity could publish nothing"),
                    ({"signature", "expired", "key"} <= set(refused), f"refused {dict(refused)}"),
                ]
            ),
        ],
        note=(
            f"{len(counts.tried)} identities; stored under the gate's password "
            f"{counts.published[GATE]}, sent {len(sent)}; exec refused "
            + ", ".join(f"{code} {n}" for code, n in sorted(refused.items()))
        ),
    )


async def _sent(load: Load, number: int) -> bool:
    """Return whether a genuine order goes through to the venue."""
    intent_id = await load.ask(load.intent(100_000 + number))

    async def sent() -> bool:
        history, _ = await read_history(load.ear)
        return any(
            isinstance(one, OrderSubmitted) and one.intent_id == intent_id for one in history
        )

    await until(sent, 10.0, "a genuine order to be sent")
    return True


async def _round(running: Desk, load: Load, counts: _Counts, chance: Random, number: int) -> None:
    genuine = (await _approved(load, number))[1]
    signer = load_signer(running.state.secrets)
    for user in (one.user for one in all_permissions()):
        password = nats_password(running.state, user)
        client = await connect(running.addresses.nats_url, user, password, lambda _: None)
        for order in _forgeries(genuine, signer, f"{user}-{number}", chance):
            counts.forged.add(order.intent_id)
            counts.tried[user] += 1
            counts.published[user] += await _published(client, order)
            if user != GATE:
                counts.tried[user] += 1
                counts.published[user] += await _laundered(client, load.ear, user, order)
        counts.forged.discard(genuine.intent_id)
        await client.close()


async def _approved(load: Load, number: int) -> tuple[float, SubmitOrder]:
    intent_id = await load.ask(load.intent(200_000 + number))
    await until(lambda: intent_id in load.approved, 10.0, "an approval to forge from")
    return load.approved[intent_id]


def _forgeries(
    genuine: SubmitOrder, signer: Signer, who: str, chance: Random
) -> Iterator[SubmitOrder]:
    """Yield what only looks approved, each under an intent id of its own."""
    forger = throwaway_signer()

    def renamed(kind: str) -> SubmitOrder:
        intent_id = derive_id("forged", who, kind)
        return replace(
            genuine, message_id=derive_id("message", intent_id), intent_id=intent_id,
            client_order_id=client_order_id(intent_id), nonce=derive_id("nonce", intent_id),
            expires_at=genuine.expires_at + HOUR_NS,
        )  # fmt: skip

    yield replace(renamed("unsigned"), signature="")
    yield renamed("of another order")
    yield _signed(renamed("another key"), forger)
    yield _signed(replace(renamed("another key, named"), key_id=forger.key_id), forger)
    for name in chance.sample(sorted(OTHER), len(OTHER)):
        order = renamed(f"altered {name}")
        signed = _signed(order, signer)
        altered = replace(signed, **{name: OTHER[name]})
        yield altered if altered != signed else replace(signed, **{name: SECOND[name]})
    late = replace(renamed("expired"), expires_at=genuine.ts_event)
    yield _signed(late, signer)
    old = replace(renamed("older epoch"), epoch=genuine.epoch - 1)
    yield _signed(old, signer)
    yield genuine
    yield replace(genuine, message_id=derive_id("again", who))


def _signed(order: SubmitOrder, signer: Signer) -> SubmitOrder:
    return replace(order, signature=signer.sign(canonical_bytes(order)))


async def _published(client: Client, order: SubmitOrder) -> bool:
    """Return whether the broker stored it: a second one of an intent it does not."""
    subject = catalogue.subject_of(order)
    try:
        answer = await client.request(subject, codec.encode(order), timeout=ANSWER_SECONDS / 10)
    except (BusError, TimeoutError):
        return False
    return "seq" in json.loads(answer.data) and not json.loads(answer.data).get("duplicate")


async def _laundered(client: Client, ear: NatsBus, user: str, order: SubmitOrder) -> bool:
    """Store it under one's own name and have the server read it back to exec's subject."""
    own = next(
        entry
        for entry in ENTRIES
        if entry.stream is Stream.DESK and {user, _room(user)} & set(entry.publishers)
    )
    subject = ".".join(
        user if part == "{service}" else "x" if part.startswith("{") else part
        for part in own.pattern.split(".")
    )
    stored = await client.request(subject, codec.encode(order), timeout=ANSWER_SECONDS)
    place = json.dumps({"seq": json.loads(stored.data)["seq"]}).encode()
    before = await _last(ear)
    target = catalogue.subject_of(order)
    await client.publish(f"$JS.API.DIRECT.GET.{own.stream}", place, reply=target)
    await client.flush()
    return await _last(ear) > before


def _room(user: str) -> str:
    return CLI if user == "operator" else user


async def _last(ear: NatsBus) -> int:
    answer = await ear._client.request(f"$JS.API.STREAM.INFO.{Stream.APPROVALS}", b"", timeout=2)
    return int(json.loads(answer.data)["state"]["last_seq"])
