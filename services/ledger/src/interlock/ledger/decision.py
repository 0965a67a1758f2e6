"""Everything the tables hold on one decision, and which decision set the policy it was made under.

A decision is one trace: the spans tell how long each step took, the rows what was said.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from interlock.ledger.queries import spans_of
from interlock.ledger.rows import PolicyVersionRow
from interlock.runtime.stores.postgres import Postgres
from interlock.wire.system import SpanRow

# The columns a person asks about; "SELECT *" would bring whole prompts along.
_COLUMNS: Mapping[str, str] = {
    "messages": "ts_event, tag, subject, message_id",
    "model_calls": "outcome, provider, model, tokens_in, tokens_out, cost_usd, latency_ns, detail",
    "proposals": "parameter, old, proposed, applied, verdict, freeze_reasons, policy_version",
    "orders": "intent_id, instrument_id, side, order_type, requested_quantity, quantity,"
    " filled_quantity, entry_price, exit_price, status, reasons, policy_version, detail",
    "denials": 'intent_id, code, observed, "limit", policy_version',
    "fills": "instrument_id, side, last_qty, last_px, fee, trade_id",
    "approvals": "request_id, intent_id, instrument_id, side, quantity, notional, conviction,"
    " dissent, expires_at, needed, state, by, reason, decided_at",
}


class Decision(Struct, frozen=True, kw_only=True):
    """One decision. Rows hold the columns of their tables; `set_by` is the policy in force.

    `set_by` names the decision that brought that policy version about. It is none where the
    decision was made under no version, or under one that the tables do not know.
    """

    decision_id: str
    spans: list[SpanRow]
    messages: list[dict[str, Any]]
    model_calls: list[dict[str, Any]]
    proposals: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    denials: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    set_by: PolicyVersionRow | None
    approvals: list[dict[str, Any]] = []


async def decision_of(store: Postgres, decision_id: str) -> Decision | None:
    """Return one decision, none where neither a message nor a span has this id."""
    spans = await spans_of(store, decision_id)
    rows = {name: await _rows(store, name, decision_id) for name in _COLUMNS}
    if not spans and not rows["messages"]:
        return None
    set_by = await _policy_in_force(store, decision_id)
    return Decision(decision_id=decision_id, spans=spans, set_by=set_by, **rows)


async def _rows(store: Postgres, table: str, decision_id: str) -> list[dict[str, Any]]:
    return await store.rows(
        f"SELECT {_COLUMNS[table]} FROM {table}"  # noqa: S608 - names of ours
        " WHERE decision_id = %s ORDER BY ts_event",
        (decision_id,),
    )


async def _policy_in_force(store: Postgres, decision_id: str) -> PolicyVersionRow | None:
    """Look up the version that the decision's orders, denials or proposals name."""
    columns = ", ".join(f"v.{name}" for name in PolicyVersionRow.__struct_fields__)
    found = await store.rows(
        f"SELECT {columns} FROM policy_versions v JOIN ("  # noqa: S608 - names of ours
        " SELECT desk, policy_version FROM orders WHERE decision_id = %(id)s"
        " UNION SELECT desk, policy_version FROM denials WHERE decision_id = %(id)s"
        " UNION SELECT desk, policy_version FROM proposals WHERE decision_id = %(id)s"
        ") AS used ON v.desk = used.desk AND v.version = used.policy_version"
        " ORDER BY v.version DESC, v.ts_event DESC LIMIT 1",
        {"id": decision_id},
    )
    return msgspec.convert(found[0], PolicyVersionRow) if found else None
