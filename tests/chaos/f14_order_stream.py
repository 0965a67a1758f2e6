"""The stream that tells of orders at the venue is mute or cut while the desk trades.

What is filled meanwhile is not told. New risk is blocked within 2 s of the first fill that nobody
tells of, REST brings what was missed, no fill is missed and none counts twice.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import uvloop
from interlock.wire import codec
from interlock.wire.orders import OrderFilled, VenueLinkChanged

from tests.chaos.asking import all_judged, kept_asking, trades_again
from tests.chaos.audit import Audit, audit, read_history
from tests.chaos.desk import NotInTimeError, until
from tests.chaos.report import Outcome, require_all
from tests.chaos.stub_desk import StubDesk, differences, placed_twice, stub_desk

FULL, SMOKE = 24, 1
LIMIT_SECONDS = 240
BLOCK_BOUND_SECONDS = 2.0
CUT_SECONDS = 0.5
MUTE, DEAD, CUT = "mute", "mute, no pong", "cut"
KINDS = (MUTE, CUT, DEAD)


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    blocked: list[float] = field(default_factory=list[float])
    recovery: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])
    downs: list[float] = field(default_factory=list[float])

    def hear(self, body: bytes) -> None:
        message = codec.decode(body)
        if isinstance(message, VenueLinkChanged) and not message.up:
            self.downs.append(time.monotonic())


async def _run(seed: int, trials: int) -> Outcome:
    chance, seen = Random(seed), _Seen()
    async with stub_desk(seed) as at:
        await at.load.ear.listen("evt.exec.venue-link.>", seen.hear)
        async with kept_asking(at.load, seed, pause_seconds=0.05):
            for number in range(trials):
                await asyncio.sleep(0.2 + 0.3 * chance.random())
                await _silenced(at, seen, KINDS[number % len(KINDS)])
        await all_judged(at.load)
        try:
            await until(lambda: not _untold(at), 20.0, "every fill")
        except NotInTimeError:
            seen.wrong.append("orders are open at the end")
        with suppress(NotInTimeError):  # what differs even then is named below
            await until(lambda: _told(at), 10.0, "the last fill to be told")
        await at.running.settled(at.load.ear)
        found = await audit(at.running, at.load.ear, at.load.acknowledged)
        twice, unlike = await placed_twice(at.stub), differences(found, at.stub)
    return _outcome(seed, trials, len(at.load.acknowledged), found, seen, twice, unlike)


async def _silenced(at: StubDesk, seen: _Seen, how: str) -> None:
    """Fill what comes in silence, until the gate denies for it; then let the stream speak again."""
    began = time.monotonic()
    if how == CUT:
        await at.stub.cut()
        at.stub.mute(pongs=False)
        await asyncio.sleep(CUT_SECONDS)
    else:
        at.stub.mute(pongs=how == MUTE)
    try:
        await until(
            lambda: [at_ for at_ in seen.downs if at_ > began], 3 * BLOCK_BOUND_SECONDS, how
        )
        await until(lambda: _blocked(at, began), 3 * BLOCK_BOUND_SECONDS, f"a denial: {how}")
        seen.blocked.append(_blocked(at, began)[0] - began)
    except NotInTimeError as error:
        seen.wrong.append(str(error))
    finally:
        at.stub.unmute()
        if how != MUTE:
            await at.stub.cut()
    mended = time.monotonic()
    seen.recovery.append(await trades_again(at.load, mended, 20.0) - mended)


def _blocked(at: StubDesk, began: float) -> list[float]:
    return sorted(
        moment
        for intent_id, (moment, _) in at.load.denied.items()
        if moment > began and "state.venue_link" in at.load.codes(intent_id)
    )


async def _told(at: StubDesk) -> bool:
    history, parked = await read_history(at.load.ear)
    return not differences(Audit(history, parked), at.stub)


def _untold(at: StubDesk) -> bool:
    return any(order.is_open for order in at.stub.book.orders.values())


def _outcome(
    seed: int,
    trials: int,
    asked: int,
    found: Audit,
    seen: _Seen,
    twice: int,
    unlike: list[str],
) -> Outcome:
    slowest = max(seen.blocked, default=0.0)
    return Outcome(
        fault="F14",
        what="the order stream mute or cut",
        seed=seed,
        trials=trials,
        unit="silences",
        acknowledged=asked,
        lost=found.lost,
        duplicated=found.duplicated + twice,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted + len(unlike),
        detected=len(seen.blocked),
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *unlike,
            *seen.wrong[:5],
            *require_all(
                [
                    (slowest <= BLOCK_BOUND_SECONDS, f"new risk passed for {slowest:.1f} s"),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                ]
            ),
        ],
        note=f"{len(found.of(OrderFilled))} fills; new risk blocked after {slowest:.1f} s at most",
    )
