"""The gate's dealings with the policy store: what it asks, believes and counts. Part of the shell.

Theory of operation. An approval is durable before it is counted, and to count it is no reason to
wait: it goes along with the next question, in the same round trip, and `flush` sends what no
question came for. What is not yet known to be counted is added to the store's answer, so the answer
always shows all of this process's approvals. A crash loses the list; the next start counts the
day's approvals again, each of them once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched

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
from interlock.wire.base import Report

FLUSH_EVERY_SECONDS = 0.1
AT_ONCE = 500
"""How many things are counted in one round trip: far below what 200 ms suffice for."""


@dataclass(kw_only=True, slots=True)
class GateRules:
    """The gate's side of the policy store."""

    desk: str
    store: RulesStore
    reader: RulesReader
    _epoch: int = 0
    _uncounted: dict[str, dict[str, Counted]] = field(default_factory=dict[str, dict[str, Counted]])

    def count(self, effect: CountApproval) -> Sequence[Report]:
        """Remember to count an approval."""
        self._epoch = effect.epoch
        scope = self._uncounted.setdefault(effect.scope, {})
        scope[effect.approval.member] = effect.approval
        return ()

    async def ask(self, effect: AskPolicyStore) -> Sequence[Report]:
        """Return the store's answer, verified; none of its silence is taken for a yes."""
        self._epoch = effect.epoch
        waiting = list(self._uncounted.get(effect.scope, {}).values())[:AT_ONCE]
        try:
            standing = await self.store.read(
                self.desk, effect.scope, epoch=effect.epoch, counted=waiting
            )
        except UnavailableError as error:
            return [PolicyStoreAnswered(intent=effect.intent, version=None, error=str(error))]
        if standing.taken:
            self._forget(effect.scope, waiting)
        return [self._answer(effect, standing)]

    def _answer(self, effect: AskPolicyStore, standing: Standing) -> PolicyStoreAnswered:
        believed = self.reader.read(standing)
        counts = dict(standing.counts)
        for one in self._uncounted.get(effect.scope, {}).values():
            for name, amount in one.amounts.items():
                counts[name] = counts.get(name, 0) + amount
        return PolicyStoreAnswered(
            intent=effect.intent,
            version=believed.version,
            epoch=believed.epoch,
            approvals=counts.get("approvals", 0),
            notional_micros=counts.get("notional_micros", 0),
            error=believed.error,
        )

    async def settle(self, effect: SettleCounters) -> Sequence[Report]:
        """Count the day's approvals again and report what the store then shows."""
        self._epoch = effect.epoch
        try:
            for some in batched(effect.approvals, AT_ONCE):
                await self.store.count(self.desk, effect.scope, some, epoch=effect.epoch)
            standing = await self.store.read(self.desk, effect.scope)
        except UnavailableError as error:
            return [CountersSettled(scope=effect.scope, error=str(error))]
        counts = standing.counts
        return [
            CountersSettled(
                scope=effect.scope,
                approvals=counts.get("approvals", 0),
                notional_micros=counts.get("notional_micros", 0),
            )
        ]

    async def flush(self) -> None:
        """Count what no question came for, as long as the process lives."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_SECONDS)
            for scope, waiting in list(self._uncounted.items()):
                some = list(waiting.values())[:AT_ONCE]
                try:
                    taken = await self.store.count(self.desk, scope, some, epoch=self._epoch)
                except UnavailableError:
                    break
                if taken:
                    self._forget(scope, some)

    def _forget(self, scope: str, counted: Sequence[Counted]) -> None:
        waiting = self._uncounted.get(scope)
        if waiting is None:
            return
        for one in counted:
            waiting.pop(one.member, None)
        if not waiting:
            del self._uncounted[scope]
