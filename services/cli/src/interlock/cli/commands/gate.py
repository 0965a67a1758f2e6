"""`interlock gate`: what the gate holds every order to, and what it would say to some."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import JsonOption

if TYPE_CHECKING:
    from interlock.cli.gate_check import Verdict
    from interlock.cli.gate_snapshot import GateSnapshot

app = typer.Typer(help="Ask the gate, without starting anything.")

DENIED = 1
HEAD = ("code", "holds every order to", "unit", "source", "level")


@app.command()
def controls(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table for a README.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List every control, in the order they are asked; one that says no denies the order.

    The level says what it does beyond that: disable the strategy, let only reducing orders
    through, or halt the desk.
    """
    from interlock.gate.controls.table import CONTROLS

    rows = [(one.code, one.definition, one.unit, one.source, one.level) for one in CONTROLS]
    if as_json:
        names = ("code", "definition", "unit", "source", "level")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif markdown:
        for line in markdown_table(HEAD, rows):
            typer.echo(line)
    else:
        print_table(HEAD, rows)


def markdown_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a Markdown table; the first column is set as code."""
    body = [f"| `{first}` | {' | '.join(rest)} |" for first, *rest in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body]


@app.command()
def check(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    state: Annotated[Path, typer.Option("--state", help="JSON: positions, prices, policy ...")],
    intents: Annotated[Path, typer.Option(help="Order intents, a JSON object a line.")],
    now: Annotated[
        str | None, typer.Option(help="UNIX ns or ISO 8601; without it, this moment.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print one verdict a line. Exits with 1 when an intent is denied.

    The state is an object: trading ("active"), epoch, reconciled, breaks, policy_version,
    parameters, do_not_trade, stored_policy_version, stored_epoch, stored_counts and counts
    {approvals, notional_micros}, standing {stage, demo_only, allow_short, allow_options,
    cap_scales, disabled}, references {instrument: {price, ts_event}}, features {instrument:
    {ts_event, adv, spread_bps, delta}}, positions {instrument: quantity}, working
    [{client_order_id, instrument_id, side, quantity, filled, price, limit_price}], approved [ids],
    cash, equity {day_start, week_start, high, losses_in_row}, day_notional, fills {instrument: ns},
    approvals_at [ns], attempts_at [ns], entries {strategy: count}. What is missing denies.
    """
    from interlock.cli.desks import load_desk, read_section
    from interlock.cli.gate_check import paper_gate, verdicts
    from interlock.cli.moments import parse_moment
    from interlock.gate.config import GateConfig

    file = load_desk(desk)
    config = read_section(file, "gate", GateConfig)
    moment = time.time_ns() if now is None else parse_moment(now)
    gate = paper_gate(file.desk, config, file.config_hash, _snapshot(state), moment)
    denied = False
    for verdict in verdicts(gate, _bytes(intents).splitlines(), moment):
        denied |= not verdict.approved
        if as_json:
            print_json(verdict)
        else:
            typer.echo(verdict_line(verdict))
    if denied:
        raise typer.Exit(DENIED)


def verdict_line(verdict: "Verdict") -> str:
    """Return a verdict for people: the order, and every control that failed with its numbers."""
    what = f"line {verdict.line}"
    if verdict.intent_id is not None:
        what = f"{verdict.intent_id} {verdict.side} {verdict.quantity} {verdict.instrument_id}"
    if verdict.approved:
        return f"approved {what}"
    failed = "; ".join(
        f"{one.code} {one.observed} (allowed: {one.limit}; {one.holds})" for one in verdict.failures
    )
    return f"denied   {what}: {failed}"


def _snapshot(path: Path) -> "GateSnapshot":
    import msgspec

    from interlock.cli.gate_snapshot import GateSnapshot

    try:
        return msgspec.json.decode(_bytes(path), type=GateSnapshot)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CliError(f"{path} is no state of a gate: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}") from error
