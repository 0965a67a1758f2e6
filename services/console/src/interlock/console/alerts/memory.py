"""What was told, kept in one file of the state folder, so that a restart repeats and loses nothing.

It holds the alerts' texts and no URL. A message that was under way when the process died may have
arrived; it is sent again: better twice than never.
"""

import logging
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.console.alerts.lines import Line, put_back
from interlock.runtime.bus.onwards import Place
from interlock.runtime.durable import replace_file

_log = logging.getLogger(__name__)

FILE = "alerts.json"
IDS_KEPT = 1_000


class Memory(Struct, frozen=True, kw_only=True):
    """`place` is how far the bus was read, `ids` those of the alerts last taken in."""

    place: Place | None = None
    ids: tuple[str, ...] = ()
    lines: dict[str, Line] = {}


def read_memory(folder: Path) -> Memory:
    """Return what was kept; nothing, and a word in the log, where it cannot be read."""
    path = folder / FILE
    try:
        memory = msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory()
    except (OSError, msgspec.DecodeError) as error:
        _log.warning(
            "%s cannot be read (%s): alerts of the last minutes may be repeated", path, error
        )
        return Memory()
    lines = {name: put_back(line) for name, line in memory.lines.items()}
    return msgspec.structs.replace(memory, lines=lines)


def keep_memory(folder: Path, memory: Memory) -> None:
    """Write it down. Raises ``OSError``."""
    replace_file(folder / FILE, msgspec.json.encode(memory))
