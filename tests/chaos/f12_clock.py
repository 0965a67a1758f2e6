"""The clock of every service is moved: an hour forward and back, over midnight, into another day.

Each day's limit is met once a day, however often the clock passes its beginning, and counters stay
what was approved. Where time stands still for the desk because its clock went back, it denies. The
clock goes back, too, while exec sleeps on approvals. NATS and Redis keep the real time.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import uvloop
from interlock.model.equity import trading_day
from interlock.wire.catalogue import EXEC
from interlock.wire.orders import OrderRefused, SubmitOrder

from tests.chaos.asking import all_judged, kept_asking, revived, trades_again
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import Desk, chaos_desk, desk
from tests.chaos.faked_clock import FakedClock, library
from tests.chaos.load import Load, load_on
from tests.chaos.report import Outcome, require_all
from tests.chaos.sent_late import sent_late

FULL, SMOKE = 36, 2
LIMIT_SECONDS = 240
STAY_SECONDS = 1.5
BEFORE_SECONDS = 0.7
"""How long before a day's beginning the clock is set, to see it pass."""
DAY_NOTIONAL = Decimal(6_000)
GRACE_NS = 1_000_000_000
"""The gate's day begins with the first tick of the market after its moment."""
_SUMMER_TIME = datetime(2027, 3, 14, 7, tzinfo=UTC)
ASLEEP = "an hour back while exec sleeps"


@dataclass(frozen=True, slots=True)
class _Step:
    """A move of the clock. `fresh_day`: a trading day begins that the desk has not seen."""

    name: str
    moment: datetime
    fresh_day: bool = False


def missing() -> str:
    return "" if library() else "libfaketime is not here: apt-get install faketime"


def run(seed: int, trials: int) -> Outcome:
    if lacking := missing():
        return Outcome(fault="F12", what="the clock", seed=seed, trials=0, failures=[lacking])
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    recovery: list[float] = field(default_factory=list[float])
    moves: Counter[str] = field(default_factory=Counter[str])
    restarted: list[str] = field(default_factory=list[str])


def _steps(start: datetime) -> Iterator[_Step]:
    """Yield moves for ever: each round ends a day later, the second over a change of the hour."""
    hour, before = timedelta(hours=1), timedelta(seconds=BEFORE_SECONDS)
    opens = chaos_desk().desk.day_starts_at_utc_hour
    day = start.replace(hour=20, minute=0, second=0, microsecond=0)
    while True:
        midnight = day.replace(hour=0) + timedelta(days=1)
        opening = midnight.replace(hour=opens)
        yield _Step("an hour forward", day + hour)
        yield _Step(ASLEEP, day)
        yield _Step("over midnight", midnight - before)
        yield _Step("an hour back over midnight", midnight - hour)
        yield _Step("over midnight again", midnight - before)
        yield _Step("into the next day", opening - before, fresh_day=True)
        yield _Step("an hour back into the last day", opening - hour)
        yield _Step("into the next day again", opening - before)
        # The night in which summer time begins in New York leaves an hour out at 07:00 UTC.
        day = max(_SUMMER_TIME, (day + timedelta(days=2)).replace(hour=_SUMMER_TIME.hour))
        yield _Step("over the change of the hour", day - before, fresh_day=True)
        day = day.replace(hour=20)


async def _run(seed: int, trials: int) -> Outcome:
    seen = _Seen()
    start = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0)
    steps = _steps(start)
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as folder:
        clock = FakedClock(Path(folder) / "clock")
        clock.move_to(start.timestamp())
        limit = {"INTERLOCK__GATE__MAX_DAY_NOTIONAL": str(DAY_NOTIONAL)}
        async with (
            desk(**clock.environment, **limit) as running,
            load_on(running, seed, ahead_seconds=clock.ahead_seconds) as load,
        ):
            async with kept_asking(load, seed):
                for _ in range(trials):
                    await _move(running, load, clock, seen, next(steps))
            await all_judged(load)
            await running.settled(load.ear)
            found = await audit(running, load.ear, load.acknowledged)
            late = await sent_late(load.ear, by_age=True)
    return _outcome(seed, trials, load, found, seen, late)


async def _move(running: Desk, load: Load, clock: FakedClock, seen: _Seen, step: _Step) -> None:
    pid = running.running[EXEC].pid
    if step.name == ASLEEP:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(STAY_SECONDS / 2)
        clock.move_to(step.moment.timestamp())
        load.ahead_ns = int(clock.ahead_seconds * 1e9)
        moved = time.monotonic()
        await asyncio.sleep(STAY_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)
    seen.moves[step.name] += 1
    seen.restarted += await revived(running)
    if step.fresh_day:
        seen.recovery.append(await trades_again(load, moved + BEFORE_SECONDS) - moved)


def _of_the_day(found: Audit) -> dict[int, Decimal]:
    """Return what was approved in each trading day. A day that has begun is not undone by a clock
    that goes back; the first moments of one, which the gate may count to either, are left out."""
    opens, day = chaos_desk().desk.day_starts_at_utc_hour, 0
    sums: dict[int, Decimal] = {}
    for order in found.of(SubmitOrder):
        today = trading_day(order.ts_event, opens)
        if trading_day(order.ts_event - GRACE_NS, opens) == today:
            day = max(day, today)
            sums[day] = sums.get(day, Decimal(0)) + order.quantity * order.reference_price
    return sums


def _outcome(
    seed: int, trials: int, load: Load, found: Audit, seen: _Seen, late: list[str]
) -> Outcome:
    days = _of_the_day(found)
    twice = [
        f"{total} approved in one day of {DAY_NOTIONAL}"
        for total in days.values()
        if total > DAY_NOTIONAL
    ]
    refused = Counter(event.code for event in found.of(OrderRefused))
    return Outcome(
        fault="F12",
        what="the clock goes forward and back",
        seed=seed,
        trials=trials,
        unit="moves",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted + len(twice),
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *late[:5],
            *twice,
            *require_all([(not found.parked, f"{len(found.parked)} messages were parked")]),
        ],
        note=f"{len(days)} days of at most {max(days.values(), default=0)}; refused "
        f"{dict(refused)}; started again {len(seen.restarted)}",
    )
