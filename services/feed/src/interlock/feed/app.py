"""The feed's wiring: a data set to its waves, and the process that publishes them."""

from collections.abc import Iterator

from interlock.feed.config import FeedConfig
from interlock.feed.core import decide
from interlock.feed.dataset import data_for, setting_of
from interlock.feed.pacing import ResumeError, run_replay
from interlock.feed.replay import waves
from interlock.feed.state import FeedState, ReplayPosition, evolve, follow
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError
from interlock.runtime.health import wait_until_ready
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.waves import Waves
from interlock.venues.replay_rows import ReplayData
from interlock.wire.base import Message
from interlock.wire.catalogue import FEED


def build(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Service[FeedState]:
    """Return the feed as a service: rows and passed moments in, as reports; messages out."""
    state = FeedState(config=config, setting=setting_of(desk, data))
    return Service(name=FEED, state=state, evolve=evolve, decide=decide)


def open_waves(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Iterator[Message]:
    """Return the messages of a replay of `data` for `desk`."""
    return waves(data, setting_of(desk, data), config)


async def assemble(process: Process) -> Parts[ReplayPosition]:
    file, settings = process.desk_file, process.settings
    config = file.section(FEED, FeedConfig)
    data = data_for(file.desk, settings.replay)
    position = ReplayPosition()

    async def replay() -> None:
        await wait_until_ready(settings.wait_for_ports)
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
