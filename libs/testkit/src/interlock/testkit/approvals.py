"""Entries that wait for people, and what people say to them."""

from decimal import Decimal
from typing import Any

from interlock.model.ids import derive_id
from interlock.testkit.decisions import wanted
from interlock.testkit.desk_messages import SECOND, ids
from interlock.wire.approvals import ApprovalRequested, GiveApproval, RejectApproval

WINDOW_SECONDS = 300


def asked(n: int, **more: Any) -> ApprovalRequested:
    """Return a request for 10 SPY, made `n` seconds in, open for `WINDOW_SECONDS`."""
    request_id = derive_id("request", n)
    fields: dict[str, Any] = {
        **ids("request", n),
        "message_id": request_id,
        "ts_event": n * SECOND,
        "request_id": request_id,
        "intent": wanted(n),
        "conviction": "",
        "dissent": "",
        "notional": Decimal(1_000),
        "held": Decimal(0),
        "max_move_bps": 50.0,
        "expires_at": (n + WINDOW_SECONDS) * SECOND,
        "needed": 1,
    }
    return ApprovalRequested(**(fields | more))


def approve(request: ApprovalRequested, by: str = "ann", n: int = 1) -> GiveApproval:
    """Return the `n`-th word of a person for a request."""
    return GiveApproval(
        **ids("approve", request.request_id, by, n),
        ts_event=0,
        by=by,
        request_id=request.request_id,
        reason=f"{by} says yes",
    )


def reject(request: ApprovalRequested, by: str = "ann", n: int = 1) -> RejectApproval:
    return RejectApproval(
        **ids("reject", request.request_id, by, n),
        ts_event=0,
        by=by,
        request_id=request.request_id,
        reason=f"{by} says no",
    )
