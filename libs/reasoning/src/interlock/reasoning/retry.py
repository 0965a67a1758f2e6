"""The one retry policy for model calls. The SDKs' own retries are off."""

import asyncio
from collections.abc import Awaitable, Callable

import stamina
from msgspec import Struct

from interlock.reasoning.ports import AskFailedError


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """`attempts` counts the first one. Waits in seconds; a server's own wish goes before ours."""

    attempts: int = 2
    wait_initial_seconds: float = 0.2
    wait_max_seconds: float = 2.0
    jitter_seconds: float = 0.1


async def with_retries[T](
    call: Callable[[int], Awaitable[T]], policy: RetryPolicy, timeout_seconds: float
) -> T:
    """Await ``call(attempt)``, again where it fails in a way that may pass.

    A wait that would outlast `timeout_seconds`, counted from now, is not begun: the failure that
    happened says more than the timeout that would follow.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_seconds

    def worth_another_try(error: Exception) -> bool | float:
        if not isinstance(error, AskFailedError) or not error.retryable:
            return False
        wait = error.retry_after_seconds
        if loop.time() + (policy.wait_initial_seconds if wait is None else wait) >= deadline:
            return False
        return True if wait is None else wait

    async for attempt in stamina.retry_context(
        on=worth_another_try,
        attempts=policy.attempts,
        timeout=None,
        wait_initial=policy.wait_initial_seconds,
        wait_max=policy.wait_max_seconds,
        wait_jitter=policy.jitter_seconds,
    ):
        with attempt:
            return await call(attempt.num)
    raise AssertionError("stamina ends with a result or an exception")
