"""`interlock keys`: the keys a desk signs with."""

import typer

from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

app = typer.Typer(help="The keys a desk signs with.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Keep `rotate` a word of its own."""


@app.command()
def rotate(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """Give the gate a new key. What the old one signed can still be verified."""
    from interlock.cli.errors import CliError
    from interlock.cli.state_folder import StateFolder, locked
    from interlock.runtime.config import ConfigError
    from interlock.runtime.signing import PRIVATE_KEY_FILE, rotate_gate_key

    folder = StateFolder(state.resolve())
    if not (folder.secrets / PRIVATE_KEY_FILE).is_file():
        raise CliError(f"{folder.secrets} has no gate's key: give the --state of a desk")
    with locked(folder):
        try:
            old, new = rotate_gate_key(folder.secrets)
        except (ConfigError, OSError) as error:
            raise CliError(str(error)) from error
    if as_json:
        print_json({"old_key_id": old, "new_key_id": new})
    else:
        typer.echo(f"the gate signs with key {new} from now on; {old} is kept to verify with")
