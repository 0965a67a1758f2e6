"""Orders, and a paper venue that holds them, for the tests of what becomes of them."""

from decimal import Decimal

from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.values import InstrumentKind, OrderType, Side
from interlock.testkit.decisions import approved, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.venues.paper import PaperConfig, PaperVenue
from interlock.venues.port import (
    ProtectiveOrder,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueMoved,
    VenueRejected,
)

INSTRUMENTS = {
    "SPY": Instrument(instrument_id="SPY", venue="paper"),
    "BTC": Instrument(
        instrument_id="BTC",
        venue="paper",
        tick=Decimal("0.5"),
        lot=Decimal("0.001"),
        kind=InstrumentKind.CRYPTO,
    ),
}
FREE = {
    "spread_bps": Decimal(0),
    "slippage_bps": Decimal(0),
    "fee_bps": Decimal(0),
    "participation": Decimal(1),
}
PARENT = "il-entry"


def venue_with(*orders, **config):
    venue = PaperVenue(PaperConfig(**(FREE | config)), INSTRUMENTS)
    for order in orders:
        venue.place(order, order.ts_event)
    return venue


def order(n=1, quantity=10, **more):
    """Return an order of second `n`."""
    if "limit_price" in more:
        more["limit_price"] = Decimal(more["limit_price"])
    return approved(n, quantity=Decimal(quantity), **more)


def child(name="stop", quantity=10, n=2, **more):
    """Return a protective order to sell, made in second `n`."""
    kinds = {
        "stop_price": OrderType.STOP,
        "trail_offset": OrderType.TRAILING_STOP,
        "limit_price": OrderType.LIMIT,
    }
    fields = {
        "client_order_id": name,
        "parent": PARENT,
        "instrument_id": "SPY",
        "side": Side.SELL,
        "order_type": next((kinds[key] for key in more if key in kinds), OrderType.MARKET),
        "quantity": Decimal(quantity),
        "ts_event": n * SECOND,
    }
    numbers = {key: Decimal(value) if key in kinds else value for key, value in more.items()}
    return ProtectiveOrder(**(fields | numbers))


def holding(position=10, *children, **config):
    """Return a venue that holds SPY since second 2, and the children that protect it."""
    venue = PaperVenue(PaperConfig(**(FREE | config)), INSTRUMENTS)
    venue.open([], {"SPY": Decimal(position)}, set())
    for one in children:
        venue.protect(one, 0)
    return venue


def bars(venue, *changes, start=3):
    """Return all that is said on wide bars of the seconds from `start` on."""
    return [
        report
        for n, changed in enumerate(changes, start)
        for report in venue.advance(wide_bar(n, **changed))
    ]


def told(reports):
    """Return reports in short: who, what, and what matters of it."""
    short = []
    for report in reports:
        name = report.client_order_id
        match report:
            case VenueFilled():
                short.append((name, "filled", float(report.quantity), float(report.price)))
            case VenueCanceled() | VenueRejected():
                kind = "canceled" if isinstance(report, VenueCanceled) else "rejected"
                short.append((name, kind, report.reason))
            case VenueExpired():
                short.append((name, "expired"))
            case VenueMoved():
                stop = report.stop_price
                short.append((name, "moved", None if stop is None else float(stop), report.live))
            case _:
                short.append((name, type(report).__name__))
    return short


def fills(reports):
    return [
        (report.client_order_id, float(report.quantity), float(report.price))
        for report in reports
        if isinstance(report, VenueFilled)
    ]


def left(venue):
    """Return the book as exec would remember it, from the book and what was reported of it."""
    return [
        WorkingOrder(
            client_order_id=one.client_order_id,
            intent_id="",
            instrument_id=one.instrument_id,
            side=one.side,
            quantity=one.quantity,
            filled=one.filled,
            limit_price=one.limit_price,
            time_in_force=one.time_in_force,
            ts_event=one.ts_event,
            order_type=one.order_type,
            reduce_only=one.reduce_only,
            post_only=one.post_only,
            parent=one.parent,
            stop_price=one.stop_price,
            trail_offset=one.trail_offset,
            live=one.live,
        )
        for book in venue._orders.values()
        for one in book.values()
    ]
