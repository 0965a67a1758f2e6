"""Where the console listens, and what a person is told of it."""

from interlock.cli.errors import CliError
from interlock.cli.process import LOOPBACK, port_is_free
from interlock.cli.state_folder import StateFolder

DEFAULT_PORT = 5555
OFF = 0
_TRIES = 50


def console_port(wanted: int | None) -> int:
    """Return the port to take, `OFF` where none is wanted.

    Where nobody asked for a port and the usual one is taken, by another desk say, the next free one
    will do.

    Raises
    ------
    CliError
        When the port that was asked for is taken.
    """
    if wanted == OFF:
        return OFF
    if wanted is not None:
        if not port_is_free(wanted):
            raise CliError(f"--port {wanted} is taken: give another, or 0 for no page")
        return wanted
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _TRIES):
        if port_is_free(port):
            return port
    raise CliError(
        f"no port from {DEFAULT_PORT} to {DEFAULT_PORT + _TRIES - 1} is free: give --port"
    )


def invitation(state: StateFolder, port: int) -> str:
    """Return the line that says where the console is, and how to get in."""
    # Imported late: it is not needed before the desk is up.
    from interlock.console.tokens import FIRST_TOKEN_FILE

    token = state.secrets / FIRST_TOKEN_FILE
    return f"console: http://{LOOPBACK}:{port}, the login token lies in {token}"
