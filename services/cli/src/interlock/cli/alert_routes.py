"""Who is told of a desk's alerts, looked at before it starts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.cli.desks import read_section
from interlock.cli.errors import CliError
from interlock.console.config import ConsoleConfig
from interlock.runtime.config import ConfigError, DeskFile
from interlock.wire.catalogue import CONSOLE

if TYPE_CHECKING:
    from interlock.console.alerts.addresses import Address
    from interlock.console.alerts.routes import AlertRoute


def addresses_of(file: DeskFile, routes: "list[AlertRoute]") -> "list[Address]":
    """Read the URLs of `routes`, which takes seconds where there are any.

    Raises
    ------
    CliError
        When one of them cannot be used. The text holds no part of it.
    """
    if not routes:
        return []
    from interlock.console.alerts.addresses import read_addresses

    try:
        return read_addresses(routes, Path(file.path).parent, os.environ)
    except ConfigError as error:
        raise CliError(str(error)) from error


def routes_in_use(file: DeskFile, *, replaying: bool) -> list[str]:
    """Return the names of the routes that this run uses; their URLs are sound.

    Raises
    ------
    CliError
        When one of them cannot be used.
    """
    routes = read_section(file, CONSOLE, ConsoleConfig).routes_in_use(replaying=replaying)
    addresses_of(file, routes)
    return [route.name for route in routes]
