"""Messages as rows of the ledger's tables.

A row type's fields are its table's columns. Every row names the message it was made from, and a
table takes one message once: making rows twice changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from interlock.ledger.approval_rows import APPROVAL_MAKERS, APPROVAL_TABLES
from interlock.ledger.day_rows import DayRow
from interlock.ledger.judgement_rows import JUDGEMENT_MAKERS, JUDGEMENT_TABLES
from interlock.ledger.row_base import Row, copied, ids_of
from interlock.model.order import OrderStatus
from interlock.model.values import ZERO, TradingMode
from interlock.wire.accounts import (
    AccountUpdated,
    DaySummarised,
    PositionChanged,
    PositionLine,
)
from interlock.wire.base import Message, tag_of
from interlock.wire.market import FeedStatusChanged, ReplayFinished, ReplayStarted
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
)
from interlock.wire.policy import (
    ParameterChange,
    PolicyChanged,
    ProposalJudged,
    TradingStateChanged,
)
from interlock.wire.system import AlertRaised, SafetyTripped, SpanRow


class MessageRow(Row, frozen=True, kw_only=True):
    stream: str
    subject: str
    tag: str


class OrderChange(Row, frozen=True, kw_only=True):
    """What one message says about one order; none where it says nothing."""

    intent_id: str
    status: OrderStatus | None = None
    mode: TradingMode | None = None
    desk: str | None = None
    account: str | None = None
    venue: str | None = None
    client_order_id: str | None = None
    strategy: str | None = None
    instrument_id: str | None = None
    side: str | None = None
    order_type: str | None = None
    limit_price: Decimal | None = None
    reference_price: Decimal | None = None
    requested_quantity: Decimal | None = None
    quantity: Decimal | None = None
    filled_quantity: Decimal | None = None
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None
    reasons: list[str] | None = None
    policy_version: int | None = None
    config_hash: str | None = None
    detail: str | None = None
    parent: str | None = None
    conviction: float | None = None
    reduce_only: bool | None = None


class FillRow(Row, frozen=True, kw_only=True):
    desk: str
    account: str
    venue: str
    instrument_id: str
    intent_id: str
    client_order_id: str
    venue_order_id: str
    trade_id: str
    side: str
    last_qty: Decimal
    last_px: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    avg_px: Decimal
    fee: Decimal


class PositionRow(Row, frozen=True, kw_only=True):
    desk: str
    account: str
    instrument_id: str
    trade_id: str
    quantity: Decimal
    avg_px: Decimal
    realised_pnl: Decimal


class AccountRow(Row, frozen=True, kw_only=True):
    desk: str
    account: str
    currency: str
    equity: Decimal
    cash: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal
    day_pnl: Decimal
    window_pnl: Decimal
    equity_at_day_start: Decimal
    positions: list[PositionLine]
    ts_desk: int
    day: int
    week_pnl: Decimal
    equity_at_week_start: Decimal
    drawdown_5d_pct: float
    losses_in_row: int


class ProposalRow(Row, frozen=True, kw_only=True):
    """The audit row: the fields of `ProposalJudged`."""

    desk: str
    proposal_id: str
    provider: str
    parameter: str
    old: float
    proposed: float
    applied: float
    delta: float
    verdict: str
    phase: str
    seen_in_window: int
    accepted_in_window: int
    window_ns: int
    freeze_reasons: list[str]
    policy_version: int
    ts_desk: int


class PolicyVersionRow(Row, frozen=True, kw_only=True):
    desk: str
    version: int
    parameters: dict[str, float]
    changes: list[ParameterChange]
    author: str
    reason: str
    proposal_id: str | None
    config_hash: str


class StandingRow(Row, frozen=True, kw_only=True):
    """What may be traded from then on, and who said so."""

    desk: str
    state: str
    epoch: int
    author: str
    reason: str
    stage: str
    demo_only: bool
    quarantined_until: int
    kill_days: list[int]
    disabled: list[str]


class TripRow(Row, frozen=True, kw_only=True):
    desk: str
    service: str
    code: str
    level: str
    observed: str
    limit: str
    about: str


class DenialRow(Row, frozen=True, kw_only=True):
    """One failed control; `place` is its number in the denial, from 0."""

    place: int
    desk: str
    account: str
    intent_id: str
    instrument_id: str
    strategy: str
    side: str
    requested_quantity: str
    code: str
    observed: str
    limit: str
    policy_version: int
    epoch: int


class AlertRow(Row, frozen=True, kw_only=True):
    desk: str
    service: str
    severity: str
    code: str
    text: str
    dedupe_key: str


class FeedStatusRow(Row, frozen=True, kw_only=True):
    desk: str
    instrument_id: str
    condition: str
    detail: str
    dropped: bool
    observed: float | None
    limit: float | None


class ReplayRow(Row, frozen=True, kw_only=True):
    """A replay's begin or end; the counts are none at its begin."""

    desk: str
    dataset: str
    finished: bool
    bars: int
    bars_published: int | None = None
    bars_dropped: int | None = None
    ticks: int | None = None


