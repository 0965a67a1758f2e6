"""The policy in force, in Redis.

Writing is idempotent and fenced: a record is taken only if its version is newer than the one that
stands. redis-py would retry a timed-out command by default and so do it twice; here nothing is
retried and any error is the caller's "unavailable".
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import msgspec
import redis.asyncio as redis
from redis.exceptions import RedisError

from interlock.runtime.errors import UnavailableError
from interlock.wire.policy import PolicyChanged

TIMEOUT_SECONDS = 0.2

_SAVE_IF_NEWER = """
local standing = redis.call('HGET', KEYS[1], 'version')
if standing and tonumber(standing) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'record', ARGV[2])
return 1
"""

type _Script = Callable[[Sequence[str], Sequence[str | bytes]], Awaitable[int]]


class RedisPolicyStore:
    """The policy as a hash ``interlock:{desk}:policy`` of version and record."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            retry=None,
            retry_on_error=[],
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )
        self._save = cast("_Script", self._redis.register_script(_SAVE_IF_NEWER))

    async def save(self, policy: PolicyChanged) -> bool:
        record = msgspec.json.encode(policy)
        try:
            return bool(await self._save([_key(policy.desk)], [str(policy.version), record]))
        except (RedisError, OSError) as error:
            raise UnavailableError(f"the policy store: {error}") from error

    async def version(self, desk: str) -> int | None:
        try:
            reply = await cast("Awaitable[object]", self._redis.hget(_key(desk), "version"))
        except (RedisError, OSError) as error:
            raise UnavailableError(f"the policy store: {error}") from error
        if reply is None:
            return None
        try:
            return int(cast("bytes", reply))
        except ValueError as error:
            raise UnavailableError(f"the policy store holds {reply!r} for a version") from error

    async def close(self) -> None:
        await self._redis.aclose()


def _key(desk: str) -> str:
    return f"interlock:{desk}:policy"
