"""Orders, fills and denials."""

from interlock.console.views.base import Money, Nanos, View


class OrderView(View, frozen=True, kw_only=True):
    """One intent and what became of it. `quantity` is the size after the gate.

    `parent` is the entry, by its client order id, that a protective order is for; `reduce_only`
    is none where that is not on record.
    """

    intent_id: str
    decision_id: str
    ts_event: Nanos
    desk: str | None
    account: str | None
    venue: str | None
    mode: str | None
    client_order_id: str | None
    strategy: str | None
    instrument_id: str | None
    side: str | None
    order_type: str | None
    status: str | None
    limit_price: Money | None
    reference_price: Money | None
    requested_quantity: Money | None
    quantity: Money | None
    filled_quantity: Money | None
    entry_price: Money | None
    exit_price: Money | None
    reasons: list[str]
    policy_version: int | None
    detail: str | None
    parent: str | None
    reduce_only: bool | None


class OrdersPage(View, frozen=True, kw_only=True):
    """`next` asks for the older ones; none at the end."""

    items: list[OrderView]
    next: str | None


class FillView(View, frozen=True, kw_only=True):
    message_id: str
    decision_id: str
    intent_id: str
    ts_event: Nanos
    instrument_id: str
    side: str
    quantity: Money
    price: Money
    fee: Money
    trade_id: str


class DenialView(View, frozen=True, kw_only=True):
    """One failed control of a denied intent."""

    decision_id: str
    intent_id: str
    ts_event: Nanos
    instrument_id: str
    strategy: str
    side: str
    requested_quantity: str
    code: str
    observed: str
    limit: str
    policy_version: int


class MarksView(View, frozen=True, kw_only=True):
    """What a price chart marks, newest first, 500 of each at most."""

    intents: list[OrderView]
    denials: list[DenialView]
    fills: list[FillView]
