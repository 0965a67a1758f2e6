"""What is true of a desk's history afterwards, read from the streams and nowhere else."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.gate.counting import MICROS, scope_of
from interlock.model.values import ZERO, TradingState
from interlock.runtime.bus.nats import NatsBus, _stored_at
from interlock.runtime.signing import load_verifier
from interlock.runtime.stores.redis_rules import RedisRulesStore
from interlock.wire import codec
from interlock.wire.base import Message
from interlock.wire.catalogue import Stream
from interlock.wire.orders import (
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    ReconciliationCompleted,
    SubmitOrder,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.signing import canonical_bytes
from interlock.wire.system import DeadLettered

from tests.chaos.desk import (
    REDIS,
    TIGHT,
    TIGHT_POSITION_NOTIONAL,
    Desk,
    NotInTimeError,
    chaos_desk,
    until,
)

ENDS = (OrderCanceled, OrderExpired, OrderRejected, OrderRefused)
SAME_FIELDS = (
    "account", "venue", "client_order_id", "instrument_id", "side", "order_type", "quantity",
    "limit_price", "time_in_force", "mode", "policy_version", "epoch",
)  # fmt: skip

COUNT_BOUND_SECONDS = 3.0
IN_FORCE_WITHIN_NS = 100_000_000
"""A version is in force once it is signed, stored and in the policy store, not when it is thought
of: the gate asks the store before each approval, and this is how long those three may take."""
HEARD_WITHIN_NS = 250_000_000
"""How long after a halt is stored exec may still send: the bound of the kill switch."""


@dataclass(slots=True)
class Audit:
    """The history in the order of storing, and the counts of what is wrong with it."""

    history: list[Message]
    parked: list[DeadLettered]
    lost: int = 0
    duplicated: int = 0
    contradicted: int = 0
    unsigned: int = 0
    breaches: int = 0
    open_breaks: int = 0
    told: list[str] = field(default_factory=list[str])

    def of[M](self, kind: type[M]) -> list[M]:
        return [message for message in self.history if isinstance(message, kind)]

    def say(self, what: str, which: object) -> None:
        if len(self.told) < 12:
            self.told.append(f"{what}: {which}")


async def read_history(reader: NatsBus) -> tuple[list[Message], list[DeadLettered]]:
    rows: list[tuple[int, int, Message]] = []
    for stream in (Stream.DESK, Stream.APPROVALS, Stream.DEAD):
        async for msg in reader._read_back(stream, ">", last_only=False):
            headers = msg.headers or {}
            try:
                message = codec.decode_on(headers.get("Nats-Subject", ""), msg.data)
            except codec.UndecodableError:
                continue
            rows.append((_stored_at(msg), int(headers["Nats-Sequence"]), message))
    rows.sort(key=lambda row: row[:2])
    messages = [message for _, _, message in rows]
    letters = [message for message in messages if isinstance(message, DeadLettered)]
    return [message for message in messages if not isinstance(message, DeadLettered)], letters


async def audit(running: Desk, reader: NatsBus, acknowledged: dict[str, OrderIntent]) -> Audit:
    """Hold the whole history against the invariants."""
    history, parked = await read_history(reader)
    found = Audit(history, parked)
    _verdicts(found, acknowledged)
    _submissions(found, running)
    _exposure(found)
    _policies(found)
    _halts(found)
    await _counters(found, running)
    reconciliations = found.of(ReconciliationCompleted)
    found.open_breaks = len(reconciliations[-1].breaks) if reconciliations else 0
    return found


def _verdicts(found: Audit, acknowledged: dict[str, OrderIntent]) -> None:
    """I10: every acknowledged intent has a verdict; none has two of a kind, or one of each."""
    approvals = Counter(order.intent_id for order in found.of(SubmitOrder))
    denials = Counter(denial.intent_id for denial in found.of(OrderDenied))
    for intent_id in acknowledged:
        approved, denied = approvals[intent_id], denials[intent_id]
        if not approved and not denied:
            found.lost += 1
            found.say("no verdict", intent_id)
        if approved > 1 or denied > 1:
            found.duplicated += 1
            found.say(f"{approved} approvals and {denied} denials", intent_id)
        if approved and denied:
            found.contradicted += 1


def _submissions(found: Audit, running: Desk) -> None:
    """I1, I2, I3, I11, I15: what exec sent is what the gate signed, once, in time."""
    verifier = load_verifier(running.state.secrets)
    approvals = {order.intent_id: order for order in found.of(SubmitOrder)}
    sent = Counter[str]()
    for event in found.of(OrderSubmitted):
        sent[event.intent_id] += 1
        order = approvals.get(event.intent_id)
        if order is None or not verifier.verify(canonical_bytes(order), order.signature):
            found.unsigned += 1
            found.say("sent without the gate's signature", event.intent_id)
            continue
        if any(getattr(order, name) != getattr(event, name) for name in SAME_FIELDS):
            found.breaches += 1
            found.say("I3 sent with other fields than signed", event.intent_id)
        if event.ts_event >= order.expires_at:
            found.breaches += 1
            found.say("I15 sent after it expired", event.intent_id)
    for what, counts in (
        ("I1 sent twice", sent),
        ("I11 filled twice", Counter(fill.trade_id for fill in found.of(OrderFilled))),
    ):
        for name, count in counts.items():
            if count > 1:
                found.duplicated += 1
                found.say(what, name)


def _exposure(found: Audit) -> None:
    """I4: position, working and unknown orders never exceed the limit, at any prefix."""
    held: Counter[str] = Counter()
    working: dict[str, tuple[str, Decimal]] = {}
    for message in found.history:
        match message:
            case SubmitOrder():
                working[message.client_order_id] = (
                    message.instrument_id, message.quantity * message.side.sign,
                )  # fmt: skip
                buying = sum((q for n, q in working.values() if n == TIGHT and q > 0), ZERO)
                worst = (held[TIGHT] + buying) * message.reference_price
                if message.instrument_id == TIGHT and worst > TIGHT_POSITION_NOTIONAL:
                    found.breaches += 1
                    found.say("I4 exposure above the limit", f"{worst} of {message.intent_id}")
            case OrderFilled():
                signed = message.last_qty * message.side.sign
                held[message.instrument_id] += signed
                name, left = working.get(message.client_order_id, (message.instrument_id, signed))
                working[message.client_order_id] = (name, left - signed)
            case OrderCanceled() | OrderExpired() | OrderRejected() | OrderRefused():
                working.pop(message.client_order_id, None)
            case _:
                pass


def _policies(found: Audit) -> None:
    """I6: an approval cites the version that was in force when it was given."""
    standing = {policy.version: policy for policy in found.of(PolicyChanged)}
    for order in found.of(SubmitOrder):
        cited = standing.get(order.policy_version)
        later = standing.get(order.policy_version + 1)
        if cited is None or cited.ts_event > order.ts_event:
            found.breaches += 1
            found.say("I6 approved under a policy that was not in force", order.intent_id)
        elif later is not None and later.ts_event + IN_FORCE_WITHIN_NS < order.ts_event:
            found.breaches += 1
            found.say("I6 approved under a policy that was gone", order.intent_id)


async def _counters(found: Audit, running: Desk) -> None:
    """I5: the day's counters equal the sum over its unique approvals."""
    if REDIS not in running.running:
        return
    approvals = {order.intent_id: order for order in found.of(SubmitOrder)}
    wanted: dict[str, Counter[str]] = {}
    for order in approvals.values():
        sums = wanted.setdefault(scope_of(order.ts_event), Counter())
        sums["approvals"] += 1
        sums["notional_micros"] += int(order.quantity * order.reference_price * MICROS)
    store = RedisRulesStore(running.addresses.redis_url)
    desk = chaos_desk().desk.name

    async def counted() -> dict[str, dict[str, int]]:
        return {scope: (await store.read(desk, scope)).counts for scope in wanted}

    async def exact() -> bool:
        return await counted() == wanted

    try:
        await until(exact, COUNT_BOUND_SECONDS, "exact counters")
    except NotInTimeError:
        found.breaches += 1
        found.say("I5 counters", f"{await counted()} instead of {wanted}")
    finally:
        await store.close()


def _halts(found: Audit) -> None:
    """I7, I14: nothing that adds risk is sent after a halt, nothing of an older epoch ever."""
    trading: TradingStateChanged | None = None
    for message in found.history:
        match message:
            case TradingStateChanged():
                trading = message
            case OrderSubmitted() if trading is not None:
                halted = trading.state is not TradingState.ACTIVE and not message.reduce_only
                # A change that was stored while the order was being sent cannot be known to exec.
                if (halted or message.epoch < trading.epoch) and (
                    message.ts_event > trading.ts_event + HEARD_WITHIN_NS
                ):
                    found.breaches += 1
                    found.say("I7, I14 sent after a halt or of an older epoch", message.intent_id)
            case _:
                pass
