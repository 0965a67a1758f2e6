"""`interlock orders`: the latest orders and what became of them."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, PostgresOption, StateOption

DEFAULT_LIMIT = 20
HIGHEST_LIMIT = 10_000
HEAD = ("time", "status", "order", "filled", "entry", "exit", "why", "decision")


def orders(
    desk: Annotated[str | None, typer.Option(help="The desk's name; without it, all.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=HIGHEST_LIMIT, help="How many, newest first.")
    ] = DEFAULT_LIMIT,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the latest orders, the denied ones too."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.ledger import queries

    found = ask_ledger(state, postgres, lambda store: queries.orders(store, desk, limit))
    if as_json:
        print_json(found)
    elif found:
        print_table(HEAD, [order_cells(row) for row in found])
    else:
        typer.echo("no orders yet")


def order_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return one order as the cells of `HEAD`; what an order lacks is a dash."""
    from interlock.cli.moments import show_moment

    asked = (row["side"], row["requested_quantity"], row["instrument_id"], row["order_type"])
    return (
        show_moment(row["ts_event"]),
        _cell(row["status"]),
        " ".join(map(_cell, asked)),
        _cell(row["filled_quantity"]),
        _cell(row["entry_price"]),
        _cell(row["exit_price"]),
        row["detail"] or " ".join(row["reasons"] or ()) or "-",
        row["decision_id"],
    )


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
