"""How processes and streams are, from the supervisor's record, heartbeats and the broker."""

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.console.alerts.lines import Line, waits
from interlock.console.alerts.telling import Telling
from interlock.console.console import Console
from interlock.console.state import Live
from interlock.console.views.health import (
    AlertRouteView,
    ConsumerView,
    DeadLetterView,
    HealthView,
    ServiceView,
    StreamView,
)
from interlock.runtime.bus.overview import StreamOverview
from interlock.runtime.errors import UnavailableError
from interlock.wire.catalogue import SERVICES, Stream
from interlock.wire.system import DeadLettered

RUN_FILE = "run.json"
_NANOS_PER_MS = 1_000_000


class _Child(Struct, frozen=True, kw_only=True):
    """What the supervisor writes of a child, as far as it is shown."""

    pid: int
    ready: bool
    restarts: int


class _Run(Struct, frozen=True, kw_only=True):
    started_at: str = ""
    children: dict[str, _Child] = {}


def _read_run(folder: Path) -> _Run:
    try:
        return msgspec.json.decode((folder / RUN_FILE).read_bytes(), type=_Run)
    except (OSError, msgspec.DecodeError):
        return _Run()


async def health_view(console: Console) -> HealthView:
    """Return how everything is; what cannot be asked is empty."""
    streams: list[StreamOverview] = []
    try:
        streams = await console.hearing.streams()
    except UnavailableError:
        bus_up = False
    else:
        bus_up = True
    try:
        await console.tables.rows("SELECT 1 AS one")
    except UnavailableError:
        database_up = False
    else:
        database_up = True
    run = _read_run(console.folder)
    dead = next((one.messages for one in streams if one.name == Stream.DEAD), 0)
    return HealthView(
        bus_up=bus_up,
        database_up=database_up,
        started_at=run.started_at,
        services=[
            _service(name, run.children.get(name), console.live, streams)
            for name in sorted(run.children.keys() | console.live.beats.keys())
        ],
        streams=[_stream(one) for one in streams],
        dead_letters_count=dead,
        dead_letters=[_letter(one) for one in reversed(console.live.dead)],
        alert_routes=[] if console.telling is None else _alert_routes(console.telling),
    )


def _alert_routes(telling: Telling) -> list[AlertRouteView]:
    found: list[AlertRouteView] = []
    for address in telling.addresses:
        line = telling.lines.get(address.name, Line())
        found.append(
            AlertRouteView(
                name=address.name,
                min_severity=address.route.min_severity,
                waiting=waits(line),
                failures=line.failures,
                problem=line.problem,
                told_at=str(line.told_at) if line.told_at else None,
            )
        )
    return found


def _service(
    name: str, child: _Child | None, live: Live, streams: list[StreamOverview]
) -> ServiceView:
    beat = live.beats.get(name)
    places = [one for stream in streams for one in stream.consumers if one.name == name]
    return ServiceView(
        name=name,
        beats=name in SERVICES,
        ready=child is not None and child.ready,
        pid=0 if child is None else child.pid,
        restarts=0 if child is None else child.restarts,
        heartbeat_age_ms=None
        if beat is None
        else max(0.0, (time.time_ns() - beat.heard_at) / _NANOS_PER_MS),
        build=None if beat is None else beat.said.build,
        handled=None if beat is None else beat.said.handled,
        published=None if beat is None else beat.said.published,
        parked=None if beat is None else beat.said.parked,
        lag=sum(one.pending for one in places) if places else None,
    )


def _stream(one: StreamOverview) -> StreamView:
    return StreamView(
        name=one.name,
        messages=one.messages,
        bytes=one.bytes,
        max_bytes=one.max_bytes,
        first_seq=one.first_sequence,
        last_seq=one.last_sequence,
        consumers=[
            ConsumerView(
                name=place.name,
                pending=place.pending,
                unacknowledged=place.unacknowledged,
                redelivered=place.redelivered,
            )
            for place in one.consumers
        ],
    )


def _letter(letter: DeadLettered) -> DeadLetterView:
    return DeadLetterView(
        ts_event=str(letter.ts_event),
        service=letter.service,
        stream=letter.stream,
        subject=letter.subject,
        reason=letter.reason,
        tries=letter.tries,
    )
