"""`interlock approvals`: the entries that wait for people, and what people say to them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlock.cli.commands.standing import ByOption
from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, PostgresOption, StateOption

if TYPE_CHECKING:
    from interlock.cli.steering import Word

DEFAULT_LIMIT = 20
HIGHEST_LIMIT = 10_000
HEAD = ("asked", "until", "entry", "worth", "conviction", "state", "by", "request")

app = typer.Typer(help="Entries that wait for people: look at them, approve, reject.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The request's id, from `list`.")]


@app.command("list")
def list_requests(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that ended, too, not only those that wait.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=HIGHEST_LIMIT, help="How many, newest first.")
    ] = DEFAULT_LIMIT,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the entries that wait for people."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.ledger.approval_queries import PENDING, approvals

    wanted = None if everything else PENDING
    found = ask_ledger(
        state, postgres, lambda store: approvals(store, None, state=wanted, limit=limit)
    )
    if as_json:
        print_json(found)
    elif found:
        print_table(HEAD, [request_cells(row) for row in found])
    else:
        typer.echo("nothing has waited for people yet" if everything else "nothing waits")


def request_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return one request as the cells of `HEAD`; what it lacks is a dash."""
    from interlock.cli.moments import show_moment

    given = ", ".join(row["by"]) or "-"
    if row["needed"] > 1:
        given += f" ({row['needed']} needed)"
    return (
        show_moment(row["ts_event"]),
        show_moment(row["expires_at"]),
        f"{row['side']} {row['quantity']} {row['instrument_id']} at {row['reference_price']}",
        f"{row['notional']:.2f}",
        row["conviction"] or " ".join(row["reasons"]) or "-",
        row["state"],
        given,
        row["request_id"],
    )


@app.command()
def approve(
    request_id: IdArgument,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="Why; everyone who asks later reads it.")] = "",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Approve an entry; where two people are needed, as one of them."""
    from interlock.wire.approvals import GiveApproval

    _say(GiveApproval, request_id, state, by, reason, as_json=as_json)


@app.command()
def reject(
    request_id: IdArgument,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="Why; everyone who asks later reads it.")],
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Reject an entry, for ever."""
    from interlock.wire.approvals import RejectApproval

    if not reason.strip():
        raise CliError("--reason is empty: say why")
    _say(RejectApproval, request_id, state, by, reason, as_json=as_json)


def _say(
    kind: "type[Word]",
    request_id: str,
    state: StateOption,
    by: str,
    reason: str,
    *,
    as_json: bool,
) -> None:
    import asyncio

    from interlock.cli.state_folder import StateFolder
    from interlock.cli.steering import command, say

    if not by.strip():
        raise CliError("--by is empty: say who you are")
    fields = {"request_id": request_id.strip()}
    answer = asyncio.run(
        say(
            StateFolder(state.resolve()),
            lambda desk, now: command(kind, desk, by.strip(), reason.strip(), now, fields),
        )
    )
    if as_json:
        print_json(
            {
                "request_id": answer.request_id,
                "state": answer.standing,
                "by": answer.given,
                "needed": answer.needed,
            }
        )
        return
    told = f"request {answer.request_id} is {answer.standing}"
    if answer.standing == "pending":
        told += f", {len(answer.given)} of {answer.needed} have approved"
    typer.echo(f"{told}: {', '.join(answer.given)}")
