"""`interlock kill` and `interlock resume`: stop a running desk's trading, and let it go on."""

from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock.cli.steering import Command

NANOS_PER_MS = 1_000_000


def kill(
    reason: Annotated[str, typer.Argument(help="Why; everyone who asks later reads it.")],
    by: Annotated[
        str | None, typer.Option(help="Who stops it; without it, the name you are logged in by.")
    ] = None,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Halt trading: no order that increases risk leaves the desk any more."""
    from interlock.cli.steering import halt

    who, why = _said("--by", by or _login_name()), _said("REASON", reason)
    _steer(state, lambda desk, now: halt(desk, who, why, now), as_json=as_json)


def resume(
    by: Annotated[str, typer.Option(help="The name of the person who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "resumed at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Let orders through again."""
    from interlock.cli import steering

    who, why = _said("--by", by), _said("--reason", reason)
    _steer(state, lambda desk, now: steering.resume(desk, who, why, now), as_json=as_json)


def _said(name: str, text: str) -> str:
    if not text.strip():
        raise CliError(f"{name} is empty: say who and why")
    return text.strip()


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise CliError("this account has no name: give --by NAME") from error


def _steer(
    state: StateOption, command_at: "Callable[[str, int], Command]", *, as_json: bool
) -> None:
    import asyncio

    from interlock.cli.state_folder import StateFolder
    from interlock.cli.steering import steer

    obeyed = asyncio.run(steer(StateFolder(state.resolve()), command_at))
    change, latency_ms = obeyed.change, obeyed.latency_ns / NANOS_PER_MS
    if as_json:
        print_json(
            {
                "desk": change.desk,
                "state": change.state,
                "epoch": change.epoch,
                "by": change.author,
                "reason": change.reason,
                "decision_id": change.decision_id,
                "latency_ms": latency_ms,
            }
        )
    else:
        typer.echo(
            f"desk {change.desk} is {change.state}, epoch {change.epoch}, by {change.author} "
            f"({change.reason}); it took {latency_ms:.1f} ms"
        )
