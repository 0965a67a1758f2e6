"""A service that only counts, to be run by a loop on either bus."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from interlock.model.values import TradingState
from interlock.runtime.bus.port import Bus
from interlock.runtime.clock import DataClock
from interlock.runtime.loop import Loop, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell, Service
from interlock.runtime.telemetry import Telemetry
from interlock.wire.base import Effect, Heard, Report, Said, caused_id, root_ids
from interlock.wire.policy import HaltTrading, TradingStateChanged

PATIENCE = 15.0


class Seen:
    """A service's state that only counts."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.spoken: list[str] = []
        self.reports = 0


class Ring(Effect, frozen=True, kw_only=True):
    times: int


class Rang(Report, frozen=True, kw_only=True):
    times: int


def evolve(state: Seen, heard: Heard) -> Seen:
    match heard:
        case HaltTrading():
            state.reasons.append(heard.reason)
        case TradingStateChanged():
            state.spoken.append(heard.reason)
        case Rang():
            state.reports += heard.times
        case _:
            pass
    return state


def decide(_state: Seen, heard: Heard, now: int) -> Sequence[Said]:
    match heard:
        case HaltTrading(reason="poison"):
            raise RuntimeError("no service survives this")
        case HaltTrading():
            return [answer_to(heard, now), Ring(times=2)]
        case _:
            return ()


def answer_to(cause: HaltTrading, now: int) -> TradingStateChanged:
    return TradingStateChanged(
        message_id=caused_id(cause, TradingStateChanged), decision_id=cause.decision_id,
        ts_event=now, desk="d", state=TradingState.HALTED, epoch=1, author=cause.by,
        reason=cause.reason,
    )  # fmt: skip


def halt(reason: str) -> HaltTrading:
    message_id, decision_id = root_ids(HaltTrading, reason)
    return HaltTrading(
        message_id=message_id, decision_id=decision_id, ts_event=1, desk="d", by="ada",
        reason=reason,
    )  # fmt: skip


def loop_of(bus: Bus, service: Service[Seen]) -> Loop[Seen]:
    return Loop(
        cell=Cell(service, service.state), bus=bus, clock=DataClock(),
        telemetry=Telemetry("policy"), metrics=Metrics(), streams=streams_of("policy"),
    )  # fmt: skip


@contextlib.asynccontextmanager
async def running(bus: Bus, service: Service[Seen]) -> AsyncIterator[Loop[Seen]]:
    loop = loop_of(bus, service)
    await loop.recover()
    await loop.begin()
    task = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def toy(**changed) -> Service[Seen]:
    parts = {
        "name": "policy", "state": Seen(), "evolve": evolve, "decide": decide,
        "perform": lambda effect: [Rang(times=effect.times)],
    }  # fmt: skip
    return Service(**{**parts, **changed})


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)
