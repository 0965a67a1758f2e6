"""The machine's clock as the services see it, moved while they run, by Debian's libfaketime.

The monotonic clock is left alone, as a real step of the clock leaves it. The broker and the servers
are not moved: they are programs without a C library to stand in for, or are not asked the time.
"""

import time
from pathlib import Path

PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")


def library() -> Path | None:
    found = [path for place in PLACES for path in Path("/").glob(place.removeprefix("/"))]
    return found[0] if found else None


class FakedClock:
    """`file` says how far ahead of the machine the clock is; every look at it reads it anew."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ahead_seconds = 0.0
        self.move_to(time.time())

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def move_to(self, moment: float) -> None:
        """Let it be `moment`, in UNIX seconds, from now on."""
        self.ahead_seconds = moment - time.time()
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{self.ahead_seconds:+.3f}")
        fresh.replace(self.file)
