"""The whole table: what the order says, what the desk remembers, files, the log, processes."""

from tests.conformance import (
    attacks_on_files,
    attacks_on_log,
    attacks_on_orders,
    attacks_on_servers,
    attacks_on_state,
)
from tests.conformance.attack import Attack

ATTACKS: list[Attack] = [
    *attacks_on_orders.ATTACKS,
    *attacks_on_state.ATTACKS,
    *attacks_on_files.ATTACKS,
    *attacks_on_log.ATTACKS,
    *attacks_on_servers.ATTACKS,
]