type AnyRow = Row | SpanRow

TABLES: Mapping[type[AnyRow], tuple[str, tuple[str, ...]]] = {
    MessageRow: ("messages", ("message_id",)),
    FillRow: ("fills", ("message_id",)),
    PositionRow: ("positions", ("message_id",)),
    AccountRow: ("accounts", ("message_id",)),
    ProposalRow: ("proposals", ("message_id",)),
    PolicyVersionRow: ("policy_versions", ("message_id",)),
    StandingRow: ("standings", ("message_id",)),
    TripRow: ("trips", ("message_id",)),
    DenialRow: ("denials", ("message_id", "place")),
    AlertRow: ("alerts", ("message_id",)),
    FeedStatusRow: ("feed_status", ("message_id",)),
    ReplayRow: ("replays", ("message_id",)),
    SpanRow: ("spans", ("trace_id", "span_id")),
    DayRow: ("days", ("message_id",)),
    **JUDGEMENT_TABLES,
    **APPROVAL_TABLES,
    OrderChange: ("order_changes", ("message_id",)),
}
"""The table of each row type, and the columns that make one of its rows unique."""

KEPT_FROM_FIRST = ("message_id", "decision_id", "ts_event")
"""Columns of an order that its first message decides; the others follow the latest that says."""


class Stamp(Struct, frozen=True, kw_only=True):
    """What the ledger knows of its desk and a denied order cannot say."""

    mode: TradingMode
    config_hash: str


def rows_of(message: Message, stream: str, subject: str, stamp: Stamp) -> list[AnyRow]:
    """Return every table row that `message` gives rise to."""
    first = MessageRow(**ids_of(message), stream=stream, subject=subject, tag=tag_of(type(message)))
    rows: list[AnyRow] = [first]
    if isinstance(message, OrderIntent):
        rows.append(_intended(message, stamp))
    elif isinstance(message, OrderEvent):
        rows.append(_order_event(message))
    make = _MAKERS.get(type(message))
    if make is not None:
        rows.extend(make(message))
    return rows


def _intended(m: OrderIntent, stamp: Stamp) -> OrderChange:
    return OrderChange(
        **ids_of(m),
        intent_id=m.intent_id,
        status=OrderStatus.INITIALIZED,
        mode=stamp.mode,
        desk=m.desk,
        account=m.account,
        venue=m.venue,
        strategy=m.strategy,
        instrument_id=m.instrument_id,
        side=m.side,
        order_type=m.order_type,
        limit_price=m.limit_price,
        reference_price=m.reference_price,
        requested_quantity=m.quantity if m.quantity.is_finite() else None,
        reasons=m.reasons,
        policy_version=m.policy_version,
        config_hash=stamp.config_hash,
        conviction=_conviction(m.p_win),
        reduce_only=m.reduce_only,
    )


def _conviction(p_win: float | None) -> float | None:
    """Return a claimed probability from 0 to 100; a claim that is none of these stays out."""
    return round(100 * p_win, 4) if p_win is not None and 0 <= p_win <= 1 else None


_STATUS: Mapping[type[OrderEvent], OrderStatus] = {
    OrderSubmitted: OrderStatus.SUBMITTED,
    OrderRefused: OrderStatus.DENIED,
    OrderAccepted: OrderStatus.ACCEPTED,
    OrderRejected: OrderStatus.REJECTED,
    OrderCanceled: OrderStatus.CANCELED,
    OrderExpired: OrderStatus.EXPIRED,
    OrderUnknown: OrderStatus.UNKNOWN,
}


