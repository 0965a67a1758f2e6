"""What is asked of the tables about entries that wait. Calls raise `UnavailableError`."""

from typing import Any

from interlock.runtime.stores.postgres import Postgres

PENDING = "pending"


async def approvals(
    store: Postgres, desk: str | None, *, state: str | None = PENDING, limit: int = 100
) -> list[dict[str, Any]]:
    """Return the latest requests in `state`, newest first; in any where that is none."""
    return await store.rows(
        "SELECT * FROM approvals WHERE (%(desk)s::text IS NULL OR desk = %(desk)s)"
        " AND (%(state)s::text IS NULL OR state = %(state)s) ORDER BY n DESC LIMIT %(limit)s",
        {"desk": desk, "state": state, "limit": limit},
    )


async def request(store: Postgres, request_id: str) -> dict[str, Any] | None:
    """Return one request as it stands, none where nobody made it."""
    found = await store.rows("SELECT * FROM approvals WHERE request_id = %s", (request_id,))
    return found[0] if found else None
