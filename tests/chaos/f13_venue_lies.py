"""The venue answers late, wrongly or not at all, and tells of fills twice, backwards or never.

The venue is a stub of Alpaca, reached by the unmodified SDK. Whatever it does, it has each order
once, each fill counts once, an order without an answer is in doubt until the venue itself says what
became of it, and at the end our book is the venue's.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

import uvloop
from interlock.testkit.alpaca_stub import Answer, HangUp, Silence
from interlock.wire import codec
from interlock.wire.orders import OrderRejected, OrderSubmitted, ReconciliationCompleted

from tests.chaos.asking import all_judged
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import NotInTimeError, until
from tests.chaos.load import PRICE, WIDE
from tests.chaos.order_watch import OrderWatch
from tests.chaos.report import Outcome, require_all
from tests.chaos.stub_desk import StubDesk, differences, placed_twice, stub_desk

FULL, SMOKE = 36, 2
LIMIT_SECONDS = 240
RESOLVED_BOUND_SECONDS = 10.0
QUANTITY = 10
_HTML = "<html><title>504 Gateway Time-out</title></html>"
_TWICE = '{"code":40010001,"message":"client_order_id must be unique"}'


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    watch: OrderWatch = field(default_factory=OrderWatch)
    recovery: list[float] = field(default_factory=list[float])
    unresolved: list[str] = field(default_factory=list[str])
    number: int = 0
    named: int = 0


async def _asked(at: StubDesk, seen: _Seen, fault: Answer | Silence | HangUp | None = None) -> str:
    """Have an order placed under this fault, and return its name at the venue.

    On a machine that is busy enough an approval may end before it is sent: it is asked for anew.
    """
    if fault is not None:
        at.stub.faults.append(fault)
    before = len(at.stub.placed)
    for patience in (5.0, 5.0, 20.0):
        seen.number += 1
        await at.load.ask(at.load.intent(seen.number, quantity=Decimal(QUANTITY)))
        with suppress(NotInTimeError):
            await until(lambda: len(at.stub.placed) > before, patience, "an order at the venue")
            break
    else:
        raise NotInTimeError("an order was asked for three times, and none came to the venue")
    name: str = at.stub.placed[-1]["client_order_id"]
    return name


async def _late_answer(at: StubDesk, seen: _Seen) -> None:
    await _asked(at, seen, Silence())


async def _gateway_timeout(at: StubDesk, seen: _Seen) -> None:
    await _asked(at, seen, Answer(504, _HTML, accept=True, content_type="text/html"))


async def _torn(at: StubDesk, seen: _Seen) -> None:
    await _asked(at, seen, HangUp())


async def _said_to_be_twice(at: StubDesk, seen: _Seen) -> None:
    await _asked(at, seen, Answer(422, _TWICE, accept=True))


async def _too_many(at: StubDesk, seen: _Seen) -> None:
    await _asked(at, seen, Answer(429, '{"code":42910000,"message":"rate limit exceeded"}'))


async def _resting(at: StubDesk, seen: _Seen) -> str:
    """Have an order rest, to be filled by hand."""
    prices = dict(at.stub.book.prices)
    at.stub.book.prices.clear()
    try:
        name = await _asked(at, seen)
        await until(lambda: name in at.stub.book.orders, 5.0, "the order in the venue's book")
    finally:
        at.stub.book.prices.update(prices)
    return name


async def _partly_then_cut(at: StubDesk, seen: _Seen) -> None:
    name = await _resting(at, seen)
    await at.stub.fill(name, 4, int(PRICE))
    await at.stub.cut()
    await at.stub.fill(name, 6, int(PRICE))


async def _repeated(at: StubDesk, seen: _Seen) -> None:
    name = await _resting(at, seen)
    for quantity in (4, 6):
        told = await at.stub.fill(name, quantity, int(PRICE))
        for _ in range(3):
            await at.stub.tell(told)


async def _backwards(at: StubDesk, seen: _Seen) -> None:
    name = await _resting(at, seen)
    told = [await at.stub.fill(name, part, int(PRICE), tell=False) for part in (2, 3, 5)]
    for event in reversed(told):
        await at.stub.tell(event)


async def _never_told(at: StubDesk, seen: _Seen) -> None:
    name = await _resting(at, seen)
    await at.stub.fill(name, QUANTITY, int(PRICE), tell=False)


FAULTS: tuple[Callable[[StubDesk, _Seen], Awaitable[None]], ...] = (
    _late_answer, _repeated, _gateway_timeout, _torn, _said_to_be_twice, _too_many,
    _partly_then_cut, _backwards, _never_told,
)  # fmt: skip


async def _run(seed: int, trials: int) -> Outcome:
    seen = _Seen()
    async with stub_desk(seed) as at:
        await at.running.settled(at.load.ear)
        await at.load.ear.listen("evt.order.>", seen.watch.hear)
        for intent_id in at.load.approved:
            seen.watch.answered[intent_id] = 0.0
        for number in range(trials):
            fault = FAULTS[number % len(FAULTS)]
            began = time.monotonic()
            await fault(at, seen)
            try:
                await until(lambda: _known(at, seen), RESOLVED_BOUND_SECONDS, "every fate")
                seen.recovery.append(time.monotonic() - began)
            except NotInTimeError:
                seen.unresolved.append(f"a fate is not known 10 s after {fault.__name__}")
        if trials >= len(FAULTS):
            await _foreign_order(at, seen)
        await all_judged(at.load)
        await at.running.settled(at.load.ear)
        found = await audit(at.running, at.load.ear, at.load.acknowledged)
        twice, unlike = await placed_twice(at.stub), differences(found, at.stub)
    return _outcome(seed, trials, found, seen, twice, unlike)


def _known(at: StubDesk, seen: _Seen) -> bool:
    """Return whether every order has ended, for us and for the venue."""
    resting = any(order.is_open for order in at.stub.book.orders.values())
    return not resting and not at.load.unjudged() and not seen.watch.unfinished(at.load)


async def _foreign_order(at: StubDesk, seen: _Seen) -> None:
    """I13: somebody else's order is a named break while it stands, and blocks its symbol."""
    heard: list[ReconciliationCompleted] = []
    await at.load.ear.listen("evt.exec.reconciled.>", _into(heard))
    order = at.stub.foreign(symbol=WIDE[0], side="buy", qty="1", client_order_id="somebody")
    await at.stub.cut()
    await until(lambda: heard and heard[-1].breaks, RESOLVED_BOUND_SECONDS, "a named break")
    seen.named += 1
    await at.stub.end(order.client_order_id, "canceled")
    await at.stub.cut()
    await until(lambda: not heard[-1].breaks, 2 * RESOLVED_BOUND_SECONDS, "no break")


def _into(heard: list[ReconciliationCompleted]) -> Callable[[bytes], None]:
    def hear(body: bytes) -> None:
        message = codec.decode(body)
        if isinstance(message, ReconciliationCompleted):
            heard.append(message)

    return hear


def _outcome(
    seed: int, trials: int, found: Audit, seen: _Seen, twice: int, unlike: list[str]
) -> Outcome:
    resolved = seen.watch.resolved_seconds
    return Outcome(
        fault="F13",
        what="a venue that lies, on a stub of Alpaca",
        seed=seed,
        trials=trials,
        unit="faults",
        acknowledged=seen.number,
        lost=found.lost,
        duplicated=found.duplicated + twice,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted + len(unlike),
        detected=seen.named or None,
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *unlike,
            *seen.unresolved[:5],
            *require_all([(not found.parked, f"{len(found.parked)} messages were parked")]),
        ],
        note=f"{len(found.of(OrderSubmitted))} sent, {len(found.of(OrderRejected))} never there; "
        f"{len(resolved)} were unknown for {max(resolved, default=0.0):.1f} s at most; recovery "
        "is the time until the fate is known",
    )
