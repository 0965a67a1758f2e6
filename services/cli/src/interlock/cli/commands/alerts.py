"""`interlock alerts`: what people were to know, and whether it reaches them."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, PostgresOption, StateOption

if TYPE_CHECKING:
    from interlock.console.alerts.addresses import Address

app = typer.Typer(
    help="Alerts: what was raised, and whether it reaches people.", rich_markup_mode=None
)

DEFAULT_LIMIT = 20
HIGHEST_LIMIT = 10_000
NOT_TAKEN = 1
TEXT_SHOWN = 120
SEVERITIES = ("info", "warning", "critical")
HEAD = ("time", "severity", "code", "from", "what")


@app.command("list")
def list_alerts(
    *,
    desk: Annotated[str | None, typer.Option(help="The desk's name; without it, all.")] = None,
    min_severity: Annotated[
        str, typer.Option(help="Only those of info, warning or critical, or worse.")
    ] = SEVERITIES[0],
    limit: Annotated[
        int, typer.Option(min=1, max=HIGHEST_LIMIT, help="How many, newest first.")
    ] = DEFAULT_LIMIT,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the latest alerts."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import show_moment
    from interlock.console.alerts.wording import plain
    from interlock.ledger.alert_queries import alerts

    if min_severity not in SEVERITIES:
        raise CliError(f"--min-severity {min_severity} is none: give {', '.join(SEVERITIES)}")
    wanted = list(SEVERITIES[SEVERITIES.index(min_severity) :])
    found = ask_ledger(state, postgres, lambda store: alerts(store, desk, wanted, limit))
    if as_json:
        print_json(found)
    elif found:
        rows = [
            (
                show_moment(row["ts_event"]),
                row["severity"],
                plain(row["code"], TEXT_SHOWN),
                row["service"],
                plain(row["text"], TEXT_SHOWN),
            )
            for row in found
        ]
        print_table(HEAD, rows)
    else:
        typer.echo("no alerts yet")


@app.command("test")
def try_routes(
    desk: Annotated[str, typer.Option(help="The desk's name, or the path of its file.")],
    route: Annotated[str | None, typer.Option(help="Only this route; without it, all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send a test message by each alert route. Exits with 1 where one is not taken."""
    from interlock.cli.alert_routes import addresses_of
    from interlock.cli.desks import load_desk, read_section
    from interlock.console.config import ConsoleConfig
    from interlock.wire.catalogue import CONSOLE

    file = load_desk(desk)
    routes = read_section(file, CONSOLE, ConsoleConfig).alerts
    if not routes:
        raise CliError(f"{file.path} has no [[console.alerts]]: docs/alerts.md shows how")
    chosen = [one for one in routes if route in (None, one.name)]
    if not chosen:
        names = ", ".join(one.name for one in routes)
        raise CliError(f"there is no alert route {route!r}: known are {names}")
    addresses = addresses_of(file, chosen)
    problems = asyncio.run(_send_all(addresses, file.desk.name))
    answers = list(zip(addresses, problems, strict=True))
    if as_json:
        print_json(
            [{"route": to.name, "ok": not problem, "problem": problem} for to, problem in answers]
        )
    else:
        rows = [(to.name, "FAIL" if said else "ok", said or "taken") for to, said in answers]
        print_table(("route", "", "what came of it"), rows)
    if any(problems):
        raise typer.Exit(NOT_TAKEN)


async def _send_all(addresses: "Sequence[Address]", desk: str) -> list[str]:
    from interlock.console.alerts.addresses import send
    from interlock.console.alerts.wording import plain
    from interlock.model.values import Severity

    title = f"TEST {plain(desk, TEXT_SHOWN)}: interlock alerts test"
    body = "Nothing has happened: somebody tries whether alerts reach you."
    return await asyncio.gather(*(send(to, title, body, Severity.INFO) for to in addresses))


@app.command("routes")
def list_routes(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """Show how each alert route of a state folder stood last."""
    from interlock.cli.moments import show_moment
    from interlock.cli.state_folder import StateFolder
    from interlock.console.alerts.lines import waits
    from interlock.console.alerts.memory import read_memory

    found = read_memory(StateFolder(state.resolve()).root).lines
    if as_json:
        print_json(
            [
                {
                    "route": name,
                    "waiting": waits(line),
                    "failures": line.failures,
                    "problem": line.problem,
                    "told_at": line.told_at or None,
                }
                for name, line in found.items()
            ]
        )
    elif found:
        rows = [
            (
                name,
                show_moment(line.told_at) if line.told_at else "never",
                str(waits(line)),
                str(line.failures),
                line.problem or "-",
            )
            for name, line in found.items()
        ]
        print_table(("route", "last told", "waiting", "failures", "problem"), rows)
    else:
        typer.echo("no console has sent alerts here yet")
