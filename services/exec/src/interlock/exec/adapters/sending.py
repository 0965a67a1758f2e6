"""What exec does at a venue: every call looks at the kill switch first and tells it what came."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable

from interlock.exec.adapters.asking import Asking, Call
from interlock.exec.adapters.kill_switch import KillSwitch, never_sent
from interlock.exec.adapters.open_orders import ends
from interlock.exec.ports import (
    STILL_STANDS,
    AdvanceVenue,
    ArmSwitch,
    CancelOrder,
    LookUp,
    OpenVenue,
    PlaceOrder,
    PlaceProtection,
    PressSwitch,
    RestoreSwitch,
    VenueAway,
    VenueOpened,
)
from interlock.exec.reconcile import doubtful
from interlock.model.ids import NANOS_PER_SECOND
from interlock.venues.port import (
    TOO_LATE,
    Reports,
    Venue,
    VenueBook,
    VenueCanceled,
    VenueNeverSeen,
    VenueReport,
    VenueUnavailableError,
)
from interlock.wire.base import Effect, Report
from interlock.wire.orders import SubmitOrder

_log = logging.getLogger(__name__)

LOOK_UPS_AT_A_TIME = 16
ROOM_POLL_SECONDS = 0.002


def place(venue: Venue, switch: KillSwitch, order: SubmitOrder, now: int) -> Reports:
    """Send `order`, unless its approval has ended or the switch is pressed: asked last of all.

    The approval may have ended since the order's row was written. What may be at the venue from an
    earlier life is cancelled there instead.
    """
    known = order.client_order_id in switch.orders
    if order.expires_at <= now and not known:
        return [VenueCanceled(client_order_id=order.client_order_id, reason=TOO_LATE)]
    if switch.may_send(order):
        return venue.place(order, now)
    return venue.cancel(order.client_order_id) if known else [never_sent(order)]


def protect(venue: Venue, switch: KillSwitch, effect: PlaceProtection, now: int) -> Reports:
    """Send a protective order once what it takes the place of has ended, and has not traded.

    A pressed switch lets none through: a person presses it to have nothing working.
    """
    if switch.pressed or not effect.filled:
        return _protected(venue, switch, effect, now)
    ended = venue.cancel(effect.instead_of) if effect.instead_of else ()
    looked = {name: venue.look_up(name) for name in effect.filled if name != effect.instead_of}
    if isawaitable(ended) or any(isawaitable(one) for one in looked.values()):
        return _after_all(venue, switch, effect, now, [ended, *looked.values()])
    told = [*_now(ended), *(report for one in looked.values() for report in _now(one))]
    if effect.instead_of:
        told += _now(venue.look_up(effect.instead_of))
    switch.orders.hear(told)
    if not _may_follow(switch, effect, told):
        return [*told, _not_sent(effect)]
    return [*told, *_now(_protected(venue, switch, effect, now))]


def _now(reports: Reports) -> Sequence[VenueReport]:
    assert not isawaitable(reports), "a venue answers always at once, or never"
    return reports


async def _after_all(
    venue: Venue, switch: KillSwitch, effect: PlaceProtection, now: int, asked: Sequence[Reports]
) -> Sequence[VenueReport]:
    told = [report for one in asked for report in await _waited(one)]
    if effect.instead_of:
        told += await _waited(venue.look_up(effect.instead_of))
    switch.orders.hear(told)
    if not _may_follow(switch, effect, told):
        return [*told, _not_sent(effect)]
    return [*told, *(await _waited(_protected(venue, switch, effect, now)))]


async def _waited(reports: Reports) -> Sequence[VenueReport]:
    return await reports if isawaitable(reports) else reports


def _may_follow(switch: KillSwitch, effect: PlaceProtection, told: Sequence[VenueReport]) -> bool:
    """Return whether each order before it is gone, and has traded what exec knows of."""
    over = {one.client_order_id for one in told if ends(one) or isinstance(one, VenueNeverSeen)}
    return all(
        name in over and switch.orders.filled(name) == filled
        for name, filled in effect.filled.items()
    )


def _not_sent(effect: PlaceProtection) -> VenueCanceled:
    return VenueCanceled(client_order_id=effect.order.client_order_id, reason=STILL_STANDS)


def _protected(venue: Venue, switch: KillSwitch, effect: PlaceProtection, now: int) -> Reports:
    if switch.pressed:
        return [never_sent(effect.order)]
    switch.orders.place(effect.order)
    return venue.protect(effect.order, now)


def open_venue(
    venue: Venue, switch: KillSwitch, asking: Asking, effect: OpenVenue
) -> Sequence[Report] | Awaitable[Sequence[Report]]:
    """Ask for the venue's book, and for the fate of each order that it shows otherwise."""
    switch.orders.remember(effect.orders, effect.trade_ids)
    if asking.is_asked(Call.OPEN, ""):
        return ()
    try:
        opened = venue.open(effect.orders, effect.positions, effect.trade_ids)
    except VenueUnavailableError as error:
        return [VenueAway(reason=str(error))]
    if isawaitable(opened):
        return asking.later(Call.OPEN, "", _opened_later(venue, switch, effect, opened))
    asked = [venue.look_up(name) for name in doubtful(effect.orders, opened)]
    told = [report for reports in asked for report in _now(reports)]
    return _opened(switch, effect, opened, told)


