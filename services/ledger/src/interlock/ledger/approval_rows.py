"""Entries that wait for people, as rows of the ledger; the view ``approvals`` joins them."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from interlock.ledger.row_base import Row, copied, ids_of
from interlock.wire.approvals import (
    ApprovalCounted,
    ApprovalDecided,
    ApprovalLapsed,
    ApprovalRequested,
)
from interlock.wire.base import Message


class ApprovalRequestRow(Row, frozen=True, kw_only=True):
    """What was asked of people."""

    desk: str
    request_id: str
    intent_id: str
    account: str
    strategy: str
    instrument_id: str
    side: str
    order_type: str
    quantity: Decimal
    limit_price: Decimal | None
    reference_price: Decimal
    notional: Decimal
    held: Decimal
    reasons: list[str]
    conviction: str
    dissent: str
    max_move_bps: float
    expires_at: int
    needed: int


class ApprovalEventRow(Row, frozen=True, kw_only=True):
    """One thing that happened to a request.

    `kind` is ``counted`` (a person's word; `by` is who has approved so far), ``decided`` or
    ``lapsed``.
    """

    desk: str
    request_id: str
    kind: str
    code: str
    by: list[str]
    reason: str


def _request(m: ApprovalRequested) -> Iterable[Row]:
    intent = m.intent
    yield copied(
        ApprovalRequestRow,
        m,
        intent_id=intent.intent_id,
        account=intent.account,
        strategy=intent.strategy,
        instrument_id=intent.instrument_id,
        side=intent.side,
        order_type=intent.order_type,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        reference_price=intent.reference_price,
        reasons=intent.reasons,
    )


def _counted(m: ApprovalCounted) -> Iterable[Row]:
    yield _event(m, "counted", m.standing, m.given, "")


def _decided(m: ApprovalDecided) -> Iterable[Row]:
    yield _event(m, "decided", m.code, m.by, m.reason)


def _lapsed(m: ApprovalLapsed) -> Iterable[Row]:
    yield _event(m, "lapsed", m.code, [], m.reason)


def _event(
    m: ApprovalCounted | ApprovalDecided | ApprovalLapsed,
    kind: str,
    code: str,
    by: list[str],
    reason: str,
) -> ApprovalEventRow:
    return ApprovalEventRow(
        **ids_of(m),
        desk=m.desk,
        request_id=m.request_id,
        kind=kind,
        code=code,
        by=by,
        reason=reason,
    )


APPROVAL_TABLES: Mapping[type[Any], tuple[str, tuple[str, ...]]] = {
    ApprovalRequestRow: ("approval_requests", ("request_id",)),
    ApprovalEventRow: ("approval_events", ("message_id",)),
}
APPROVAL_MAKERS: Mapping[type[Message], Callable[[Any], Iterable[Row]]] = {
    ApprovalRequested: _request,
    ApprovalCounted: _counted,
    ApprovalDecided: _decided,
    ApprovalLapsed: _lapsed,
}
