"""Who may say and hear what on the bus, generated from the catalogue."""

from msgspec import Struct

from interlock.runtime.bus.nats import consumer_name
from interlock.wire import catalogue, subjects
from interlock.wire.catalogue import CLI, CONSOLE, FEED, LEDGER, SERVICES, STREAMS, Entry

OPERATOR = "operator"
ADMIN = "admin"


class Permissions(Struct, frozen=True, kw_only=True):
    """The subjects a user of the bus may publish and subscribe to."""

    user: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def service_permissions(service: str) -> Permissions:
    """Return what one service may do: its own words, its own consumers, its own inbox."""
    publish = [_own_words(entry, service) for entry in catalogue.said_by(service)]
    publish += [subjects.spans(service), subjects.settled(service)]
    for stream in catalogue.filters_of(service):
        name = f"{stream}.{consumer_name(service)}"
        publish += [f"$JS.API.CONSUMER.MSG.NEXT.{name}", f"$JS.ACK.{name}.>"]
        publish += [f"$JS.API.CONSUMER.INFO.{name}", f"$JS.API.DIRECT.GET.{stream}"]
    publish += [
        f"$JS.API.DIRECT.GET.{entry.stream}"
        for entry in catalogue.said_by(service)
        if entry.stream is not None
    ]
    subscribe = [f"_INBOX.{service}.>"]
    subscribe += [
        entry.filter
        for entry in catalogue.ENTRIES
        if entry.stream is None and service in entry.listeners
    ]
    if service == LEDGER:  # It holds the streams against its own watermark.
        publish += [f"$JS.API.STREAM.INFO.{stream}" for stream in catalogue.filters_of(service)]
    if service == FEED:
        publish.append("$JS.API.CONSUMER.INFO.>")
        subscribe.append(subjects.SETTLED_FROM_ALL)
    return Permissions(
        user=service, publish=tuple(sorted(set(publish))), subscribe=tuple(subscribe)
    )


def _own_words(entry: Entry, service: str) -> str:
    """Return where `service` says this: where a subject names its speaker, as itself only."""
    own = entry.pattern.replace("{service}", subjects.token(service))
    return ".".join("*" if part.startswith("{") else part for part in own.split("."))


def operator_permissions() -> Permissions:
    """Return what a person at a terminal may do: read everything, halt and resume."""
    publish = [entry.filter for entry in catalogue.said_by(CLI)]
    publish += [
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.STREAM.MSG.GET.*",
        "$JS.API.DIRECT.GET.>",
        "$JS.API.CONSUMER.NAMES.*",
        "$JS.API.CONSUMER.LIST.*",
        "$JS.API.CONSUMER.INFO.>",
    ]
    heard = ("data.>", "sim.>", "doc.>", "evt.>", "cmd.>", "sys.>", "dead.>")
    return Permissions(
        user=OPERATOR,
        publish=tuple(publish),
        subscribe=(*heard, f"_INBOX.{OPERATOR}.>", "_INBOX.>"),
    )


def console_permissions() -> Permissions:
    """Return what the console may do: hear its own list, read back, and pass people's words on."""
    publish = [entry.filter for entry in catalogue.said_by(CONSOLE)]
    for spec in STREAMS:
        publish += [
            f"$JS.API.DIRECT.GET.{spec.name}",
            f"$JS.API.STREAM.INFO.{spec.name}",
            f"$JS.API.CONSUMER.LIST.{spec.name}",
        ]
    heard = [entry.filter for entry in catalogue.ENTRIES if CONSOLE in entry.listeners]
    return Permissions(
        user=CONSOLE,
        publish=tuple(sorted(publish)),
        subscribe=(*heard, f"_INBOX.{CONSOLE}.>"),
    )


def all_permissions() -> tuple[Permissions, ...]:
    """Return every user of the bus but the administrator, who may do anything."""
    services = (service_permissions(service) for service in SERVICES)
    return (*services, console_permissions(), operator_permissions())