async def _opened_later(
    venue: Venue, switch: KillSwitch, effect: OpenVenue, opened: Awaitable[VenueBook]
) -> Sequence[Report]:
    try:
        book = await opened
        told = await _fates(venue, doubtful(effect.orders, book))
    except VenueUnavailableError as error:
        return [VenueAway(reason=str(error))]
    except Exception as error:  # noqa: BLE001 - whatever it is, the venue is asked again
        _log.exception("the venue did not show its book")
        return [VenueAway(reason=type(error).__name__)]
    return _opened(switch, effect, book, told)


async def _fates(venue: Venue, names: Sequence[str]) -> Sequence[VenueReport]:
    free = asyncio.Semaphore(LOOK_UPS_AT_A_TIME)

    async def one(name: str) -> Sequence[VenueReport]:
        async with free:
            answer = venue.look_up(name)
            return await answer if isawaitable(answer) else answer

    return [report for reports in await asyncio.gather(*map(one, names)) for report in reports]


def _opened(
    switch: KillSwitch, effect: OpenVenue, book: VenueBook, told: Sequence[VenueReport]
) -> Sequence[Report]:
    switch.orders.add_foreign(book.leaves)
    news = [*book.news, *told]
    switch.orders.hear(news)
    return [*news, VenueOpened(book=book, moves=effect.moves, round=effect.round)]


def at_venue(
    venue: Venue,
    switch: KillSwitch,
    asks: Asking,
    effect: PlaceOrder | PlaceProtection | CancelOrder | LookUp | AdvanceVenue,
    now: int,
) -> Sequence[Report] | Awaitable[Sequence[Report]]:
    """Call the venue; what it is asked about one order, it is asked once at a time."""
    match effect:
        case PlaceOrder(order=order, after=after):
            name = order.client_order_id
            room = _room(switch, asks, after, (order.expires_at - now) / NANOS_PER_SECOND)
            at = _clock_from(now, runs=room is not None)
            return asks.orders(Call.PLACE, name, lambda: place(venue, switch, order, at()), room)
        case PlaceProtection(order=protective):
            name = protective.client_order_id
            return asks.orders(Call.PLACE, name, lambda: protect(venue, switch, effect, now))
        case CancelOrder(client_order_id=name):
            return asks.orders(
                Call.CANCEL, name, lambda: venue.cancel(name), _turn_to_cancel(switch, name)
            )
        case LookUp(client_order_id=name):
            return asks.orders(Call.LOOK_UP, name, lambda: venue.look_up(name))
        case AdvanceVenue(event=event):
            return asks.orders(Call.ADVANCE, event.message_id, lambda: venue.advance(event))


def _room(
    switch: KillSwitch, asks: Asking, after: Sequence[str], seconds: float
) -> Callable[[], Awaitable[bool]] | None:
    """Return what waits until all of `after` have ended, none where they have.

    After half of the `seconds` that the approval lasts it is tried all the same: what closes may
    not miss its time because a stop would not end.
    """

    def is_held() -> bool:
        return any(name in switch.orders or asks.is_asked(Call.PLACE, name) for name in after)

    if asks.report is None or not is_held():
        return None

    async def turn() -> bool:
        until = time.monotonic() + seconds / 2
        while is_held() and time.monotonic() < until:  # noqa: ASYNC110 - many things end an order
            await asyncio.sleep(ROOM_POLL_SECONDS)
        return True

    return turn


def _clock_from(now: int, *, runs: bool) -> Callable[[], int]:
    """Return a clock that says `now` now; it stands still where nobody has to wait."""
    if not runs:
        return lambda: now
    ahead_ns = now - time.monotonic_ns()
    return lambda: ahead_ns + time.monotonic_ns()


def _turn_to_cancel(switch: KillSwitch, name: str) -> Callable[[], Awaitable[bool]] | None:
    """Return what waits until `name` may be asked for, none where there is nothing to wait for.

    What a press of the switch ends anyhow takes no turn from it.
    """
    if switch.pace.is_free:
        return None
    return lambda: switch.pace.in_line(lambda: not switch.is_ending(name))


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
