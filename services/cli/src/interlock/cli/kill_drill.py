"""`interlock kill --drill`: presses the kill switch of a scratch desk, over and over, and measures.

Theory of operation. Real servers and real services run in a temporary folder. Each round opens
orders through the gate and exec, lets more intents flow, hurts what the scenario hurts, presses,
and reads from exec's own ``switch.json`` when the last order went out that increases risk and when
the last open one was cancelled. The file holds times of the machine's clock, as the press does.
Afterwards everything is mended and a person's resume is played; what the file says then about the
last submit must be what it said at the press, or something was sent by a pressed desk.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from msgspec import Struct

from interlock.cli.drill_load import DrillLoad, load_on
from interlock.cli.scratch_desk import NATS, REDIS, ScratchDesk, scratch_desk
from interlock.cli.steering import halt
from interlock.model.trading import Way
from interlock.runtime.config import load_desk_file
from interlock.runtime.switch_file import (
    Switch,
    read_switch,
    remove_kill_file,
    write_kill_file,
)
from interlock.wire.base import root_ids
from interlock.wire.catalogue import GATE, LEDGER
from interlock.wire.system import SafetyTripped, TripLevel

SUBMIT_TARGET_MS, CANCEL_TARGET_MS, ALERT_TARGET_MS = 250.0, 2_000.0, 5_000.0
CANCEL_BOUND_SECONDS = 30.0
FLOW_SECONDS = 0.3
HURT_SECONDS = 0.2
AFTERWARDS_SECONDS = 0.3
LOOK_SECONDS = 0.002
RESUME_SECONDS = 60.0
NANOS_PER_MS = 1e6


class Without(StrEnum):
    """What is stopped before the press."""

    NOTHING = "-"
    NATS = "nats"
    REDIS = "redis"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Scenario:
    way: Way
    without: Without


SCENARIOS = (
    Scenario(Way.FILE, Without.NOTHING),
    Scenario(Way.COMMAND, Without.NOTHING),
    Scenario(Way.RULE, Without.NOTHING),
    Scenario(Way.SILENCE, Without.GATE),
    Scenario(Way.FILE, Without.NATS),
    Scenario(Way.FILE, Without.REDIS),
    Scenario(Way.FILE, Without.GATE),
)


class Round(Struct, frozen=True, kw_only=True):
    """One press. Milliseconds after it; where the way is silence, after exec called it one.

    Parameters
    ----------
    submit_ms
        The last order that increases risk, 0 where none went out after the press.
    cancelled_ms, cancelled
        The end of the last open order, and how many there were.
    alert_ms
        When a person was told; none where the bus was away.
    late
        Whether an order went out between the press and the resume, beyond those.
    """

    way: Way
    without: Without
    orders: int
    seen_ms: float
    submit_ms: float
    cancelled_ms: float
    cancelled: int
    alert_ms: float | None
    late: bool

    @property
    def whole(self) -> bool:
        """Whether all that were open are gone and nothing has been sent since."""
        return self.cancelled >= self.orders and not self.late


class Figures(Struct, frozen=True, kw_only=True):
    """A scenario's rounds in milliseconds, and whether they hold."""

    way: Way
    without: Without
    rounds: int
    cancelled: int
    submit_p50_ms: float
    submit_p99_ms: float
    cancelled_p50_ms: float
    cancelled_p99_ms: float
    alert_max_ms: float | None
    met: bool


def chosen(ways: list[str], without: list[str]) -> list[Scenario]:
    """Return the scenarios of these ways and losses; with none named, all."""
    return [
        one
        for one in SCENARIOS
        if (not ways or one.way in ways) and (not without or one.without in without)
    ]


async def drill(
    plan: Sequence[Scenario], orders: int, show: Callable[[Round], None]
) -> list[Round]:
    """Press once for each scenario of `plan`, on one scratch desk, and return what came of it."""
    done: list[Round] = []
    async with scratch_desk() as scratch:
        file = load_desk_file(scratch.desk_file, {})
        async with load_on(scratch, file.desk) as load:
            for scenario in plan:
                seen_before = sum(one.without is scenario.without for one in done)
                frozen = scenario.without is Without.NATS and seen_before % 2 == 1
                one = await _round(scratch, load, scenario, orders, frozen=frozen)
                show(one)
                done.append(one)
    return done


def figures(done: Sequence[Round]) -> Iterator[Figures]:
    """Yield the figures of each scenario, in the order of its first round."""
    for way, without in dict.fromkeys((one.way, one.without) for one in done):
        mine = [one for one in done if (one.way, one.without) == (way, without)]
        submit = [one.submit_ms for one in mine]
        cancelled = [one.cancelled_ms for one in mine]
        alerts = [one.alert_ms for one in mine if one.alert_ms is not None]
        met = (
            percentile(submit, 0.99) <= SUBMIT_TARGET_MS
            and max(cancelled) <= CANCEL_TARGET_MS
            and all(alert <= ALERT_TARGET_MS for alert in alerts)
            and all(one.whole for one in mine)
        )
        yield Figures(
            way=way,
            without=without,
            rounds=len(mine),
            cancelled=sum(one.cancelled for one in mine),
            submit_p50_ms=percentile(submit, 0.5),
            submit_p99_ms=percentile(submit, 0.99),
            cancelled_p50_ms=percentile(cancelled, 0.5),
            cancelled_p99_ms=percentile(cancelled, 0.99),
            alert_max_ms=max(alerts, default=None),
            met=met,
        )


