"""The feed's wiring: a data set to its waves, or a live source to what is made of it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interlock.feed.adapters.listening import Listening
from interlock.feed.adapters.put_call_file import follow_put_calls, known_at, read_put_calls
from interlock.feed.config import FeedConfig
from interlock.feed.core import decide
from interlock.feed.dataset import data_for, setting_of
from interlock.feed.live import core as live
from interlock.feed.live.state import LiveState
from interlock.feed.live.state import evolve as evolve_live
from interlock.feed.pacing import ResumeError, run_replay
from interlock.feed.replay import waves
from interlock.feed.state import FeedSetting, FeedState, ReplayPosition, evolve, follow
from interlock.model.desk import DeskConfig
from interlock.model.ids import NANOS_PER_SECOND
from interlock.runtime.config import ConfigError
from interlock.runtime.health import wait_until_ready
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.waves import Waves
from interlock.venues.registry import PAPER, VenueConfigError, source_for
from interlock.venues.replay_rows import ReplayData
from interlock.venues.source import MarketSource
from interlock.wire.base import Message, Report
from interlock.wire.catalogue import FEED, services_of


def build(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Service[FeedState]:
    """Return the feed as a service: rows and passed moments in, as reports; messages out."""
    state = FeedState(config=config, setting=setting_of(desk, data))
    return Service(name=FEED, state=state, evolve=evolve, decide=decide)


def open_waves(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Iterator[Message]:
    """Return the messages of a replay of `data` for `desk`."""
    path = config.put_call_file
    rows = known_at(read_put_calls(Path(path)), data.ts_first - 1) if path else ()
    return waves(data, setting_of(desk, data), config, rows)


async def assemble(process: Process) -> Parts[Any]:
    config = process.desk_file.section(FEED, FeedConfig)
    if process.settings.replay:
        return _replaying(process, config)
    return listening_parts(process, config, live_source(process, config))


def _replaying(process: Process, config: FeedConfig) -> Parts[ReplayPosition]:
    file, settings = process.desk_file, process.settings
    data = data_for(file.desk, settings.replay, file.scenario)
    position = ReplayPosition()

    async def replay() -> None:
        await wait_until_ready(settings.wait_for_ports)
        waves = Waves(process.bus, process.telemetry, services_of(file.sections))
        await waves.start()
        try:
            await run_replay(
                open_waves(config, file.desk, data),
                waves.publish,
                speed=settings.speed,
                resume_after=position.last_message_id or None,
            )
        except ResumeError as error:
            raise ConfigError(str(error)) from error

    service = Service(
        name=FEED, state=position, evolve=follow, decide=lambda _state, _heard, _now: ()
    )
    return Parts(service=service, work=replay)


def live_source(process: Process, config: FeedConfig) -> MarketSource:
    """Return the desk's live source; raise `ConfigError` where there is none."""
    file = process.desk_file
    if not config.source:
        raise ConfigError(f"desk {file.desk.name} has no live source, and no replay was given")
    symbols = [one.symbol for one in file.desk.instruments]
    try:
        return source_for(config.source, symbols, config.bar_seconds, file.section, os.environ)
    except VenueConfigError as error:
        raise ConfigError(str(error)) from error


def build_live(config: FeedConfig, desk: DeskConfig, listening: Listening) -> Service[LiveState]:
    """Return the feed of a live source as a service."""
    setting = FeedSetting(
        desk=desk.name,
        dataset=config.source,
        source=config.source,
        bar_seconds=config.bar_seconds,
        cadence_seconds=desk.cadence_seconds,
        instrument_ids={one.symbol: one.instrument_id for one in desk.instruments},
    )
    state = LiveState(
        rows=FeedState(config=config, setting=setting),
        simulate_bars=desk.venue == PAPER and not config.quotes,
        cadence_ns=desk.cadence_seconds * NANOS_PER_SECOND,
    )
    return Service(
        name=FEED,
        state=state,
        evolve=evolve_live,
        decide=live.decide,
        begin=live.begin,
        perform=listening.perform,
    )


def listening_parts(process: Process, config: FeedConfig, source: MarketSource) -> Parts[LiveState]:
    """Return the live feed, wired to `source`."""

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        process.report(report)

    listening = Listening(source, config, tell, config.bar_seconds)

    async def listen() -> None:
        await wait_until_ready(process.settings.wait_for_ports)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listening.run())
            if config.put_call_file:
                path = Path(config.put_call_file)
                tasks.create_task(follow_put_calls(path, tell, process.clock.now))

    service = build_live(config, process.desk_file.desk, listening)
    return Parts(service=service, work=listen)


def main() -> None:
    run(FEED, assemble)
