"""What the command line asks the tables about days. Every call raises `UnavailableError`."""

from typing import Any

import msgspec

from interlock.ledger.day_rows import DayRow, PostMortemRow
from interlock.ledger.summary import PostMortem
from interlock.runtime.stores.postgres import Postgres


async def days(store: Postgres, desk: str, since_ns: int | None = None) -> list[DayRow]:
    """Return the days of a desk that are over, in order, since a moment of the data's clock.

    A day that was told twice, by two replays, counts as it was told last.
    """
    columns = ", ".join(f'"{name}"' for name in DayRow.__struct_fields__)
    found = await store.rows(
        f"SELECT DISTINCT ON (day) {columns} FROM days"  # noqa: S608 - names of ours
        " WHERE desk = %(desk)s AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)"
        " ORDER BY day, n DESC",
        {"desk": desk, "since": since_ns},
    )
    return [msgspec.convert(row, DayRow) for row in found]


async def post_mortems(
    store: Postgres, desk: str | None, day: int | None = None
) -> list[PostMortemRow]:
    """Return what was written about a day, or about the last one that anything was written about.

    The cloud model may have added its part to the local one's.
    """
    columns = ", ".join(PostMortemRow.__struct_fields__)
    found = await store.rows(
        f"SELECT {columns} FROM post_mortems"  # noqa: S608 - names of ours
        " WHERE (%(desk)s::text IS NULL OR desk = %(desk)s) AND day = COALESCE(%(day)s::bigint,"
        "  (SELECT day FROM post_mortems WHERE %(desk)s::text IS NULL OR desk = %(desk)s"
        "   ORDER BY n DESC LIMIT 1))"
        " ORDER BY n",
        {"desk": desk, "day": day},
    )
    return [msgspec.convert(row, PostMortemRow) for row in found]


async def last_post_mortem(store: Postgres, desk: str) -> PostMortem | None:
    """Return what was written last, none where nobody writes any."""
    columns = ", ".join(PostMortem.__struct_fields__)
    found: list[dict[str, Any]] = await store.rows(
        f"SELECT {columns} FROM post_mortems"  # noqa: S608 - names of ours
        " WHERE desk = %s ORDER BY n DESC LIMIT 1",
        (desk,),
    )
    return msgspec.convert(found[0], PostMortem) if found else None
