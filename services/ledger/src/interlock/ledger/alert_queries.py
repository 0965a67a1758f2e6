"""What is asked of the tables about alerts. Calls raise `UnavailableError`."""

from collections.abc import Sequence
from typing import Any

from interlock.runtime.stores.postgres import Postgres


async def alerts(
    store: Postgres, desk: str | None, severities: Sequence[str], limit: int = 100
) -> list[dict[str, Any]]:
    """Return the latest alerts of these severities, newest first."""
    return await store.rows(
        "SELECT message_id, decision_id, ts_event, desk, service, severity, code, text, dedupe_key"
        " FROM alerts WHERE (%(desk)s::text IS NULL OR desk = %(desk)s)"
        " AND severity = ANY(%(severities)s)"
        " ORDER BY ts_event DESC, message_id DESC LIMIT %(limit)s",
        {"desk": desk, "severities": list(severities), "limit": limit},
    )
