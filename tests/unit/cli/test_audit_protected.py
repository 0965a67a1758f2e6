"""Protective orders in the audit: what was signed with their entry, and nothing more."""

from decimal import Decimal

import pytest
from interlock.cli.audit.finding import FindingError
from interlock.cli.audit.orders import Orders
from interlock.model.values import OrderType, Side, TimeInForce
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.testkit.decisions import approved
from interlock.testkit.desk_messages import ids
from interlock.wire.orders import OrderFilled, OrderSubmitted, Protection
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

SIGNER = throwaway_signer()
SIGNED = Protection(stop=Decimal(5), trail=Decimal(3), profit=Decimal(8))
CHILD = "il-" + "c" * 32


def entry(**more):
    fields = {"key_id": SIGNER.key_id, "quantity": Decimal(10), "protection": SIGNED} | more
    order = approved(1, **fields)
    return replace(order, signature=SIGNER.sign(canonical_bytes(order)))


def sent(order, **more):
    fields = {
        name: getattr(order, name)
        for name in OrderSubmitted.__struct_fields__
        if hasattr(order, name)
    }
    return OrderSubmitted(**(fields | more))


def child(order, **more):
    stop = {
        **ids(CHILD),
        "decision_id": order.decision_id,
        "client_order_id": CHILD,
        "intent_id": CHILD,
        "parent": order.client_order_id,
        "side": Side.SELL,
        "order_type": OrderType.STOP,
        "quantity": Decimal(4),
        "requested_quantity": Decimal(4),
        "limit_price": None,
        "stop_price": Decimal(95),
        "time_in_force": TimeInForce.GTC,
        "reduce_only": True,
        "protection": None,
    }
    return sent(order, **(stop | more))


def filled(order, quantity=4, price=100):
    return OrderFilled(
        **ids("fill", quantity, price),
        ts_event=1,
        account=order.account,
        venue=order.venue,
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        venue_order_id="v1",
        trade_id=f"t{price}",
        side=order.side,
        last_qty=Decimal(quantity),
        last_px=Decimal(price),
        cum_qty=Decimal(quantity),
        avg_px=Decimal(price),
        leaves_qty=order.quantity - Decimal(quantity),
        fee=Decimal(0),
    )


def audited(*rows):
    """Return what the audit finds, by its code; empty where all is well."""
    orders = Orders({SIGNER.key_id: Verifier(SIGNER.public_key)}, {})
    try:
        for seq, row in enumerate(rows, 1):
            orders.take(seq, row)
        orders.end()
    except FindingError as error:
        return error.code
    return ""


FINE = [
    {},
    {"stop_price": Decimal(96)},
    {"order_type": OrderType.TRAILING_STOP, "stop_price": None, "trail_offset": Decimal(3)},
    {"order_type": OrderType.LIMIT, "stop_price": None, "limit_price": Decimal(108)},
    {"order_type": OrderType.MARKET, "stop_price": None},
]


@pytest.mark.parametrize("more", FINE)
def test_i2_what_protects_an_entry_as_it_was_signed_needs_no_approval_of_its_own(more):
    order = entry()
    rows = [order, sent(order), filled(order), child(order, **more)]
    assert audited(*rows) == ""
    # The ledger may hear of approvals and fills late.
    assert audited(sent(order), child(order, **more), filled(order), order) == ""


def test_a_stop_moves_with_the_average_of_the_fills():
    order = entry()
    first = [order, sent(order), filled(order)]
    low = child(order, stop_price=Decimal(90), quantity=Decimal(8))
    assert audited(*first, low) == "journal.sent_otherwise"
    assert audited(*first, filled(order, 4, 90), low, filled(order, 1, 98)) == ""


OTHERWISE = [
    {"stop_price": Decimal("94.99")},
    {"stop_price": None},
    {"quantity": Decimal("4.01")},
    {"side": Side.BUY},
    {"reduce_only": False},
    {"account": "another"},
    {"instrument_id": "GOOG"},
    {"epoch": 77},
    {"order_type": OrderType.TRAILING_STOP, "trail_offset": Decimal(4)},
    {"order_type": OrderType.TRAILING_STOP, "trail_offset": None},
    {"order_type": OrderType.LIMIT, "limit_price": Decimal("108.01")},
]


@pytest.mark.parametrize("more", OTHERWISE)
def test_i3_what_was_not_signed_so_is_found(more):
    order = entry()
    rows = [order, sent(order), filled(order), child(order, **more)]
    assert audited(*rows) == "journal.sent_otherwise"


def test_a_short_positions_stop_lies_above_it():
    order = entry(side=Side.SELL)
    rows = [order, sent(order), filled(order)]
    fine, far = (
        child(order, side=Side.BUY, stop_price=Decimal(price)) for price in ("105", "105.01")
    )
    assert audited(*rows, fine) == ""
    assert audited(*rows, far) == "journal.sent_otherwise"


@pytest.mark.parametrize("more", [{"protection": None}, {"reduce_only": True}])
def test_i2_a_protective_order_of_an_entry_without_protection_is_unapproved(more):
    order = entry(**more)
    rows = [order, sent(order), filled(order), child(order)]
    assert audited(*rows) == "journal.unapproved"


def test_i2_a_protective_order_of_no_entry_is_unapproved():
    order = entry()
    assert audited(child(order)) == "journal.unapproved"


def test_i1_a_protective_order_that_is_sent_twice_is_found():
    order = entry()
    rows = [order, sent(order), filled(order), child(order), child(order)]
    assert audited(*rows) == "journal.sent_twice"
