"""The day's budget for model calls in Redis, shared by all of a desk's reasoners.

It implements `interlock.reasoning.budget.BudgetStore` by shape; runtime does not import reasoning.
Any error refuses: a call that cannot be counted is not made.

One hash per desk and day: ``nano_usd`` (spent and reserved), ``calls``, and one field per call with
an open reservation. Money is counted in whole nano-dollars, because Lua's numbers are doubles.
"""

import logging
from decimal import ROUND_CEILING, Decimal
from typing import cast

from interlock.runtime.stores.redis_client import NO_ANSWER, Script, connect_redis

_NANO = Decimal(1_000_000_000)
_NO_LIMIT = -1
# Long enough for a person to look at yesterday, short enough to keep nothing for ever.
_KEPT_SECONDS = 7 * 86_400

# Asked twice with one call id, it reserves once.
_RESERVE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 1 end
local usd = tonumber(redis.call('HGET', KEYS[1], 'nano_usd') or '0')
local calls = tonumber(redis.call('HGET', KEYS[1], 'calls') or '0')
local limit_usd, limit_calls = tonumber(ARGV[3]), tonumber(ARGV[4])
if limit_calls >= 0 and calls >= limit_calls then return 0 end
if limit_usd >= 0 and usd + tonumber(ARGV[2]) > limit_usd then return 0 end
redis.call('HINCRBY', KEYS[1], 'nano_usd', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'calls', 1)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""

# Asked twice, it settles once: the reservation is gone the second time.
_SETTLE = """
local open = redis.call('HGET', KEYS[1], ARGV[1])
if not open then return 0 end
local change = string.format('%.0f', tonumber(ARGV[2]) - tonumber(open))
redis.call('HINCRBY', KEYS[1], 'nano_usd', change)
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
"""

_log = logging.getLogger(__name__)


class RedisBudgetStore:
    """`url` as redis-py takes it, such as ``redis://127.0.0.1:6379/0``. None means no limit."""

    def __init__(
        self, url: str, *, desk: str, usd_per_day: Decimal | None, calls_per_day: int | None
    ) -> None:
        self._redis = connect_redis(url)
        self._reserve = cast("Script", self._redis.register_script(_RESERVE))
        self._settle = cast("Script", self._redis.register_script(_SETTLE))
        self._desk = desk
        self._limit_usd = _NO_LIMIT if usd_per_day is None else _nano(usd_per_day)
        self._limit_calls = _NO_LIMIT if calls_per_day is None else calls_per_day

    async def reserve(self, *, call_id: str, day: str, usd: Decimal) -> bool:
        """Set `usd` and one call aside; false where that breaks a limit or Redis does not say."""
        limits = (self._limit_usd, self._limit_calls, _KEPT_SECONDS)
        return await self._run(self._reserve, day, f"call:{call_id}", _nano(usd), *limits) == 1

    async def settle(self, *, call_id: str, day: str, usd: Decimal) -> None:
        """Replace a reservation by the true cost. Where Redis fails, the reservation stays."""
        await self._run(self._settle, day, f"call:{call_id}", _nano(usd))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _run(self, script: Script, day: str, *arguments: str | int) -> object:
        key = f"interlock:{self._desk}:budget:{day}"
        try:
            return await script([key], [str(argument) for argument in arguments])
        except NO_ANSWER as error:
            _log.warning("the budget store does not answer: %s", error)
            return None


def _nano(usd: Decimal) -> int:
    return int((usd * _NANO).to_integral_value(ROUND_CEILING))
