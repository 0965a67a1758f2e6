"""Which venue a desk trades at, and that no real money is at stake without a person's word."""

import os
from collections.abc import Mapping

from interlock.exec.config import ExecConfig
from interlock.model.desk import DeskConfig
from interlock.model.values import TradingMode
from interlock.runtime.config import ConfigError
from interlock.venues.paper import PaperVenue
from interlock.venues.port import Venue
from interlock.venues.registry import PAPER, ReadSection, VenueConfigError, venue_for

LIVE_CONFIRMED = "INTERLOCK_LIVE_CONFIRMED"
"""Names the account that a person has typed at the start; `interlock up` sets it."""


def venue_of(
    desk: DeskConfig,
    config: ExecConfig,
    read: ReadSection | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Venue:
    """Return the desk's venue, connected to nothing yet.

    `read` reads the sections of the desk file that describe accounts; without it, as in a replay,
    there is only paper.

    Raises
    ------
    ConfigError
        When nobody has an adapter for it, its keys are not set, its money is not the money of the
        desk's mode, or nobody has confirmed that it is real.
    """
    if desk.venue == PAPER:
        return PaperVenue(config.paper, {one.instrument_id: one for one in desk.instruments})
    if read is None:
        raise ConfigError(f"there is no venue {desk.venue!r} here: known is {PAPER}")
    live = desk.mode is TradingMode.LIVE
    if live and desk.require_live_confirm and environ.get(LIVE_CONFIRMED) != desk.account:
        raise ConfigError(
            f"desk {desk.name} is in mode live and nobody has confirmed its account "
            f"{desk.account}: start it with `interlock up --confirm-live`"
        )
    try:
        return venue_for(desk, read, environ)
    except VenueConfigError as error:
        raise ConfigError(str(error)) from error
