"""`interlock export`: proposals and what was applied, as Parquet files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import (
    DEFAULT_STATE,
    JsonOption,
    PostgresOption,
    SinceOption,
    StateOption,
)

if TYPE_CHECKING:
    from interlock.runtime.stores.postgres import Postgres
    from interlock.wire.policy import ProposalJudged


def export(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.", file_okay=False)],
    *,
    since: SinceOption = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write DESK/DAY/PARAMETER.proposals.parquet and .applied.parquet."""
    from interlock.cli.desks import load_desk
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import parse_length
    from interlock.ledger.export import export_proposals

    file = load_desk(desk)
    length_ns = None if since is None else parse_length(since)
    name = file.desk.name
    rows = ask_ledger(state, postgres, lambda store: _rows(store, name, length_ns))
    if not rows:
        raise CliError(
            f"{state} holds no proposals of desk {name}{f' in {since}' if since else ''}"
        )
    try:
        written = export_proposals(rows, out, file.desk.day_starts_at_utc_hour)
    except OSError as error:
        raise CliError(f"{out} cannot be written ({error.strerror}): give another --out") from error
    if as_json:
        print_json({"desk": name, "proposals": len(rows), "files": [str(path) for path in written]})
    else:
        typer.echo(f"{len(rows)} proposals in {len(written)} files under {out}")


async def _rows(store: "Postgres", desk: str, length_ns: int | None) -> "list[ProposalJudged]":
    from interlock.ledger import queries

    begin = None if length_ns is None else await queries.begin_of_last(store, desk, length_ns)
    return await queries.audit_rows(store, desk, begin, lead_in_ns=1)
