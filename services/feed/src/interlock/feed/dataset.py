"""The part of a data set that a desk trades."""

from interlock.feed.state import FeedSetting
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError
from interlock.venues.replay import open_replay
from interlock.venues.replay_rows import ReplayData, ReplayError


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


def setting_of(desk: DeskConfig, data: ReplayData) -> FeedSetting:
    """Return the setting of a replay of `data` for `desk`."""
    known = {symbol: desk.instrument(symbol) for symbol in data.instruments}
    return FeedSetting(
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
