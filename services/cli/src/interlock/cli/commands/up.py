"""`interlock up`: start a desk."""

import math
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

HIGHEST_PORT = 65_535


def up(  # noqa: PLR0913 - each argument is an option of the command
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    *,
    replay: Annotated[
        str | None, typer.Option(help="Recorded data: a known name, or the path of a file.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help="How many times as fast as it was recorded, or max.")
    ] = "max",
    exit_at_end: Annotated[
        bool, typer.Option("--exit", help="Stop when the replay has ended.")
    ] = False,
    state: StateOption = DEFAULT_STATE,
    single_process: Annotated[
        bool, typer.Option("--single-process", help="No servers: all services in this process.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=HIGHEST_PORT, help="Port of the console, 5555; 0: no page."),
    ] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Start the console with --exit, too.")
    ] = False,
    nats: Annotated[str | None, typer.Option(help="URL of your own NATS server.")] = None,
    redis: Annotated[str | None, typer.Option(help="URL of your own Redis or Valkey.")] = None,
    postgres: Annotated[str | None, typer.Option(help="URL of your own PostgreSQL.")] = None,
    confirm_live: Annotated[
        str | None,
        typer.Option(help="The account's name, typed: this desk trades with real money."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start a desk, on recorded or live data, and keep it running until it is told to stop."""
    from interlock.cli.desk_run import DeskRun, run
    from interlock.cli.desks import find_desk

    wanted = DeskRun(
        desk_path=find_desk(desk),
        replay=replay,
        speed=parse_speed(speed),
        exit_at_end=exit_at_end,
        state=Path(state),
        single_process=single_process,
        port=0 if exit_at_end and not console else port,
        nats_url=nats,
        redis_url=redis,
        postgres_url=postgres,
        as_json=as_json,
        confirm_live=confirm_live,
    )
    raise typer.Exit(run(wanted))


def parse_speed(text: str) -> float | None:
    """Return a replay's speed as a factor; none for ``max``.

    Raises
    ------
    CliError
        When it is neither ``max`` nor a positive number.
    """
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise CliError(f"--speed {text} is no speed: give a number above zero, or max")
    return factor
