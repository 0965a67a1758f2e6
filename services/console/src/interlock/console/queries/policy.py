"""Versions of the policy."""

from collections.abc import Mapping

import msgspec

from interlock.console.pages import cursor_after, place_of
from interlock.console.problems import unknown, unusable
from interlock.console.queries.judgement import escalations_of
from interlock.console.tables import Tables
from interlock.console.views.decisions import SetByView
from interlock.console.views.policy import (
    ChangeView,
    PolicyDiffView,
    PolicyHistoryPage,
    PolicyVersionView,
)
from interlock.runtime.stores.postgres import Row

_COLUMNS = (
    "version, ts_event, parameters, changes, author, reason, decision_id, proposal_id, config_hash"
)
_HIGHEST = 2**63 - 1
_OF_A_DECISION = 50


def _version(row: Row) -> PolicyVersionView:
    return PolicyVersionView(
        version=row["version"],
        ts_event=str(row["ts_event"]),
        parameters=row["parameters"],
        changes=msgspec.convert(row["changes"], list[ChangeView]),
        author=row["author"],
        reason=row["reason"],
        decision_id=row["decision_id"],
        proposal_id=row["proposal_id"],
        config_hash=row["config_hash"],
    )


async def version(tables: Tables, desk: str, number: int | None) -> PolicyVersionView | None:
    """Return one version, the newest where no number is given; none where there is none."""
    row = await tables.row(
        f"SELECT {_COLUMNS} FROM policy_versions"  # noqa: S608 - names of ours
        " WHERE desk = %(desk)s AND (%(number)s::bigint IS NULL OR version = %(number)s)"
        " ORDER BY version DESC, ts_event DESC LIMIT 1",
        {"desk": desk, "number": _number(number)},
    )
    return None if row is None else _version(row)


def _number(number: int | None) -> int | None:
    if number is not None and not 0 <= number <= _HIGHEST:
        raise unusable(f"{str(number)[:30]} is no version's number")
    return number


async def history(tables: Tables, desk: str, cursor: str | None, limit: int) -> PolicyHistoryPage:
    """Return a page of versions, newest first. Versions are numbered, so they are their place."""
    number, _ = place_of(cursor)
    found = await tables.rows(
        f"SELECT {_COLUMNS} FROM policy_versions"  # noqa: S608 - names of ours
        " WHERE desk = %(desk)s AND version < %(number)s"
        " ORDER BY version DESC, ts_event DESC LIMIT %(limit)s",
        {"desk": desk, "number": number, "limit": limit + 1},
    )
    more = len(found) > limit
    return PolicyHistoryPage(
        items=[_version(row) for row in found[:limit]],
        next=cursor_after(found[limit - 1]["version"], "") if more else None,
    )


async def diff(tables: Tables, desk: str, before: int, after: int) -> PolicyDiffView:
    """Return two versions and what differs between them.

    Raises
    ------
    ProblemError
        When there is no such version.
    """
    found = [await version(tables, desk, number) for number in (before, after)]
    old, new = found
    if old is None or new is None:
        missing = before if old is None else after
        raise unknown(f"desk {desk} has no policy version {missing}")
    return PolicyDiffView(
        before=old, after=new, changes=changes_between(old.parameters, new.parameters)
    )


def changes_between(old: Mapping[str, float], new: Mapping[str, float]) -> list[ChangeView]:
    """Return what differs, by name; none stands for what is not there."""
    names = sorted(old.keys() | new.keys())
    return [
        ChangeView(name=name, old=old.get(name), new=new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    ]


async def changes_of(tables: Tables, decision_id: str) -> list[PolicyVersionView]:
    """Return the versions that one decision brought about, oldest first."""
    found = await tables.rows(
        f"SELECT {_COLUMNS} FROM policy_versions"  # noqa: S608 - names of ours
        " WHERE decision_id = %(id)s ORDER BY version LIMIT %(limit)s",
        {"id": decision_id, "limit": _OF_A_DECISION},
    )
    return [_version(row) for row in found]


async def set_by(tables: Tables, desk: str, number: int) -> SetByView | None:
    """Return who brought a version about, and the triggers whose answer it was."""
    found = await version(tables, desk, number)
    if found is None:
        return None
    fired = await escalations_of(tables, found.decision_id)
    return SetByView(
        escalations=[one.trigger for one in fired if one.granted],
        version=found.version,
        decision_id=found.decision_id,
        author=found.author,
        reason=found.reason,
    )
