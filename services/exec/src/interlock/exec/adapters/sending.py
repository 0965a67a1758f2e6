"""What exec does at a venue: every call looks at the kill switch first and tells it what came."""

from collections.abc import Awaitable, Sequence
from inspect import isawaitable

from interlock.exec.adapters.kill_switch import KillSwitch, never_sent
from interlock.exec.ports import (
    ArmSwitch,
    OpenVenue,
    PressSwitch,
    RestoreSwitch,
    VenueOpened,
)
from interlock.venues.port import Reports, Venue, VenueReport
from interlock.wire.base import Effect, Report
from interlock.wire.orders import SubmitOrder


def place(venue: Venue, switch: KillSwitch, order: SubmitOrder, now: int) -> Reports:
    """Send `order`, unless the switch is pressed: it is asked last of all.

    What may be at the venue from an earlier life is cancelled there instead.
    """
    known = order.client_order_id in switch.orders
    if switch.may_send(order):
        return venue.place(order, now)
    return venue.cancel(order.client_order_id) if known else [never_sent(order)]


def kept(switch: KillSwitch, reports: Reports) -> Reports:
    """Let the switch know which orders have ended."""
    if isawaitable(reports):
        return _kept_later(switch, reports)
    switch.orders.hear(reports)
    return reports


async def _kept_later(
    switch: KillSwitch, reports: Awaitable[Sequence[VenueReport]]
) -> Sequence[VenueReport]:
    answered = await reports
    switch.orders.hear(answered)
    return answered


async def open_venue(venue: Venue, switch: KillSwitch, effect: OpenVenue) -> Sequence[Report]:
    opened = venue.open(effect.orders, effect.positions, effect.trade_ids)
    book = await opened if isawaitable(opened) else opened
    switch.orders.remember(effect.orders, effect.trade_ids)
    switch.orders.add_foreign(book.leaves)
    return [VenueOpened(book=book)]


def turn(switch: KillSwitch, effect: Effect) -> Awaitable[Sequence[Report]]:
    match effect:
        case PressSwitch(way=way, by=by, reason=reason):
            return switch.press(way, by, reason)
        case ArmSwitch(by=by, reason=reason, by_person=by_person):
            return switch.arm(by, reason, by_person=by_person)
        case RestoreSwitch(pressed_at=pressed_at):
            return switch.restore(pressed_at)
        case _:
            raise NotImplementedError(type(effect).__name__)
