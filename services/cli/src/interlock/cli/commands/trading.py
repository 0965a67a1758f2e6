"""`interlock kill` and `interlock resume`: stop a desk's trading, and let it go on."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.cli.pressing import Pressed
    from interlock.cli.steering import Obeyed
    from interlock.runtime.switch_file import Switch

NANOS_PER_MS = 1_000_000
NOT_CONFIRMED = 1


def kill(  # noqa: PLR0913 - each argument is an option of the command
    reason: Annotated[
        str | None, typer.Argument(help="Why; everyone who asks later reads it.")
    ] = None,
    *,
    by: Annotated[
        str | None, typer.Option(help="Who stops it; without it, the name you are logged in by.")
    ] = None,
    state: StateOption = DEFAULT_STATE,
    drill: Annotated[
        bool, typer.Option("--drill", help="Press it on a scratch desk instead, and measure.")
    ] = False,
    orders: Annotated[int, typer.Option(min=1, help="Open orders in a round of a drill.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of a drill, of each kind.")] = 2,
    way: Annotated[
        list[str] | None, typer.Option(help="Only: file, command, rule, silence.")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="Only: nats, redis, gate.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Press the kill switch: cancel every open order, let nothing out that increases risk.

    It needs nothing but the state folder. Exits with 1 where exec runs and has not confirmed.
    """
    import asyncio

    from interlock.cli.pressing import press
    from interlock.cli.state_folder import StateFolder

    if drill:
        from interlock.cli.drill_report import run_drill

        met = run_drill(way or [], without or [], orders, rounds, as_json=as_json)
        raise typer.Exit(0 if met else NOT_CONFIRMED)
    if reason is None:
        raise CliError("missing argument 'REASON': say why")
    who, why = _said("--by", by or _login_name()), _said("REASON", reason)
    pressed = asyncio.run(press(StateFolder(state.resolve()), who, why))
    if as_json:
        print_json(_pressed_document(pressed))
    else:
        for line in _pressed_lines(pressed, who):
            typer.echo(line)
    if not pressed.confirmed:
        raise typer.Exit(NOT_CONFIRMED)


def resume(
    by: Annotated[str, typer.Option(help="The name of the person who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "resumed at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Arm the kill switch again and let orders through. Only a named person can.

    It also accepts the venue's cash where exec has said that it differs from ours.
    """
    import asyncio

    from interlock.cli.pressing import arm_at_rest, desk_runs, let_go
    from interlock.cli.state_folder import StateFolder

    who, why = _said("--by", by), _said("--reason", reason)
    folder = StateFolder(state.resolve())
    if not desk_runs(folder):
        armed = arm_at_rest(folder, who, why)
        _show_armed_at_rest(armed, as_json=as_json)
        return
    obeyed, switch = asyncio.run(let_go(folder, who, why))
    if as_json:
        print_json(_obeyed_document(obeyed) | {"switch": _switch_document(switch)})
    else:
        typer.echo(f"{_obeyed_line(obeyed)}; exec is armed again")


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


def _pressed_lines(pressed: "Pressed", who: str) -> list[str]:
    if not pressed.desk:
        return ["no desk runs here: the switch stays pressed for the next start"]
    lines: list[str] = []
    switch = pressed.switch
    if switch is None:
        lines.append(
            f"the file is written, but exec of desk {pressed.desk} has not confirmed: look at "
            "`interlock status`; what runs next will see it"
        )
    elif switch.seen_at < pressed.pressed_at:
        lines.append(f"it was pressed already by {switch.by or switch.way}: {switch.reason}")
    else:
        seen = (switch.seen_at - pressed.pressed_at) / NANOS_PER_MS
        gone = (switch.cancelled_at - pressed.pressed_at) / NANOS_PER_MS
        lines.append(
            f"pressed by {who}: exec saw it after {seen:.0f} ms and had cancelled "
            f"{switch.cancelled:,} open orders after {gone:.0f} ms"
        )
    if pressed.obeyed is not None:
        lines.append(_obeyed_line(pressed.obeyed))
    else:
        lines.append(f"the policy service has not been told: {pressed.unheard}")
    return lines


def _pressed_document(pressed: "Pressed") -> dict[str, Any]:
    switch, obeyed = pressed.switch, pressed.obeyed
    told: dict[str, Any] = {"desk": pressed.desk, "state": None, "unheard": pressed.unheard}
    return {
        **(told if obeyed is None else _obeyed_document(obeyed)),
        "confirmed": pressed.confirmed,
        "pressed_at": pressed.pressed_at,
        "switch": None if switch is None else _switch_document(switch),
    }


def _switch_document(switch: "Switch") -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(switch)
    return document


def _obeyed_document(obeyed: "Obeyed") -> dict[str, Any]:
    change = obeyed.change
    return {
        "desk": change.desk,
        "state": change.state,
        "epoch": change.epoch,
        "by": change.author,
        "reason": change.reason,
        "decision_id": change.decision_id,
        "latency_ms": obeyed.latency_ns / NANOS_PER_MS,
    }


def _obeyed_line(obeyed: "Obeyed") -> str:
    change = obeyed.change
    return (
        f"desk {change.desk} is {change.state}, epoch {change.epoch}, by {change.author} "
        f"({change.reason}); it took {obeyed.latency_ns / NANOS_PER_MS:.1f} ms"
    )


def _show_armed_at_rest(armed: "Switch", *, as_json: bool) -> None:
    if as_json:
        print_json({"desk": "", "state": None, "switch": _switch_document(armed)})
    else:
        typer.echo(
            f"no desk runs here: its switch is armed by {armed.by} for the next start; a desk that "
            "was halted over its bus needs `interlock resume` once more when it runs"
        )