def _order_event(m: OrderEvent) -> OrderChange:
    said: dict[str, Any] = {"status": _STATUS.get(type(m))}
    match m:
        case OrderSubmitted():
            said |= {
                name: getattr(m, name)
                for name in (
                    *("mode", "strategy", "side", "order_type", "limit_price", "quantity"),
                    *("reference_price", "requested_quantity", "reasons", "policy_version"),
                    "config_hash",
                )
            }
            said["parent"] = m.parent or None
        case OrderFilled():
            whole = m.leaves_qty == ZERO
            said["status"] = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
            said["filled_quantity"] = m.cum_qty
        case OrderRefused():
            said["detail"] = f"{m.code}: {m.detail}"
        case OrderRejected() | OrderCanceled() | OrderUnknown():
            said["detail"] = m.reason
        case _:
            pass
    return OrderChange(
        **ids_of(m),
        intent_id=m.intent_id,
        client_order_id=m.client_order_id,
        desk=m.desk,
        account=m.account,
        venue=m.venue,
        instrument_id=m.instrument_id,
        **said,
    )


def _denied(m: OrderDenied) -> Iterable[AnyRow]:
    yield OrderChange(
        **ids_of(m),
        intent_id=m.intent_id,
        status=OrderStatus.DENIED,
        desk=m.desk,
        account=m.account,
        strategy=m.strategy,
        instrument_id=m.instrument_id,
        side=m.side,
        requested_quantity=_number(m.requested_quantity),
        quantity=ZERO,
        policy_version=m.policy_version,
        detail=", ".join(failure.code for failure in m.failures),
    )
    for place, failure in enumerate(m.failures):
        yield copied(
            DenialRow,
            m,
            place=place,
            code=failure.code,
            observed=failure.observed,
            limit=failure.limit,
        )


def _number(text: str) -> Decimal | None:
    """Read a quantity that may be nonsense: a denial quotes what it was asked for."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _moved(m: PositionChanged) -> Iterable[AnyRow]:
    yield copied(PositionRow, m)
    if m.intent_id is not None:
        yield OrderChange(
            **ids_of(m), intent_id=m.intent_id, entry_price=m.entry_px, exit_price=m.exit_px
        )


def _began(m: ReplayStarted) -> Iterable[AnyRow]:
    yield ReplayRow(**ids_of(m), desk=m.desk, dataset=m.dataset, finished=False, bars=m.bars)


def _ended(m: ReplayFinished) -> Iterable[AnyRow]:
    yield ReplayRow(
        **ids_of(m),
        desk=m.desk,
        dataset=m.dataset,
        finished=True,
        bars=m.bars.read,
        bars_published=m.bars.published,
        bars_dropped=m.bars.dropped,
        ticks=m.ticks,
    )


def _one(kind: type[Row]) -> Callable[[Any], Iterable[AnyRow]]:
    return lambda message: (copied(kind, message),)


_MAKERS: Mapping[type[Message], Callable[[Any], Iterable[AnyRow]]] = {
    OrderDenied: _denied,
    OrderFilled: _one(FillRow),
    PositionChanged: _moved,
    AccountUpdated: _one(AccountRow),
    ProposalJudged: _one(ProposalRow),
    DaySummarised: _one(DayRow),
    PolicyChanged: _one(PolicyVersionRow),
    TradingStateChanged: _one(StandingRow),
    SafetyTripped: _one(TripRow),
    AlertRaised: _one(AlertRow),
    FeedStatusChanged: _one(FeedStatusRow),
    **JUDGEMENT_MAKERS,
    **APPROVAL_MAKERS,
    ReplayStarted: _began,
    ReplayFinished: _ended,
}


def merged(order: OrderChange | None, change: OrderChange) -> OrderChange:
    """Return the order's row after `change`. The entry price stands once there is an exit."""
    if order is None:
        return change
    fields: dict[str, Any] = {}
    for name in OrderChange.__struct_fields__:
        old, new = getattr(order, name), getattr(change, name)
        keep = name in KEPT_FROM_FIRST or new is None
        keep = keep or (name == "entry_price" and order.exit_price is not None)
        fields[name] = old if keep else new
    return OrderChange(**fields)


def by_kind(rows: Sequence[AnyRow]) -> dict[type[AnyRow], list[AnyRow]]:
    """Return the rows grouped by table, each group in order."""
    groups: dict[type[AnyRow], list[AnyRow]] = {}
    for row in rows:
        groups.setdefault(type(row), []).append(row)
    return groups
