"""The feed's wiring: a data set to its waves."""

from collections.abc import Iterator

from interlock.feed.config import FeedConfig
from interlock.feed.core import decide
from interlock.feed.replay import waves
from interlock.feed.state import FeedState, ReplaySetting, evolve
from interlock.runtime.config import DeskConfig
from interlock.runtime.service import Service
from interlock.venues.replay_rows import ReplayData
from interlock.wire.base import Message


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
    return Service(name="feed", state=state, evolve=evolve, decide=decide)


def open_waves(config: FeedConfig, desk: DeskConfig, data: ReplayData) -> Iterator[Message]:
    """Return the messages of a replay of `data` for `desk`."""
    return waves(data, setting_of(desk, data), config)
