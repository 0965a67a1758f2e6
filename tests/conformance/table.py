"""The whole table, in the order of the list."""

from tests.conformance import attacks_on_files, attacks_on_orders, attacks_on_state
from tests.conformance.attack import Attack

ATTACKS: list[Attack] = [
    *attacks_on_orders.ATTACKS,
    *attacks_on_state.ATTACKS,
    *attacks_on_files.ATTACKS,
]
