"""Messages about the services themselves."""

from enum import StrEnum

from msgspec import Struct

from interlock.model.values import Severity
from interlock.wire.base import DeskMessage


class Heartbeat(DeskMessage, frozen=True, kw_only=True, tag="sys.heartbeat.v1"):
    """A service is alive. `ts_event` is on the machine's clock."""

    service: str
    instance: str
    build: str
    config_hash: str
    handled: int
    published: int
    parked: int


class AlertRaised(DeskMessage, frozen=True, kw_only=True, tag="alert.raised.v1"):
    """Something a person should know. Alerts with one `dedupe_key` are one alert."""

    service: str
    severity: Severity
    code: str
    text: str
    dedupe_key: str


class TripLevel(StrEnum):
    """What a tripped control asks for: one strategy off, reduce-only, or no new risk at all."""

    DISABLE = "disable"
    REDUCE = "reduce"
    HALT = "halt"


class SafetyTripped(DeskMessage, frozen=True, kw_only=True, tag="safety.tripped.v1"):
    """A service found what must not go on. Policy answers with a new trading state.

    `about` is the strategy that a `TripLevel.DISABLE` is for.
    """

    service: str
    code: str
    level: TripLevel
    observed: str
    limit: str
    about: str = ""


class SwitchChanged(DeskMessage, frozen=True, kw_only=True, tag="exec.switch.v1"):
    """Exec's own kill switch was pressed or armed again. Times are UNIX ns of the machine's clock.

    `way` is ``file``, ``command``, ``rule`` or ``silence``; `cancelled` counts the orders that
    were open.
    """

    pressed: bool
    way: str
    by: str
    reason: str
    seen_at: int
    last_submit_at: int
    cancelled_at: int
    cancelled: int


class ConfigLine(Struct, frozen=True, kw_only=True):
    """One changed key, values as TOML text."""

    key: str
    old: str
    new: str


class ConfigChanged(DeskMessage, frozen=True, kw_only=True, tag="config.changed.v1"):
    """A service took a new configuration while running."""

    service: str
    config_hash: str
    changes: list[ConfigLine]


class DeadLettered(DeskMessage, frozen=True, kw_only=True, tag="sys.dead-lettered.v1"):
    """A message no one could handle: parked with its body in base64, so that others flow."""

    service: str
    stream: str
    subject: str
    reason: str
    tries: int
    headers: dict[str, str]
    body: str


class Caused(Struct, frozen=True, kw_only=True):
    """A published message, by id and wire tag."""

    message_id: str
    tag: str


class Settled(Struct, frozen=True, kw_only=True):
    """One listener is done with one message and names what it published in turn."""

    message_id: str
    caused: list[Caused]


class MessagesSettled(Struct, frozen=True, kw_only=True, tag="sys.settled.v1", tag_field="type"):
    """A replay's heartbeat: who is done with what. Not stored; see `interlock.runtime.waves`."""

    service: str
    settled: list[Settled]


class SpanRow(Struct, frozen=True, kw_only=True):
    """One finished span. Ids in hexadecimal, times in UNIX nanoseconds of the machine's clock."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    name: str
    started_at: int
    ended_at: int
    failed: bool
    attributes: dict[str, str]


class SpansExported(Struct, frozen=True, kw_only=True, tag="sys.spans.v1", tag_field="type"):
    """A batch of finished spans of one service, for the ledger's span table."""

    spans: list[SpanRow]
