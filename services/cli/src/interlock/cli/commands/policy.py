"""`interlock policy`: the rules in force, and how they came to be."""

from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.commands.standing import roll_back
from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, PostgresOption, StateOption

if TYPE_CHECKING:
    from interlock.ledger.rows import PolicyVersionRow
    from interlock.runtime.stores.postgres import Postgres
    from interlock.wire.policy import ParameterChange

app = typer.Typer(help="Look at a desk's policy and its versions, and go back to one.")
app.command("rollback")(roll_back)

DeskOption = Annotated[
    str | None, typer.Option(help="The desk's name; not needed where the folder knows one only.")
]


@app.command()
def show(
    desk: DeskOption = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the version in force."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import show_moment

    last = ask_ledger(state, postgres, lambda store: _versions(store, desk))[-1]
    if as_json:
        print_json(last)
        return
    typer.echo(
        f"desk {last.desk}, policy version {last.version} since {show_moment(last.ts_event)}, "
        f"by {last.author}: {last.reason}"
    )
    rows = [(name, f"{value:g}") for name, value in sorted(last.parameters.items())]
    print_table(("parameter", "value"), rows)


@app.command()
def history(
    desk: DeskOption = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every version, what it changed, who asked for it and in which decision."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import show_moment

    versions = ask_ledger(state, postgres, lambda store: _versions(store, desk))
    if as_json:
        print_json(versions)
        return
    rows = [
        (
            str(one.version),
            show_moment(one.ts_event),
            ", ".join(map(_change, one.changes)),
            one.author,
            one.decision_id,
        )
        for one in versions
    ]
    print_table(("version", "since", "changed", "by", "decision"), rows)


@app.command()
def diff(
    first: Annotated[int, typer.Argument(metavar="A", help="A version.")],
    second: Annotated[int, typer.Argument(metavar="B", help="Another version.")],
    *,
    desk: DeskOption = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is different in version B as against version A."""
    from interlock.cli.ledger_access import ask_ledger

    versions = ask_ledger(state, postgres, lambda store: _versions(store, desk))
    changes = parameter_diff(_one(versions, first), _one(versions, second))
    if as_json:
        print_json(changes)
        return
    for name, old, new in changes:
        typer.echo(f"{name}  {_value(old)} -> {_value(new)}")
    if not changes:
        typer.echo(f"versions {first} and {second} have the same parameters")


type Change = tuple[str, float | None, float | None]


def parameter_diff(first: "PolicyVersionRow", second: "PolicyVersionRow") -> list[Change]:
    """Return name, old and new value of every parameter that differs; none where it is absent."""
    old, new = first.parameters, second.parameters
    return [
        (name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _change(change: "ParameterChange") -> str:
    return f"{change.name} {_value(change.old)} -> {_value(change.new)}"


def _value(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _one(versions: "list[PolicyVersionRow]", number: int) -> "PolicyVersionRow":
    for version in reversed(versions):
        if version.version == number:
            return version
    last = versions[-1].version
    raise CliError(f"there is no policy version {number}: the last one is {last}")


async def _versions(store: "Postgres", desk: str | None) -> "list[PolicyVersionRow]":
    from interlock.ledger import queries

    known = await queries.desks(store)
    if desk is None and len(known) == 1:
        desk = known[0]
    if desk is None and known:
        raise CliError(f"there are several desks here: give --desk, one of {', '.join(known)}")
    if desk is None or desk not in known:
        there = ", ".join(known) or "none"
        raise CliError(f"no policy of desk {desk or ''} stands in the tables: known are {there}")
    return await queries.policy_versions(store, desk)
