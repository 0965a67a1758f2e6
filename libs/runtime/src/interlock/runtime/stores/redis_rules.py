"""The rules in force and their counters, in Redis.

Every script may be run again with the same arguments and changes nothing the second time. Nothing
is retried here; any error is the caller's "unavailable". The keys of a desk carry its name in
braces, so that a cluster keeps them in one slot and a script may touch them all:

- ``interlock:{desk}:rules``: a hash of ``version``, ``policy``, ``epoch``, ``trading``
- ``interlock:{desk}:count:<scope>``: a hash of counters
- ``interlock:{desk}:counted:<scope>``: the names of what they count
"""

from collections.abc import Sequence
from typing import cast

from interlock.model.counting import Counted
from interlock.runtime.errors import UnavailableError
from interlock.runtime.stores.redis_client import NO_ANSWER, Script, connect_redis
from interlock.runtime.stores.rules import KEPT_SECONDS, Rules, Saved, Standing, number_of
from interlock.wire import codec
from interlock.wire.policy import PolicyChanged

# KEYS: rules. ARGV: the number's field, the record's field, the number, the record.
_SAVE_IF_NEWER = """
local standing = redis.call('HMGET', KEYS[1], ARGV[1], ARGV[2])
local number, record = standing[1], standing[2]
if number == ARGV[3] and record == ARGV[4] then return 'stands' end
if number and tonumber(number) > tonumber(ARGV[3]) then return 'fenced' end
if number and record and tonumber(number) == tonumber(ARGV[3]) then return 'differs' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[2], ARGV[4])
return 'taken'
"""

# KEYS: rules, counters, names. ARGV: the writer's epoch, seconds to keep (0: for ever), then for
# each thing its name, how many counters it moves, and each counter's name and amount. A counter is
# moved before the name is noted: where it holds no number, the thing stays uncounted.
_COUNT_AND_READ = """
local rules = redis.call('HMGET', KEYS[1], 'version', 'policy', 'epoch', 'trading')
local taken = 1
if #ARGV > 2 then
  if rules[3] and tonumber(rules[3]) > tonumber(ARGV[1]) then
    taken = 0
  else
    if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('DEL', KEYS[3]) end
    local at = 3
    while at <= #ARGV do
      local member, names = ARGV[at], tonumber(ARGV[at + 1])
      at = at + 2
      local fresh = redis.call('SISMEMBER', KEYS[3], member) == 0
      for _ = 1, names do
        if fresh then redis.call('HINCRBY', KEYS[2], ARGV[at], ARGV[at + 1]) end
        at = at + 2
      end
      if fresh then redis.call('SADD', KEYS[3], member) end
    end
    if tonumber(ARGV[2]) > 0 then
      redis.call('EXPIRE', KEYS[2], ARGV[2])
      redis.call('EXPIRE', KEYS[3], ARGV[2])
    end
  end
end
return {taken, rules, redis.call('HGETALL', KEYS[2])}
"""

type _Reply = tuple[int, list[bytes | None], list[bytes]]


class RedisRulesStore:
    """`url` as redis-py takes it, such as ``redis://127.0.0.1:6379/0``."""

    def __init__(self, url: str) -> None:
        self._redis = connect_redis(url)
        self._save = cast("Script", self._redis.register_script(_SAVE_IF_NEWER))
        self._count_and_read = cast("Script", self._redis.register_script(_COUNT_AND_READ))

    async def save(self, rules: Rules) -> Saved:
        fields = ("version", "policy") if isinstance(rules, PolicyChanged) else ("epoch", "trading")
        arguments = (*fields, number_of(rules), codec.encode(rules))
        reply = await _run(self._save, [rules_key(rules.desk)], arguments)
        return Saved(cast("bytes", reply).decode())

    async def read(
        self, desk: str, scope: str = "", *, epoch: int = 0, counted: Sequence[Counted] = ()
    ) -> Standing:
        return await self._counted_and_read(desk, scope, counted, epoch, KEPT_SECONDS)

    async def count(
        self,
        desk: str,
        scope: str,
        counted: Sequence[Counted],
        *,
        epoch: int,
        kept_seconds: int = KEPT_SECONDS,
    ) -> bool:
        return (await self._counted_and_read(desk, scope, counted, epoch, kept_seconds)).taken

    async def _counted_and_read(
        self, desk: str, scope: str, counted: Sequence[Counted], epoch: int, kept_seconds: int
    ) -> Standing:
        arguments: list[str | bytes | int] = [epoch, kept_seconds]
        for one in counted:
            arguments += (one.member, len(one.amounts))
            for name, amount in one.amounts.items():
                arguments += (name, amount)
        keys = [rules_key(desk), count_key(desk, scope), counted_key(desk, scope)]
        reply = await _run(self._count_and_read, keys, arguments)
        taken, (version, policy, epoch_text, trading), counts = cast("_Reply", reply)
        return Standing(
            version=version,
            policy=policy,
            epoch=epoch_text,
            trading=trading,
            counts=_numbers(counts),
            taken=taken == 1,
        )

    async def close(self) -> None:
        await self._redis.aclose()


async def _run(
    script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | int]
) -> object:
    try:
        return await script(keys, arguments)
    except NO_ANSWER as error:
        raise UnavailableError(f"the policy store: {error}") from error


def _numbers(flat: Sequence[bytes]) -> dict[str, int]:
    pairs = zip(flat[::2], flat[1::2], strict=True)
    try:
        return {name.decode(): int(value) for name, value in pairs}
    except ValueError as error:
        raise UnavailableError(f"the policy store holds a counter that is none: {error}") from error


def rules_key(desk: str) -> str:
    return f"interlock:{{{desk}}}:rules"


def count_key(desk: str, scope: str) -> str:
    return f"interlock:{{{desk}}}:count:{scope}"


def counted_key(desk: str, scope: str) -> str:
    return f"interlock:{{{desk}}}:counted:{scope}"
