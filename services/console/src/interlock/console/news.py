"""What passes on the bus, as events for open pages."""

import asyncio
import logging
import time

from interlock.console import desk_views
from interlock.console.console import Console
from interlock.console.desk_views import day_text
from interlock.console.health_views import health_view
from interlock.console.order_book import decision_item, proposal_item
from interlock.console.plain import money
from interlock.console.queries import approvals, orders
from interlock.console.scores import score_view, scores_now
from interlock.console.views.health import AlertView
from interlock.console.views.judgement import DayNews, EscalationView
from interlock.console.views.orders import DenialView, FillView
from interlock.console.views.policy import ChangeView, PolicyVersionView
from interlock.runtime.errors import UnavailableError
from interlock.wire.accounts import DaySummarised
from interlock.wire.approvals import (
    ApprovalCounted,
    ApprovalDecided,
    ApprovalLapsed,
    ApprovalRequested,
)
from interlock.wire.base import Message
from interlock.wire.decisions import ScoreComputed
from interlock.wire.orders import OrderDenied, OrderFilled
from interlock.wire.policy import PolicyChanged, PromotionAssessed, ProposalJudged
from interlock.wire.reasoning import (
    EscalationTriggered,
    ParameterProposal,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)
from interlock.wire.system import AlertRaised, Heartbeat

_log = logging.getLogger(__name__)

TURN_SECONDS = 0.1
HEALTH_SECONDS = 2.0
MOST_LOOKED_UP = 100
TURNS_LOOKED_UP = 20
_QUIET = (Heartbeat,)


