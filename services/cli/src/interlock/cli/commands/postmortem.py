"""`interlock postmortem`: what was written about a trading day."""

from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, PostgresOption, StateOption

if TYPE_CHECKING:
    from interlock.ledger.day_rows import PostMortemRow


def postmortem(
    desk: Annotated[
        str | None, typer.Option(help="The desk's name; not needed where there is one only.")
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="Such as 2008-10-10; without it, the last one.")
    ] = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the post-mortem of a trading day: root cause, recommendations, figures."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import parse_day
    from interlock.ledger import day_queries

    number = None if day is None else parse_day(day)
    found = ask_ledger(state, postgres, lambda store: day_queries.post_mortems(store, desk, number))
    if as_json:
        print_json(found)
        return
    if not found:
        typer.echo("nothing was written about that day" if day else "no post-mortem yet")
    for one in found:
        for line in post_mortem_lines(one):
            typer.echo(line)


def post_mortem_lines(row: "PostMortemRow") -> list[str]:
    from interlock.cli.moments import show_day

    head = f"desk {row.desk}, {show_day(row.day)}, by {row.provider}/{row.model} ({row.source})"
    figures = "  ".join(f"{name} {value:g}" for name, value in row.figures.items())
    return [head, row.root_cause, *(f"- {text}" for text in row.recommendations), figures]
