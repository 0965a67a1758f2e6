"""The whole table: what the order says, what the desk remembers, files, the log, processes."""

from tests.conformance import (
    attacks_on_files,
    attacks_on_log,
    attacks_on_orders,
    attacks_on_servers,
    attacks_on_state,
)
from tests.conformance.attack import Attack

KINDS = (
    "NaN, infinite, negative, zero size or price",
    "unknown limit key in configuration",
    "missing limits",
    "empty limit set",
    "stale, crossed or missing reference price",
    "a new symbol ordered by quantity without a price",
    "split orders under the per-order cap",
    "second code path (swap, close, flatten) that skips checks",
    "same intent twice, in parallel, after restart",
    "retry with a new id",
    "clock jump backwards over midnight",
    "gate restart in HALTED",
    "deleting the halt or state file",
    "truncating or re-hashing the log",
    "store down during the check",
    "error in a counter treated as zero",
    "drawdown computed on closed trades only",
    "high-water mark forgotten after it fired",
    "kill that cancels paper orders only",
    "model raising its own size",
    "approval lost or auto-granted at restart",
    "symbol aliases splitting one limit",
    "unit mix-ups (percent, bps, fraction)",
    "currency mix-ups",
)
"""Attacks that gates in use did not stop."""

ATTACKS: list[Attack] = [
    *attacks_on_orders.ATTACKS,
    *attacks_on_state.ATTACKS,
    *attacks_on_files.ATTACKS,
    *attacks_on_log.ATTACKS,
    *attacks_on_servers.ATTACKS,
]
