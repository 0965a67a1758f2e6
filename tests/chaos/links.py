"""A desk whose services reach NATS and Redis through proxies, one for each service and server."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from interlock.testkit.fault_proxy import FaultProxy

from tests.chaos.desk import NATS, REDIS, Desk, desk

VARIABLES = {NATS: "INTERLOCK_NATS_URL", REDIS: "INTERLOCK_REDIS_URL"}
type Links = dict[tuple[str, str], FaultProxy]


@asynccontextmanager
async def linked_desk(
    links: Iterable[tuple[str, str]], services: Iterable[str], seed: int
) -> AsyncIterator[tuple[Desk, Links]]:
    """Start a desk in which each (service, server) of `links` goes through a proxy of its own."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(desk(services=()))
        made: Links = {}
        for service, server in links:
            made[service, server] = await stack.enter_async_context(
                _proxy(running, service, server, seed + len(made))
            )
        await running.start(*services)
        yield running, made


@asynccontextmanager
async def _proxy(running: Desk, service: str, server: str, seed: int) -> AsyncIterator[FaultProxy]:
    child = running.children[service]
    url = urlsplit(child.env[VARIABLES[server]])
    assert url.hostname is not None
    assert url.port is not None
    async with FaultProxy(url.hostname, url.port, seed=seed) as proxy:
        host = url.netloc.replace(f":{url.port}", f":{proxy.port}")
        through = url._replace(netloc=host).geturl()
        running.children[service] = replace(child, env={**child.env, VARIABLES[server]: through})
        yield proxy
        # The desk ends after its proxies, and its services must not wait for them.
        await running.stop(*(name for name in (service,) if name in running.running))
