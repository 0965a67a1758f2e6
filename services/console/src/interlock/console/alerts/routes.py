"""Tables ``[[console.alerts]]`` of a desk file: who is told, of what, and how often."""

import re

from msgspec import Struct

from interlock.model.values import Severity

MOST_ROUTES = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_LONGEST_MINUTES = 24 * 60
_HIGHEST_LIMIT = 1_000


class AlertRoute(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to people. Its URLs hold secrets, so they stand in a file or in a variable.

    Parameters
    ----------
    urls_file
        A file of URLs, one a line; a path that is not absolute begins at the desk file's folder.
    url_env
        The name of a variable that holds one URL.
    url
        Is refused: a desk file is read by many.
    min_severity
        Alerts below it are not told.
    quiet_minutes
        How long alerts with the ``dedupe_key`` of one that was told are counted only.
    at_most, per_minutes
        How many messages go out in which time; for critical ones twice as many.
    in_replays
        Whether it is used while recorded data is replayed, too.
    """

    name: str
    urls_file: str = ""
    url_env: str = ""
    url: str = ""
    min_severity: Severity = Severity.WARNING
    quiet_minutes: int = 10
    at_most: int = 10
    per_minutes: int = 10
    in_replays: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("name must be small letters, digits, - and _, 32 at most")
        if self.url:
            raise ValueError(
                f"route {self.name} has its url in the desk file, where everybody reads the "
                "secret in it: put it into a file and name that with urls_file, or into a "
                "variable and name that with url_env"
            )
        if bool(self.urls_file) == bool(self.url_env):
            raise ValueError(f"route {self.name} needs urls_file or url_env, one of them")
        if "://" in self.urls_file + self.url_env:
            raise ValueError(
                f"route {self.name}: urls_file names a file and url_env a variable; neither is "
                "the url itself, which has no place in a desk file"
            )
        for key, highest in (
            ("quiet_minutes", _LONGEST_MINUTES),
            ("per_minutes", _LONGEST_MINUTES),
            ("at_most", _HIGHEST_LIMIT),
        ):
            value = getattr(self, key)
            if not 1 <= value <= highest:
                raise ValueError(f"route {self.name}: {key} must be 1 to {highest}, not {value}")


def require_names_differ(routes: list[AlertRoute]) -> None:
    """Raise ``ValueError`` where two routes have one name, or there are too many."""
    names = [one.name for one in routes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two routes are called {twice[0]}")
    if len(names) > MOST_ROUTES:
        raise ValueError(f"{len(names)} routes are too many: {MOST_ROUTES} at most")
