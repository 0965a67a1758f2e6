"""Which venue a desk trades at."""

import os

from interlock.exec.config import ExecConfig
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError
from interlock.venues.paper import PaperVenue
from interlock.venues.port import Venue
from interlock.venues.registry import PAPER, ReadSection, VenueConfigError, venue_for


def venue_of(desk: DeskConfig, config: ExecConfig, read: ReadSection | None = None) -> Venue:
    """Return the desk's venue, connected to nothing yet.

    `read` reads the sections of the desk file that describe accounts; without it there is only
    paper.

    Raises
    ------
    ConfigError
        When nobody has an adapter for it, its keys are not set, or its money is not the money of
        the desk's mode.
    """
    if desk.venue == PAPER:
        return PaperVenue(config.paper, {one.instrument_id: one for one in desk.instruments})
    if read is None:
        raise ConfigError(f"there is no venue {desk.venue!r} here: known is {PAPER}")
    try:
        return venue_for(desk, read, os.environ)
    except VenueConfigError as error:
        raise ConfigError(str(error)) from error
