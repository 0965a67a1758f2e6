"""The part of a data set that a desk trades."""

import os
from collections.abc import Mapping
from pathlib import Path

from interlock.feed.state import FeedSetting
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError, Scenario
from interlock.venues.replay import open_replay
from interlock.venues.replay_files import reader_of
from interlock.venues.replay_rows import ReplayData, ReplayError

DATA_VARIABLE = "INTERLOCK_DATA"
"""The folder of recorded data that is not shipped."""


def source_of(
    wanted: str, scenario: Scenario | None, environment: Mapping[str, str] = os.environ
) -> str:
    """Return the named set or the path to replay: what was asked for, or what the scenario says.

    Raises
    ------
    ConfigError
        When its file is in no folder that is named, or not there.
    """
    if scenario is None:
        return wanted
    if reader_of(Path(scenario.data)) is None:
        return scenario.data
    folder = environment.get(DATA_VARIABLE, "")
    path = Path(folder) / scenario.data
    if not folder or not path.is_file():
        where = f"{folder} has none" if folder else f"{DATA_VARIABLE} names no folder"
        raise ConfigError(
            f"this scenario replays {scenario.data}, which is not shipped, and {where}: "
            f"set {DATA_VARIABLE} to the folder that holds it"
        )
    return str(path.resolve())


def data_for(desk: DeskConfig, source: str, scenario: Scenario | None = None) -> ReplayData:
    """Open the part of a data set that the desk trades, on the days of the scenario.

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
        if scenario is None:
            return open_replay(source, wanted)
        return open_replay(source, wanted, first=scenario.first, last=scenario.last)
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
