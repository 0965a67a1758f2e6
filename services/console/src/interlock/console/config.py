"""Section ``[console]`` of a desk file."""

from msgspec import Struct

from interlock.console.alerts.routes import AlertRoute, require_names_differ

_LONGEST_SESSION_HOURS = 24 * 30


class ConsoleConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people reach the console.

    Parameters
    ----------
    host
        The address it listens on. Anything but loopback belongs behind a proxy that speaks TLS.
    allowed_hosts
        Names a browser may call it by, besides the machine's own: a page of somebody else that
        lets its name point here is refused.
    session_hours
        After how long a person has to log in again.
    dial
        The parameter of policy's that the aggressiveness dial moves, from its lower limit to its
        upper one. A desk without such a parameter has no dial.
    alerts
        Who is told of alerts, and how.
    """

    host: str = "127.0.0.1"
    allowed_hosts: list[str] = []
    session_hours: int = 12
    dial: str = "aggressiveness"
    alerts: list[AlertRoute] = []

    def routes_in_use(self, *, replaying: bool) -> list[AlertRoute]:
        """Return who is told: nobody wants to be woken by a crash of years ago."""
        return [route for route in self.alerts if route.in_replays or not replaying]

    def __post_init__(self) -> None:
        if not 1 <= self.session_hours <= _LONGEST_SESSION_HOURS:
            raise ValueError(
                f"session_hours must be 1 to {_LONGEST_SESSION_HOURS}, not {self.session_hours}"
            )
        require_names_differ(self.alerts)
