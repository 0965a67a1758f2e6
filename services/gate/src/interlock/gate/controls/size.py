"""How large one order may be."""

from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail
from interlock.gate.controls.control import DESK, FIA, RTS6, Control
from interlock.model.instrument import on_step
from interlock.wire.orders import ControlFailure


def number(case: Case) -> ControlFailure | None:
    if case.quantity is not None:
        return None
    return fail("size.number", case.intent.quantity, "a finite number above zero")


def lot(case: Case) -> ControlFailure | None:
    if case.quantity is None or case.instrument is None:
        return None
    if on_step(case.quantity, case.instrument.lot):
        return None
    return fail("size.lot", case.quantity, f"whole lots of {case.instrument.lot}")


def quantity(case: Case) -> ControlFailure | None:
    limit = case.limits.max_order_quantity
    if limit is None:
        return fail("size.quantity", case.quantity, NOT_CONFIGURED)
    if case.quantity is None or case.quantity <= limit:
        return None
    return fail("size.quantity", case.quantity, limit)


def notional(case: Case) -> ControlFailure | None:
    limit = case.limits.max_order_notional
    if limit is None:
        return fail("size.notional", UNKNOWN, NOT_CONFIGURED)
    if case.notional is None or case.notional <= limit:
        return None
    return fail("size.notional", case.notional, limit)


def minimum(case: Case) -> ControlFailure | None:
    limit = case.limits.min_order_notional
    if limit is None:
        return fail("size.minimum", UNKNOWN, NOT_CONFIGURED)
    if case.notional is None or case.notional >= limit:
        return None
    return fail("size.minimum", case.notional, limit)


def share(case: Case) -> ControlFailure | None:
    if case.caps is None:
        return None
    limit = case.caps.order
    if limit is None:
        return fail("size.share", UNKNOWN, NOT_CONFIGURED)
    if case.notional is None or case.notional <= limit:
        return None
    return fail("size.share", case.notional, limit)


CONTROLS = (
    Control(
        "size.number",
        "the quantity is a finite number above zero",
        "units",
        RTS6,
        number,
        binds_reducing=True,
    ),
    Control("size.lot", "the quantity is whole lots", "units", FIA, lot, binds_reducing=True),
    Control("size.quantity", "at most so much in one order", "units", RTS6, quantity),
    Control("size.notional", "at most so much money in one order", "currency", RTS6, notional),
    Control("size.minimum", "at least so much money in one order", "currency", DESK, minimum),
    Control(
        "size.share",
        "at most this bucket's share of equity in one order",
        "currency",
        DESK,
        share,
    ),
)
