"""Imports nats-py without its websocket transport.

Where aiohttp is installed, nats-py imports it for websocket links, which takes a quarter of a
second in each of eight processes. The bus is spoken to over TCP only.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast


@contextmanager
def _without(module: str) -> Generator[None]:
    """Let importing `module` fail for a while, unless somebody uses it already."""
    modules = cast("dict[str, object]", sys.modules)
    hidden = module not in modules
    if hidden:
        modules[module] = None
    try:
        yield
    finally:
        if hidden:
            del modules[module]


with _without("aiohttp"):
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.errors import Error as BusError

__all__ = ["BusError", "Client", "Msg", "Subscription"]
