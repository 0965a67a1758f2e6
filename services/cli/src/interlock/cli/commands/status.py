"""`interlock status`: what runs."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.cli.run_record import ProcessRecord

NOT_WELL = 1


def status(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """Show each process of the running desk. Exits with 1 when one of them is not well."""
    from interlock.cli.run_record import running
    from interlock.cli.state_folder import StateFolder

    record = running(StateFolder(state.resolve()))
    words = asyncio.run(_ask_all(record.children))
    if as_json:
        children = [
            {
                "name": name,
                "state": words[name],
                "pid": child.pid,
                "restarts": child.restarts,
                "health_url": child.health_url,
            }
            for name, child in record.children.items()
        ]
        print_json(
            {
                "desk": record.desk,
                "started_at": record.started_at,
                "pid": record.pid,
                "servers": record.servers,
                "children": children,
            }
        )
    else:
        typer.echo(f"desk {record.desk}, process {record.pid}, up since {record.started_at}")
        for name, address in record.servers.items():
            typer.echo(f"{name}: {address}")
        rows = [
            (name, words[name], str(child.pid), str(child.restarts), child.health_url)
            for name, child in record.children.items()
        ]
        print_table(("process", "state", "pid", "restarts", "health"), rows)
    if set(words.values()) != {"ready"}:
        raise typer.Exit(NOT_WELL)


async def _ask_all(children: "dict[str, ProcessRecord]") -> dict[str, str]:
    answers = await asyncio.gather(*(_ask(name, child) for name, child in children.items()))
    return dict(zip(children, answers, strict=True))


async def _ask(name: str, child: "ProcessRecord") -> str:
    from interlock.cli.probes import answers_http
    from interlock.cli.process import identity

    if identity(child.pid) != child.identity:
        return "gone"
    if not child.health_url:
        return "ready" if child.ready else "starting"
    parts = urlsplit(child.health_url)
    path = "/healthz" if name == "nats" else "/readyz"
    well = await answers_http(parts.hostname or "", parts.port or 0, path)()
    return "ready" if well else "not ready"
