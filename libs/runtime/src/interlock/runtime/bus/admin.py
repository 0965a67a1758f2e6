"""What an administrator does to a broker before services may use it.

Streams and consumers are made here and only here; the services' permissions let none of them make
or change any. Both are generated from the catalogue.
"""

from collections.abc import Sequence

from interlock.runtime.bus.tcp_only import Client  # isort: skip
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from interlock.runtime.bus.nats import consumer_name
from interlock.wire import catalogue
from interlock.wire.catalogue import SERVICES, STREAMS, StreamSpec

ACK_WAIT_SECONDS = 3
DUPLICATE_WINDOW_SECONDS = 3_600
MAX_ACK_PENDING = 1_024


def stream_config(spec: StreamSpec) -> StreamConfig:
    """Return the broker's configuration of a stream of the catalogue."""
    once = spec.one_per_subject_for_ever
    return StreamConfig(
        name=spec.name,
        description=spec.why,
        subjects=list(spec.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=spec.max_age_seconds,
        max_bytes=spec.max_bytes,
        max_msgs_per_subject=1 if once else -1,
        discard=DiscardPolicy.NEW if once else DiscardPolicy.OLD,
        discard_new_per_subject=once,
        duplicate_window=min(DUPLICATE_WINDOW_SECONDS, spec.max_age_seconds or 10**9),
        allow_direct=True,
        deny_delete=True,
        persist_mode=PersistMode.DEFAULT if spec.durable_before_ack else PersistMode.ASYNC,
    )


def consumer_config(service: str, filters: list[str]) -> ConsumerConfig:
    """Return the broker's configuration of a service's place in a stream."""
    return ConsumerConfig(
        durable_name=consumer_name(service),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_ack_pending=MAX_ACK_PENDING,
        filter_subjects=filters,
    )


async def prepare(client: Client, services: Sequence[str] = SERVICES) -> None:
    """Make or update every stream of the catalogue, and the consumers of `services`."""
    context = client.jetstream()
    for spec in STREAMS:
        await _put_stream(context, stream_config(spec))
    for service in services:
        for stream, filters in catalogue.filters_of(service).items():
            await context.add_consumer(stream, consumer_config(service, filters))


async def _put_stream(context: JetStreamContext, config: StreamConfig) -> None:
    assert config.name is not None
    try:
        await context.stream_info(config.name)
    except NotFoundError:
        await context.add_stream(config)
    else:
        await context.update_stream(config)
