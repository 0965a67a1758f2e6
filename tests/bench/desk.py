"""The desk that is measured: `params`, with limits that let every order through."""

from pathlib import Path

from interlock.runtime.config import DeskFile, load_desk_file

PATH = Path(__file__).parents[2] / "deploy" / "desks" / "params.toml"

UNLIMITED = {
    "INTERLOCK__LOCAL_REASONER__PROVIDER": '"none"',
    "INTERLOCK__SIGNALS__MOMENTUM_BARS": "1",
    "INTERLOCK__DESK__EQUITY_USD": "1000000000000",
    "INTERLOCK__GATE__MAX_GROSS_NOTIONAL": "1000000000000",
    "INTERLOCK__GATE__MAX_DAY_NOTIONAL": "1000000000000",
    "INTERLOCK__GATE__MAX_ORDERS_PER_SECOND": "1000000",
    "INTERLOCK__GATE__MAX_ORDERS_PER_MINUTE": "1000000",
    "INTERLOCK__GATE__HALT_ORDERS_PER_MINUTE": "1000000",
    "INTERLOCK__GATE__MAX_ENTRIES_WITHOUT_PERSON": "1000000",
    "INTERLOCK__GATE__MAX_CONSECUTIVE_LOSSES": "1000000",
    "INTERLOCK__GATE__DEFAULT_LIMITS": (
        "{ max_order_quantity = 1000000, max_order_notional = 1000000000,"
        " min_order_notional = 0, max_position_notional = 1000000000000 }"
    ),
}
"""Overrides of the desk file: no model, trades at every swing, no limit in the way."""


def measured_desk() -> DeskFile:
    return load_desk_file(PATH, UNLIMITED)
