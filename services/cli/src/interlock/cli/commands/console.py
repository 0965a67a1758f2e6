"""`interlock console`: who may log in to the console."""

from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(help="Who may log in to the console.", rich_markup_mode=None)

ROLES = ("viewer", "operator", "approver")
NameOption = Annotated[str, typer.Option("--name", help="The person's name: every action has it.")]


def _secrets(state: StateOption) -> "Path":
    from interlock.cli.state_folder import open_state_folder

    return open_state_folder(state).secrets


@app.command()
def token(
    role: Annotated[str, typer.Option(help="viewer looks, operator acts, approver approves too.")],
    name: NameOption,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Make a login token and show it, once: only its hash is kept."""
    from interlock.cli.errors import CliError
    from interlock.console.tokens import TokenError, add_token
    from interlock.console.views.people import Role

    if role not in ROLES:
        raise CliError(f"--role {role} is none: give {', '.join(ROLES)}")
    try:
        made = add_token(_secrets(state), name, Role(role))
    except TokenError as error:
        raise CliError(str(error)) from error
    if as_json:
        print_json({"name": " ".join(name.split()), "role": role, "token": made})
    else:
        typer.echo(made)


@app.command("list")
def list_tokens(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """List who has a token, and what it lets them do."""
    from interlock.cli.errors import CliError
    from interlock.console.tokens import TokenError, read_tokens

    try:
        found = read_tokens(_secrets(state))
    except TokenError as error:
        raise CliError(str(error)) from error
    if as_json:
        rows = [{"name": o.name, "role": o.role, "created_at": o.created_at} for o in found]
        print_json(rows)
    else:
        print_table(("name", "role", "since"), [(o.name, o.role, o.created_at) for o in found])


@app.command()
def revoke(
    name: NameOption, state: StateOption = DEFAULT_STATE, as_json: JsonOption = False
) -> None:
    """Take every token of a person away; they are logged out at once."""
    from interlock.cli.errors import CliError
    from interlock.console.tokens import TokenError
    from interlock.console.tokens import revoke as take_away

    try:
        gone = take_away(_secrets(state), name)
    except TokenError as error:
        raise CliError(str(error)) from error
    if not gone:
        raise CliError(f"nobody called {name!r} has a token: see `interlock console list`")
    if as_json:
        print_json({"revoked": gone})
    else:
        typer.echo(f"{gone} token{'s' if gone > 1 else ''} of {name} taken away")
