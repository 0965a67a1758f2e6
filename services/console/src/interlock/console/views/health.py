"""Processes, streams, and what people should know."""

from interlock.console.views.base import Nanos, View


class ServiceView(View, frozen=True, kw_only=True):
    """One process. `lag` is what its consumers have not been given yet, over all streams.

    `beats`: it says that it is alive, and silence means something; servers say nothing.
    """

    name: str
    beats: bool
    ready: bool
    pid: int
    restarts: int
    heartbeat_age_ms: float | None
    build: str | None
    handled: int | None
    published: int | None
    parked: int | None
    lag: int | None


class ConsumerView(View, frozen=True, kw_only=True):
    name: str
    pending: int
    unacknowledged: int
    redelivered: int


class StreamView(View, frozen=True, kw_only=True):
    name: str
    messages: int
    bytes: int
    max_bytes: int
    first_seq: int
    last_seq: int
    consumers: list[ConsumerView]


class DeadLetterView(View, frozen=True, kw_only=True):
    ts_event: Nanos
    service: str
    stream: str
    subject: str
    reason: str
    tries: int


class AlertRouteView(View, frozen=True, kw_only=True):
    """One address that alerts go to. `waiting` counts those that are not told yet.

    `problem` is why the last try failed, empty where it did not; `failures` are those since it
    last took one. `told_at` is none where it never did.
    """

    name: str
    min_severity: str
    waiting: int
    failures: int
    problem: str
    told_at: Nanos | None


class HealthView(View, frozen=True, kw_only=True):
    """`dead_letters` are the latest 50 of `dead_letters_count`."""

    bus_up: bool
    database_up: bool
    started_at: str
    services: list[ServiceView]
    streams: list[StreamView]
    dead_letters_count: int
    dead_letters: list[DeadLetterView]
    alert_routes: list[AlertRouteView]


class AlertView(View, frozen=True, kw_only=True):
    message_id: str
    ts_event: Nanos
    service: str
    severity: str
    code: str
    text: str
    dedupe_key: str


class AlertsPage(View, frozen=True, kw_only=True):
    items: list[AlertView]
    next: str | None
