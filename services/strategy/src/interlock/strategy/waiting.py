"""Entries that wait for people, as the strategy remembers them: what it asked, and the answers."""

from dataclasses import dataclass, field

from interlock.model.values import TradingState
from interlock.wire.approvals import (
    ApprovalCode,
    ApprovalDecided,
    ApprovalLapsed,
    ApprovalRequested,
)
from interlock.wire.base import Message, Report
from interlock.wire.orders import OrderIntent
from interlock.wire.policy import TradingStateChanged

CONCERNED = (
    ApprovalRequested,
    ApprovalDecided,
    ApprovalLapsed,
    OrderIntent,
    TradingStateChanged,
)


@dataclass(slots=True)
class Waiting:
    """`asked` has the request that stands for an instrument, by instrument.

    `granted` is policy's approval of one that has not gone out yet, by request. After a rejection
    nothing is asked for the instrument until `quiet_until`, in UNIX ns. `active`: whether the
    standing of `epoch`, the last one heard, lets entries through.
    """

    asked: dict[str, ApprovalRequested] = field(default_factory=dict[str, ApprovalRequested])
    granted: dict[str, ApprovalDecided] = field(default_factory=dict[str, ApprovalDecided])
    quiet_until: dict[str, int] = field(default_factory=dict[str, int])
    epoch: int = 0
    active: bool = False

    def take(self, heard: Message | Report) -> None:
        match heard:
            case ApprovalRequested():
                self.asked[heard.intent.instrument_id] = heard
            case ApprovalDecided():
                self._decided(heard)
            case ApprovalLapsed():
                self._over(self._by_id(heard.request_id))
            case OrderIntent():
                request = self.asked.get(heard.instrument_id)
                if request is not None and request.intent.intent_id == heard.intent_id:
                    self._over(request)
            case TradingStateChanged() if heard.epoch > self.epoch:
                self.epoch = heard.epoch
                self.active = heard.state is TradingState.ACTIVE
            case _:
                pass

    def _decided(self, decided: ApprovalDecided) -> None:
        request = self._by_id(decided.request_id)
        if request is None:
            return
        if decided.approved:
            self.granted[request.request_id] = decided
            return
        self._over(request)
        if decided.code is ApprovalCode.REJECTED:
            quiet_until = decided.ts_event + window_ns(request)
            self.quiet_until[request.intent.instrument_id] = quiet_until

    def _by_id(self, request_id: str) -> ApprovalRequested | None:
        found = (one for one in self.asked.values() if one.request_id == request_id)
        return next(found, None)

    def _over(self, request: ApprovalRequested | None) -> None:
        if request is not None:
            del self.asked[request.intent.instrument_id]
            self.granted.pop(request.request_id, None)


def window_ns(request: ApprovalRequested) -> int:
    """Return how long people had, or have."""
    return request.expires_at - request.ts_event
