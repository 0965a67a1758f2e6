"""The gate's dealings with the policy store: what it asks, believes and counts. Part of the shell.

Theory of operation. An approval is durable before it is counted, and to count it is no reason to
wait: it goes along with the next question, in the same round trip, and `flush` sends what no
question came for. What was signed after the question is added to the store's answer, so the answer
always shows all of this process's approvals. A crash loses the list; the next start counts the
day's approvals again, each of them once.

Intents that are in hand together share one question: it is asked after the last of them came.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched

from interlock.gate.counting import APPROVALS, NOTIONAL
from interlock.gate.ports import (
    AskPolicyStore,
    CountApproval,
    CountersSettled,
    PolicyStoreAnswered,
    SettleCounters,
)
from interlock.model.counting import Counted
from interlock.runtime.errors import UnavailableError
from interlock.runtime.rules_records import RulesReader
from interlock.runtime.stores.rules import RulesStore, Standing
from interlock.wire.base import Message, Report

FLUSH_EVERY_SECONDS = 0.1
ASKED_TOGETHER = 16
"""How many intents share a question: the last of them waits some milliseconds for its verdict."""
AT_ONCE = 500
"""How many things are counted in one round trip: far below what 200 ms suffice for."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the store showed, and what had been signed by then of what it shows."""

    scope: str
    epoch: int
    standing: Standing
    signed: Counter[str]
    error: str = ""

    def answers(self, effect: AskPolicyStore) -> bool:
        return self.scope == effect.scope and self.epoch == effect.epoch


@dataclass(kw_only=True, slots=True)
class GateRules:
    """The gate's side of the policy store."""

    desk: str
    store: RulesStore
    reader: RulesReader
    _epoch: int = 0
    _signed: Counter[str] = field(default_factory=Counter[str])
    _signed_in: str = ""
    _on_the_way: dict[str, Counted] = field(default_factory=dict[str, Counted])
    _uncounted: dict[str, dict[str, Counted]] = field(default_factory=dict[str, dict[str, Counted]])
    _together: frozenset[str] = frozenset()
    _shared: _Asked | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def foresee(self, messages: Sequence[Message]) -> None:
        """Ask once on behalf of all of `messages` that will ask."""
        self._together = frozenset(message.message_id for message in messages)
        self._shared = None

    def signed(self, scope: str, approval: Counted) -> None:
        """Remember an approval that is not durable yet."""
        if self._signed_in != scope:
            self._signed_in, self._signed = scope, Counter()
            self._on_the_way.clear()
        self._on_the_way[approval.member] = approval
        self._signed.update(approval.amounts)

    def count(self, effect: CountApproval) -> Sequence[Report]:
        """Remember to count an approval that is durable."""
        self._epoch = effect.epoch
        self._on_the_way.pop(effect.approval.member, None)
        scope = self._uncounted.setdefault(effect.scope, {})
        scope[effect.approval.member] = effect.approval
        return ()

    async def ask(self, effect: AskPolicyStore) -> Sequence[Report]:
        """Return the store's answer, verified; none of its silence is taken for a yes."""
        self._epoch = effect.epoch
        asked = self._shared if effect.intent.message_id in self._together else None
        if asked is None or not asked.answers(effect):
            asked = self._shared = await self._asked(effect)
        return [self._answer(effect, asked)]

    async def _asked(self, effect: AskPolicyStore) -> _Asked:
        """Ask, one question at a time: what one of them counts is no news to the other."""
        async with self._turn:
            try:
                return await self._read(effect)
            except UnavailableError as error:
                return _Asked(effect.scope, effect.epoch, Standing(), Counter(), str(error))

    async def _read(self, effect: AskPolicyStore) -> _Asked:
        waiting = list(self._uncounted.get(effect.scope, {}).values())
        some, later = waiting[:AT_ONCE], waiting[AT_ONCE:]
        signed = self._signed_in_scope(effect.scope).copy()
        not_told = [*later, *self._on_the_way.values()]
        standing = await self.store.read(self.desk, effect.scope, epoch=effect.epoch, counted=some)
        if standing.taken:
            self._forget(effect.scope, some)
        else:
            not_told += some
        for approval in not_told:
            signed.subtract(approval.amounts)
        return _Asked(effect.scope, effect.epoch, standing, signed)

    def _answer(self, effect: AskPolicyStore, asked: _Asked) -> PolicyStoreAnswered:
        if asked.error:
            return PolicyStoreAnswered(intent=effect.intent, version=None, error=asked.error)
        believed = self.reader.read(asked.standing)
        counts, now = asked.standing.counts, self._signed_in_scope(effect.scope)
        return PolicyStoreAnswered(
            intent=effect.intent,
            version=believed.version,
            epoch=believed.epoch,
            approvals=counts.get(APPROVALS, 0) + now[APPROVALS] - asked.signed[APPROVALS],
            notional_micros=counts.get(NOTIONAL, 0) + now[NOTIONAL] - asked.signed[NOTIONAL],
            error=believed.error,
        )

    def _signed_in_scope(self, scope: str) -> Counter[str]:
        return self._signed if self._signed_in == scope else Counter()

    async def settle(self, effect: SettleCounters) -> Sequence[Report]:
        """Count the day's approvals again and report what the store then shows."""
        self._epoch = effect.epoch
        try:
            standing = await self._settled(effect)
        except UnavailableError as error:
            scope = self._uncounted.setdefault(effect.scope, {})
            scope |= {one.member: one for one in effect.approvals}
            return [CountersSettled(scope=effect.scope, error=str(error))]
        counts = standing.counts
        return [
            CountersSettled(
                scope=effect.scope,
                approvals=counts.get(APPROVALS, 0),
                notional_micros=counts.get(NOTIONAL, 0),
            )
        ]

    async def _settled(self, effect: SettleCounters) -> Standing:
        for some in batched(effect.approvals, AT_ONCE):
            if not await self.store.count(self.desk, effect.scope, some, epoch=effect.epoch):
                # Halted while this gate was away: it counts once it has heard of that.
                raise UnavailableError("the policy store is at a newer epoch")
        return await self.store.read(self.desk, effect.scope)

    async def flush(self) -> None:
        """Count what no question came for, as long as the process lives."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_SECONDS)
            for scope in list(self._uncounted):
                async with self._turn:
                    try:
                        await self._flush(scope)
                    except UnavailableError:
                        break

    async def _flush(self, scope: str) -> None:
        some = list(self._uncounted.get(scope, {}).values())[:AT_ONCE]
        if some and await self.store.count(self.desk, scope, some, epoch=self._epoch):
            self._forget(scope, some)

    def _forget(self, scope: str, counted: Sequence[Counted]) -> None:
        waiting = self._uncounted.get(scope)
        if waiting is None:
            return
        for one in counted:
            waiting.pop(one.member, None)
        if not waiting:
            del self._uncounted[scope]
