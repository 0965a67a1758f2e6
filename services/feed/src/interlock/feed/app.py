"""The feed's wiring: a data set to its waves, and the process that publishes them."""

from collections.abc import Iterator

from interlock.feed.config import FeedConfig
from interlock.feed.core import decide
from interlock.feed.pacing import ResumeError, run_replay
from interlock.feed.replay import waves
from interlock.feed.state import FeedState, ReplayPosition, ReplaySetting, evolve, follow
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.waves import Waves
from interlock.venues.replay import open_replay
from interlock.venues.replay_rows import ReplayData, ReplayError
from interlock.wire.base import Message
from interlock.wire.catalogue import FEED


def setting_of(desk: DeskConfig, data: ReplayData) -> ReplaySetting:
    """Return the setting of a replay of `data` for `desk`."""
    known = {symbol: desk.instrument(symbol) for symbol in data.instruments}
    return ReplaySetting(
        desk=desk.name,
        dataset=data.dataset,
        bar_seconds=data.bar_seconds,
        cadence_seconds=desk.cadence_seconds,
        instrument_ids={
            symbol: instrument.instrument_id
            for symbol, instrument in known.items()
            if instrument is not None
        },
    )


def build(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Service[FeedState]:
    """Return the feed as a service: rows and passed moments in, as reports; messages out."""
    state = FeedState(config=config, setting=setting_of(desk, data))
    return Service(name=FEED, state=state, evolve=evolve, decide=decide)


def open_waves(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Iterator[Message]:
    """Return the messages of a replay of `data` for `desk`."""
    return waves(data, setting_of(desk, data), config)


def data_for(desk: DeskConfig, source: str) -> ReplayData:
    """Open the part of a data set that the desk trades.

    Raises
    ------
    ConfigError
        When the data cannot be read or holds none of the desk's instruments.
    """
    try:
        found = open_replay(source).instruments
        wanted = [symbol for symbol in found if desk.instrument(symbol) is not None]
        if not wanted:
            raise ConfigError(
                f"{source} holds none of the instruments of desk {desk.name}: it has "
                f"{', '.join(found[:8])}; add one to the desk file"
            )
        return open_replay(source, wanted)
    except ReplayError as error:
        raise ConfigError(str(error)) from error


async def assemble(process: Process) -> Parts[ReplayPosition]:
    file, settings = process.desk_file, process.settings
    config = file.section(FEED, FeedConfig)
    data = data_for(file.desk, settings.replay)
    position = ReplayPosition()

    async def replay() -> None:
        waves = Waves(process.bus, process.telemetry)
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


def main() -> None:
    run(FEED, assemble)
