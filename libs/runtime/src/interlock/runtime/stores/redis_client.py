"""The one way Redis is spoken to: nothing is retried, and no answer is waited for long."""

from collections.abc import Awaitable, Callable, Sequence

import redis.asyncio as redis
from redis.exceptions import RedisError

TIMEOUT_SECONDS = 0.2
NO_ANSWER = (RedisError, OSError, RuntimeError)
"""What comes instead of an answer. uvloop has a `RuntimeError` for writing on a connection that was
reset a moment before."""

type Script = Callable[[Sequence[str], Sequence[str | bytes | int]], Awaitable[object]]


def connect_redis(url: str) -> redis.Redis:
    """Return a client for `url`, such as ``redis://127.0.0.1:6379/0``; it connects when used."""
    # redis-py's own retries have turned one INCR into two.
    return redis.Redis.from_url(
        url,
        retry=None,
        retry_on_error=[],
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
