"""Exec is killed before and after the write-ahead row, the venue's answer, the acknowledgement.

Half of it is done at the paper venue, which lives in exec's process and dies with it: what it had
is given back from exec's own messages. The other half is done at a stub of Alpaca, which lives on
and has what was sent: there our fills must be the venue's in the end, and each order one order.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random

import uvloop
from interlock.runtime.failpoints import VARIABLE
from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.wire.catalogue import EXEC
from interlock.wire.orders import OrderSubmitted

from tests.chaos.asking import all_judged
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import Desk, NotInTimeError, desk, until
from tests.chaos.load import Load, load_on
from tests.chaos.order_watch import OrderWatch
from tests.chaos.report import Outcome, require_all
from tests.chaos.stub_desk import differences, placed_twice, stub_desk

FULL, SMOKE = 26, 1
LIMIT_SECONDS = 240
DESKS = 2
BATCH = 6
RESOLVED_BOUND_SECONDS = 10.0
AT_RANDOM = ""
POINTS = (
    "exec.published.OrderSubmitted",
    "exec.performed.PlaceOrder",
    "exec.taken.SubmitOrder",
    "exec.performing.VerifySignature",
    "exec.performed.VerifySignature",
    "exec.publishing.OrderSubmitted",
    "exec.performing.PlaceOrder",
    "exec.publishing.OrderAccepted",
    "exec.published.OrderAccepted",
    "exec.acknowledging.SubmitOrder",
    "exec.acknowledged.SubmitOrder",
    "exec.publishing.OrderFilled",
    AT_RANDOM,
)


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    watch: OrderWatch = field(default_factory=OrderWatch)
    recovery: list[float] = field(default_factory=list[float])
    not_reached: list[str] = field(default_factory=list[str])
    unresolved: list[str] = field(default_factory=list[str])
    number: int = 0


async def _run(seed: int, trials: int) -> Outcome:
    wanted = [POINTS[number % len(POINTS)] for number in range(trials)]
    desks = min(DESKS, max(1, trials // 4))
    parts = await asyncio.gather(
        *(
            _one_desk(seed * 100 + number, wanted[number::desks], on_stub=number % 2 == 1)
            for number in range(desks)
        )
    )
    return _outcome(seed, wanted, [found for found, _ in parts], [seen for _, seen in parts])


async def _one_desk(seed: int, wanted: Sequence[str], *, on_stub: bool) -> tuple[Audit, _Seen]:
    chance, seen = Random(seed), _Seen()
    async with AsyncExitStack() as stack:
        stub: AlpacaStub | None = None
        if on_stub:
            at = await stack.enter_async_context(stub_desk(seed))
            running, load, stub = at.running, at.load, at.stub
        else:
            running = await stack.enter_async_context(desk())
            load = await stack.enter_async_context(load_on(running, seed))
        await load.ear.listen("evt.order.>", seen.watch.hear)
        for intent_id in load.approved:
            seen.watch.answered[intent_id] = 0.0
        for point in wanted:
            await _kill_once(running, load, seen, point, chance)
        await all_judged(load)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
        if stub is not None:
            unlike = differences(found, stub)
            found.duplicated += await placed_twice(stub)
            found.breaches += len(unlike)
            found.told += unlike
    return found, seen


async def _kill_once(running: Desk, load: Load, seen: _Seen, point: str, chance: Random) -> None:
    await running.stop(EXEC)
    armed = {VARIABLE: f"{point}:{chance.randint(1, 2)}"} if point else {}
    await running.launch(EXEC, **armed)
    await running.ready(EXEC, or_dead=True)
    exec_ = running.running[EXEC].process
    asking = asyncio.create_task(_ask_until_dead(load, seen, exec_))
    try:
        if point == AT_RANDOM:
            await asyncio.sleep(0.2 + 0.2 * chance.random())
            await running.kill(EXEC)
        else:
            await running.wait(EXEC, 15.0)
    except NotInTimeError:
        seen.not_reached.append(point)
        await running.kill(EXEC)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await running.start(EXEC)
    began = time.monotonic()
    await all_judged(load)
    try:
        await until(
            lambda: not seen.watch.open_of(load), RESOLVED_BOUND_SECONDS, "every fate to be known"
        )
        seen.recovery.append(time.monotonic() - began)
    except NotInTimeError:
        left = seen.watch.open_of(load)
        seen.unresolved.append(f"{len(left)} fates not known 10 s after {point or 'a kill'}")
        for intent_id in left:
            seen.watch.answered[intent_id] = 0.0
            seen.watch.unknown.pop(intent_id, None)


async def _ask_until_dead(load: Load, seen: _Seen, process: asyncio.subprocess.Process) -> None:
    """Ask a few at a time: bars between them fill what is open."""
    while process.returncode is None:
        first, seen.number = seen.number, seen.number + BATCH
        await asyncio.gather(*(load.ask(load.intent(n)) for n in range(first, seen.number)))
        await asyncio.sleep(0.05)


def _outcome(
    seed: int, wanted: Sequence[str], audits: Sequence[Audit], seen: Sequence[_Seen]
) -> Outcome:
    unresolved = [text for one in seen for text in one.unresolved]
    never = sorted({point for one in seen for point in one.not_reached})
    resolved = [seconds for one in seen for seconds in one.watch.resolved_seconds]
    parked = sum(len(found.parked) for found in audits)
    return Outcome(
        fault="F4",
        what="exec killed around the write-ahead row and the answer",
        seed=seed,
        trials=len(wanted),
        unit="kills",
        acknowledged=sum(one.number for one in seen),
        lost=sum(found.lost for found in audits),
        duplicated=sum(found.duplicated for found in audits),
        unsigned=sum(found.unsigned for found in audits),
        breaches=sum(found.breaches + found.contradicted for found in audits),
        open_breaks=sum(found.open_breaks for found in audits),
        recovery_seconds=[seconds for one in seen for seconds in one.recovery],
        failures=[
            *(text for found in audits for text in found.told),
            *unresolved[:5],
            *require_all(
                [
                    (not never, f"never reached: {', '.join(never)}"),
                    (not parked, f"{parked} messages were parked"),
                ]
            ),
        ],
        note=f"{sum(len(found.of(OrderSubmitted)) for found in audits)} sent; {len(resolved)} were "
        f"unknown for {max(resolved, default=0.0):.1f} s at most; recovery is the time until "
        "every fate is known",
    )
