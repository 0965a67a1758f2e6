"""What the services take where a desk file is silent; their own defaults, written out.

The console reads the desk file as it is written and imports no service. ``defaults.json`` is made
of the services' configuration when documents are generated.
"""

from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

DEFAULTS_FILE = "defaults.json"


class Defaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`buy_at` and `sell_at` are scores from 0 to 1, `kill_window_days` trading days."""

    buy_at: float
    sell_at: float
    kill_window_days: int
    cloud_calls_per_day: int


@cache
def defaults() -> Defaults:
    text = (files("interlock.console") / DEFAULTS_FILE).read_bytes()
    return msgspec.json.decode(text, type=Defaults)
