"""The rules in force and the counters that go with them, where every service can ask for them.

Theory of operation. Two records stand for a desk: its policy and its trading state, each the signed
message itself. A record is taken only if its number (`version`, `epoch`) is newer than the one that
stands, and a counter moves only for a writer whose epoch is not older than the one that stands, so
an old writer that wakes up changes nothing. Counters are kept by scope, such as one trading day;
each thing is counted once by its name. The store is believed by nobody: readers verify the records'
signatures and hold the counters against their own sums.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from interlock.model.counting import Counted
from interlock.wire import codec
from interlock.wire.base import Message
from interlock.wire.policy import PolicyChanged, TradingStateChanged

type Rules = PolicyChanged | TradingStateChanged

KEPT_SECONDS = 8 * 86_400
"""How long a day's counters stay: over every weekend and holiday, and no longer."""
FOR_EVER = 0


class Saved(StrEnum):
    """What became of a record.

    ``taken``: it stands now. ``stands``: this very record stood already. ``fenced``: one of a
    newer number stands. ``differs``: another record of the same number stands. Of the last two
    nothing was written, and one of the two writers is wrong.
    """

    TAKEN = "taken"
    STANDS = "stands"
    FENCED = "fenced"
    DIFFERS = "differs"


class Standing(Struct, frozen=True, kw_only=True):
    """What the store holds for a desk; `counts` is of the scope that was asked for.

    `version` and `epoch` are the numbers the store fences by, the records its bytes. `taken` is
    whether what was to be counted on the way has been counted.
    """

    version: bytes | None = None
    policy: bytes | None = None
    epoch: bytes | None = None
    trading: bytes | None = None
    counts: dict[str, int] = {}
    taken: bool = True


class RulesStore(Protocol):
    """Where the rules in force stand. Every call raises `UnavailableError`."""

    async def save(self, rules: Rules) -> Saved:
        """Put `rules` in force unless a record as new stands."""
        ...

    async def read(
        self, desk: str, scope: str = "", *, epoch: int = 0, counted: Sequence[Counted] = ()
    ) -> Standing:
        """Return what stands, in one round trip; count `counted` first, as `count` does."""
        ...

    async def count(
        self,
        desk: str,
        scope: str,
        counted: Sequence[Counted],
        *,
        epoch: int,
        kept_seconds: int = KEPT_SECONDS,
    ) -> bool:
        """Move the counters of `scope` for each of `counted` that was not counted before.

        Where the scope is empty it is made, so to count everything again restores it. Return
        whether it was done: a writer of an older epoch than the one that stands is refused.
        """
        ...

    async def close(self) -> None: ...


class MemoryRulesStore:
    """The store of a desk that lives in one process."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, type[Message]], tuple[Rules, bytes]] = {}
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self._members: dict[tuple[str, str], set[str]] = {}

    async def save(self, rules: Rules) -> Saved:
        key = rules.desk, type(rules)
        if key in self._rules:
            standing, _ = self._rules[key]
            if number_of(standing) > number_of(rules):
                return Saved.FENCED
            if number_of(standing) == number_of(rules):
                return Saved.STANDS if standing == rules else Saved.DIFFERS
        self._rules[key] = rules, codec.encode(rules)
        return Saved.TAKEN

    async def read(
        self, desk: str, scope: str = "", *, epoch: int = 0, counted: Sequence[Counted] = ()
    ) -> Standing:
        taken = await self.count(desk, scope, counted, epoch=epoch) if counted else True
        version, policy = self._standing(desk, PolicyChanged)
        fence, trading = self._standing(desk, TradingStateChanged)
        return Standing(
            version=version,
            policy=policy,
            epoch=fence,
            trading=trading,
            counts=dict(self._counts.get((desk, scope), {})),
            taken=taken,
        )

    async def count(
        self,
        desk: str,
        scope: str,
        counted: Sequence[Counted],
        *,
        epoch: int,
        kept_seconds: int = KEPT_SECONDS,  # noqa: ARG002 - a process does not live that long
    ) -> bool:
        standing, _ = self._standing(desk, TradingStateChanged)
        if standing is not None and int(standing) > epoch:
            return False
        counts = self._counts.setdefault((desk, scope), {})
        members = self._members.setdefault((desk, scope), set())
        for one in counted:
            if one.member not in members:
                members.add(one.member)
                for name, amount in one.amounts.items():
                    counts[name] = counts.get(name, 0) + amount
        return True

    def _standing(self, desk: str, kind: type[Message]) -> tuple[bytes | None, bytes | None]:
        if (desk, kind) not in self._rules:
            return None, None
        rules, record = self._rules[desk, kind]
        return b"%d" % number_of(rules), record

    async def close(self) -> None:
        """Nothing is open."""


def number_of(rules: Rules) -> int:
    """Return the number a record is fenced by."""
    return rules.version if isinstance(rules, PolicyChanged) else rules.epoch