class News:
    """Notes what passes, and makes events of it a few times a second while pages are open."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stale = True
        self._account_moved = False
        self._spent = True
        self._unknown: set[str] = set()
        self._asked: dict[str, int] = {}
        self._last_state = b""

    def missed(self) -> None:
        """Take down that the link was away: everything may be another."""
        self._stale = self._account_moved = self._spent = True
        for score in scores_now(self._console.live):
            self._console.changes.note("score", score.instrument_id, score)

    def hear(self, message: Message) -> None:
        """Note what a message changes. It was taken into the live state already."""
        console = self._console
        intent_id, known = console.book.hear(message)
        if not isinstance(message, _QUIET):
            self._stale = True
        if not console.changes.readers:
            return
        if known is not None:
            console.changes.note("order", intent_id, known.order)
            console.changes.note("decision", intent_id, decision_item(known))
        elif intent_id and len(self._unknown) < MOST_LOOKED_UP:
            self._unknown.add(intent_id)
        self._note(message)

    def _note(self, message: Message) -> None:
        changes = self._console.changes
        match message:
            case ProposalJudged():
                changes.note("decision", message.message_id, proposal_item(message))
            case (
                ParameterProposal()
                | ReasonerFailed()
                | RegimeAudited()
                | RewardsEngineered()
                | SanityJudged()
                | SentimentJudged()
            ):
                self._spent = True
            case ScoreComputed():
                live = self._console.live
                changes.note("score", message.instrument_id, score_view(live, message))
            case EscalationTriggered():
                self._spent = True
                changes.note("escalation", message.message_id, _escalation(message))
            case DaySummarised() | PostMortemWritten() | PromotionAssessed():
                self._spent = True
                changes.note("day", "", DayNews(day=day_text(message.day)))
            case OrderDenied():
                for place, one in enumerate(_denials(message)):
                    changes.note("denial", f"{message.message_id} {place}", one)
            case OrderFilled():
                changes.note("fill", message.message_id, _fill(message))
            case ApprovalRequested() | ApprovalCounted() | ApprovalDecided() | ApprovalLapsed():
                self._asked[message.request_id] = TURNS_LOOKED_UP
            case AlertRaised():
                self.alert(message)
            case PolicyChanged():
                changes.note("policy", "", _version(message))
            case _:
                self._account_moved = True

    def alert(self, alert: AlertRaised) -> None:
        """Show an alert on open pages."""
        self._console.changes.note("alert", alert.message_id, alert_view(alert))

    async def run(self) -> None:
        """Make events until cancelled."""
        looked_at_health = 0.0
        while True:
            await asyncio.sleep(TURN_SECONDS)
            console = self._console
            if not console.changes.readers:
                console.changes.turn()
                continue
            await self._look_up()
            await self._approvals()
            await self._state()
            if time.monotonic() - looked_at_health > HEALTH_SECONDS:
                looked_at_health = time.monotonic()
                console.changes.note("health", "", await health_view(console))
            console.changes.turn()

    async def _look_up(self) -> None:
        """Get orders from the tables whose beginning was not heard."""
        wanted, self._unknown = self._unknown, set()
        if not wanted:
            return
        try:
            found = await orders.orders_of(self._console.tables, sorted(wanted))
        except UnavailableError as error:
            _log.debug("%s", error)
            return
        for order in found:
            self._console.book.put(order)
            self._console.changes.note("order", order.intent_id, order)

    async def _approvals(self) -> None:
        """Send requests as the tables have them, a few times: the ledger is soon, not at once."""
        for request_id, left in list(self._asked.items()):
            try:
                found = await approvals.approval(
                    self._console.tables, self._console.desk.name, request_id
                )
            except UnavailableError as error:
                _log.debug("%s", error)
                return
            if found is not None:
                self._console.changes.note("approval", request_id, found)
            if left > 1:
                self._asked[request_id] = left - 1
            else:
                del self._asked[request_id]

    async def _state(self) -> None:
        if not self._stale:
            return
        self._stale = False
        console = self._console
        if self._spent:
            self._spent = False
            await console.look_up()
        console.changes.note("state", "", console.state_view())
        if self._account_moved and console.live.account is not None:
            self._account_moved = False
            account = desk_views.account_view(console.desk, console.live.account)
            console.changes.note("account", "", account)


def _denials(m: OrderDenied) -> list[DenialView]:
    return [
        DenialView(
            decision_id=m.decision_id,
            intent_id=m.intent_id,
            ts_event=str(m.ts_event),
            instrument_id=m.instrument_id,
            strategy=m.strategy,
            side=m.side,
            requested_quantity=m.requested_quantity,
            code=failure.code,
            observed=failure.observed,
            limit=failure.limit,
            policy_version=m.policy_version,
        )
        for failure in m.failures
    ]


def _fill(m: OrderFilled) -> FillView:
    return FillView(
        message_id=m.message_id,
        decision_id=m.decision_id,
        intent_id=m.intent_id,
        ts_event=str(m.ts_event),
        instrument_id=m.instrument_id,
        side=m.side,
        quantity=money(m.last_qty),
        price=money(m.last_px),
        fee=money(m.fee),
        trade_id=m.trade_id,
    )


def _escalation(m: EscalationTriggered) -> EscalationView:
    return EscalationView(
        message_id=m.message_id,
        decision_id=m.decision_id,
        ts_event=str(m.ts_event),
        day=day_text(m.day),
        trigger=m.trigger,
        call=m.call,
        observed=m.observed,
        limits=m.limits,
        granted=m.granted,
        reason=m.reason,
        calls_today=m.calls_today,
    )


def alert_view(m: AlertRaised) -> AlertView:
    return AlertView(
        message_id=m.message_id,
        ts_event=str(m.ts_event),
        service=m.service,
        severity=m.severity,
        code=m.code,
        text=m.text,
        dedupe_key=m.dedupe_key,
    )


def _version(m: PolicyChanged) -> PolicyVersionView:
    return PolicyVersionView(
        version=m.version,
        ts_event=str(m.ts_event),
        parameters=m.parameters,
        changes=[ChangeView(name=one.name, old=one.old, new=one.new) for one in m.changes],
        author=m.author,
        reason=m.reason,
        decision_id=m.decision_id,
        proposal_id=m.proposal_id,
        config_hash=m.config_hash,
    )
