"""`interlock bus`: what the NATS command line shows, for a machine without it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.cli.bus_reader import BusReader
    from interlock.cli.run_record import RunRecord

app = typer.Typer(help="Look at the bus of the running desk.")


@app.command()
def ls(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """List the subjects that hold messages."""

    async def show(bus: "BusReader", _: "RunRecord") -> None:
        rows = await bus.subject_list()
        if as_json:
            print_json([{"subject": s, "stream": stream, "messages": n} for s, stream, n in rows])
        else:
            print_table(
                ("subject", "stream", "messages"), [(s, stream, str(n)) for s, stream, n in rows]
            )

    _with_bus(state, show)


@app.command()
def streams(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """List the streams and what they hold."""

    async def show(bus: "BusReader", _: "RunRecord") -> None:
        rows: list[dict[str, str | int]] = [
            {
                "stream": info.config.name or "",
                "subjects": " ".join(info.config.subjects or ()),
                "messages": info.state.messages,
                "bytes": info.state.bytes,
                "first": info.state.first_seq,
                "last": info.state.last_seq,
                "consumers": info.state.consumer_count,
            }
            for info in await bus.stream_list()
        ]
        _print(rows, tuple(_STREAM_HEAD), as_json=as_json)

    _with_bus(state, show)


@app.command()
def consumers(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """List who reads what, and how far behind."""

    async def show(bus: "BusReader", _: "RunRecord") -> None:
        rows: list[dict[str, str | int]] = [
            {
                "stream": info.stream_name,
                "consumer": info.name,
                "acknowledged": info.ack_floor.stream_seq if info.ack_floor else 0,
                "in_hand": info.num_ack_pending or 0,
                "redelivered": info.num_redelivered or 0,
                "waiting": info.num_pending or 0,
            }
            for info in await bus.consumer_list()
        ]
        _print(rows, tuple(_CONSUMER_HEAD), as_json=as_json)

    _with_bus(state, show)


@app.command()
def tail(
    subject: Annotated[str, typer.Argument(help="A subject; * is one word, > the rest.")],
    *,
    count: Annotated[int, typer.Option(min=0, help="Stop after so many; 0 is never.")] = 0,
    since_start: Annotated[
        bool, typer.Option("--since-start", help="Begin with what was stored since the start.")
    ] = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Print messages as they pass: subject and body, with --json the body alone."""

    async def show(bus: "BusReader", record: "RunRecord") -> None:
        from datetime import datetime

        since = datetime.fromisoformat(record.started_at) if since_start else None
        printed = 0
        async for message in bus.tail(subject, since):
            body = message.body.decode(errors="replace")
            typer.echo(body if as_json else f"{message.subject} {body}")
            printed += 1
            if printed == count:
                return

    _with_bus(state, show)


_STREAM_HEAD = ("stream", "subjects", "messages", "bytes", "first", "last", "consumers")
_CONSUMER_HEAD = ("stream", "consumer", "acknowledged", "in_hand", "redelivered", "waiting")


def _print(rows: "list[dict[str, str | int]]", head: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        print_table(head, [[str(row[name]) for name in head] for row in rows])


def _with_bus(
    state: StateOption, show: "Callable[[BusReader, RunRecord], Awaitable[None]]"
) -> None:
    from interlock.cli.bus_reader import reading
    from interlock.cli.run_record import running
    from interlock.cli.state_folder import StateFolder

    folder = StateFolder(state.resolve())
    record = running(folder)

    async def run() -> None:
        async with reading(folder, record) as bus:
            await show(bus, record)

    asyncio.run(run())