def percentile(values: list[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


async def _round(
    scratch: ScratchDesk, load: DrillLoad, scenario: Scenario, orders: int, *, frozen: bool
) -> Round:
    await load.open_orders(orders)
    await asyncio.sleep(FLOW_SECONDS)
    load.alerted_at = 0
    mend = await _hurt(scratch, scenario.without, frozen=frozen)
    pressed_at = await _press(scratch, load, scenario.way)
    switch = await _cancelled(scratch)
    if scenario.way is Way.SILENCE:
        pressed_at = switch.seen_at
    await asyncio.sleep(AFTERWARDS_SECONDS)
    await mend()
    alerted_at = await _alerted(load, scenario.without)
    armed = await _resumed(scratch, load)
    return Round(
        way=scenario.way,
        without=scenario.without,
        orders=orders,
        seen_ms=(switch.seen_at - pressed_at) / NANOS_PER_MS,
        submit_ms=max(0.0, (switch.last_submit_at - pressed_at) / NANOS_PER_MS),
        cancelled_ms=(switch.cancelled_at - pressed_at) / NANOS_PER_MS,
        cancelled=switch.cancelled,
        alert_ms=None if alerted_at is None else (alerted_at - pressed_at) / NANOS_PER_MS,
        late=armed.last_submit_at != switch.last_submit_at,
    )


async def _hurt(
    scratch: ScratchDesk, without: Without, *, frozen: bool
) -> Callable[[], Awaitable[None]]:
    """Stop what the scenario goes without, and return how it is mended.

    A frozen server keeps its connections open, a killed one does not.
    """

    async def nothing() -> None: ...

    if without is Without.NOTHING:
        return nothing
    name = {Without.NATS: NATS, Without.REDIS: REDIS, Without.GATE: GATE}[without]

    async def mend() -> None:
        if frozen:
            scratch.go_on(name)
        else:
            await scratch.start(name)

    if frozen:
        scratch.pause(name)
    else:
        await scratch.kill(name)
    await asyncio.sleep(HURT_SECONDS)
    return mend


async def _press(scratch: ScratchDesk, load: DrillLoad, way: Way) -> int:
    """Press, and return the moment just before."""
    now = time.time_ns()
    match way:
        case Way.FILE:
            write_kill_file(scratch.state.root, "a drill", "drill")
        case Way.COMMAND:
            await load.operator.publish([halt(load.desk.name, "drill", "a drill", 0)], {})
        case Way.RULE:
            await _trip(scratch, load, now)
        case Way.SILENCE | Way.START:
            pass
    return now


async def _trip(scratch: ScratchDesk, load: DrillLoad, now: int) -> None:
    """Say, as the ledger, that a rule is broken: the policy service halts by itself."""
    message_id, decision_id = root_ids(SafetyTripped, load.desk.name, now)
    tripped = SafetyTripped(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=load.desk.name,
        service=LEDGER,
        code="drill",
        level=TripLevel.HALT,
        observed="a drill",
        limit="none",
    )
    ledger = await scratch.bus(LEDGER)
    try:
        await ledger.publish([tripped], {})
    finally:
        await ledger.close()


async def _cancelled(scratch: ScratchDesk) -> Switch:
    """Wait until exec says that nothing is open any more; what it says after too long, as it is."""
    deadline = time.monotonic() + CANCEL_BOUND_SECONDS
    while True:
        switch = read_switch(scratch.state.root)
        if (switch.pressed and switch.cancelled_at) or time.monotonic() > deadline:
            return switch
        await asyncio.sleep(LOOK_SECONDS)


async def _alerted(load: DrillLoad, without: Without) -> int | None:
    """Return when the alert was heard; none where there was no bus to hear it on."""
    if without is Without.NATS:
        return None
    deadline = time.monotonic() + CANCEL_BOUND_SECONDS
    while not load.alerted_at:
        if time.monotonic() > deadline:
            return time.time_ns()
        await asyncio.sleep(LOOK_SECONDS)
    return load.alerted_at


async def _resumed(scratch: ScratchDesk, load: DrillLoad) -> Switch:
    """Play the person who resumes, until exec is armed."""
    remove_kill_file(scratch.state.root)
    began = asked = time.monotonic()
    await load.resume()
    while (switch := read_switch(scratch.state.root)).pressed:
        now = time.monotonic()
        if now - asked > 1.0:
            asked = now
            await load.resume()
        if now - began > RESUME_SECONDS:
            return switch
        await asyncio.sleep(LOOK_SECONDS)
    return switch
