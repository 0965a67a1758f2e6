"""Every subject, spelled once: ``<kind>.<area>.<name>.<ids...>``."""

import re
from collections.abc import Callable

from interlock.wire.accounts import AccountUpdated, DaySummarised, PositionChanged
from interlock.wire.approvals import (
    ApprovalCounted,
    ApprovalDecided,
    ApprovalLapsed,
    ApprovalRequested,
    GiveApproval,
    RejectApproval,
)
from interlock.wire.decisions import ModeChanged, ScoreComputed
from interlock.wire.market import (
    Bar,
    ClockTicked,
    FeaturesComputed,
    FeedStatusChanged,
    NewsArrived,
    PutCallRatioObserved,
    Quote,
    ReplayFinished,
    ReplayStarted,
    VenueBar,
)
from interlock.wire.orders import (
    CancelOrders,
    GateConfigured,
    GateHeard,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRequested,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderKept,
    OrderMoved,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
    ReconciliationCompleted,
    SubmitOrder,
    VenueLinkChanged,
)
from interlock.wire.policy import (
    ClearQuarantine,
    CommandRefused,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    PolicyChanged,
    PromotionAssessed,
    ProposalJudged,
    ResumeTrading,
    RollBackPolicy,
    SetParameter,
    SetStage,
    TradingStateChanged,
)
from interlock.wire.reasoning import (
    Assessment,
    DoNotTradeProposed,
    EscalationTriggered,
    ParameterProposal,
    PauseReasoner,
    PostMortemWritten,
    ReasonerFailed,
    ReasonerPaused,
    ReasonerStatusChanged,
    RegimeAudited,
    ResumeReasoner,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)
from interlock.wire.system import (
    AlertRaised,
    ConfigChanged,
    DeadLettered,
    Heartbeat,
    SafetyTripped,
    SwitchChanged,
)

_PLAIN = re.compile(r"[\w\-/=+@]+")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def token(text: str) -> str:
    """Return `text` as one subject token: what NATS reserves becomes %-escaped.

    No two texts share a token; a bare ``%`` stands for the empty one.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_escape(character) for character in text) or "%"


def _escape(character: str) -> str:
    if character.isalnum() or character in "-_/=+@":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())


def interval(seconds: int) -> str:
    """Return a bar length as the field writes it: ``5s``, ``1m``, ``1h``, ``1d``."""
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    raise ValueError(f"a bar of {seconds} seconds has no name")


def spans(service: str) -> str:
    return f"sys.spans.{token(service)}"


def settled(service: str) -> str:
    return f"sys.settled.{token(service)}"


def dead_letter(service: str) -> str:
    return f"dead.letter.{token(service)}"


SETTLED_FROM_ALL = "sys.settled.*"
SPANS_FROM_ALL = "sys.spans.*"
HEARTBEATS_FROM_ALL = "sys.heartbeat.*.*"

type SubjectOf[M] = Callable[[M], str]


def bar(m: Bar) -> str:
    return f"data.bar.{interval(m.bar_seconds)}.{token(m.source)}.{token(m.instrument_id)}"


def venue_bar(m: VenueBar) -> str:
    return f"sim.bar.{token(m.bar.source)}.{token(m.bar.instrument_id)}"


def quote(m: Quote) -> str:
    return f"data.quote.{token(m.source)}.{token(m.instrument_id)}"


def news(m: NewsArrived) -> str:
    return f"data.news.{token(m.source)}"


def put_call(m: PutCallRatioObserved) -> str:
    return f"data.put-call.{token(m.source)}"


def clock(m: ClockTicked) -> str:
    return f"data.clock.{token(m.desk)}"


def features(m: FeaturesComputed) -> str:
    return f"data.features.{token(m.desk)}.{token(m.instrument_id)}"


def feed_status(m: FeedStatusChanged) -> str:
    return f"evt.feed.status.{token(m.desk)}.{token(m.instrument_id)}"


def replay_started(m: ReplayStarted) -> str:
    return f"evt.feed.replay-started.{token(m.desk)}"


def replay_finished(m: ReplayFinished) -> str:
    return f"evt.feed.replay-finished.{token(m.desk)}"


def assessment(m: Assessment) -> str:
    return f"doc.assessment.{token(m.desk)}.{token(m.instrument_id)}"


def param_proposal(m: ParameterProposal) -> str:
    return f"doc.param-proposal.{token(m.desk)}.{token(m.parameter)}"


def reasoner_failed(m: ReasonerFailed) -> str:
    return f"evt.reasoner.failed.{token(m.desk)}"


def proposal_judged(m: ProposalJudged) -> str:
    return f"evt.policy.proposal-judged.{token(m.desk)}"


def policy_changed(m: PolicyChanged) -> str:
    return f"evt.policy.changed.{token(m.desk)}"


def trading_state(m: TradingStateChanged) -> str:
    return f"evt.policy.trading-state.{token(m.desk)}"


def halt(m: HaltTrading) -> str:
    return f"cmd.policy.halt.{token(m.desk)}"


def resume(m: ResumeTrading) -> str:
    return f"cmd.policy.resume.{token(m.desk)}"


def enable_strategy(m: EnableStrategy) -> str:
    return f"cmd.policy.enable-strategy.{token(m.desk)}"


def clear_quarantine(m: ClearQuarantine) -> str:
    return f"cmd.policy.clear-quarantine.{token(m.desk)}"


def set_stage(m: SetStage) -> str:
    return f"cmd.policy.set-stage.{token(m.desk)}"


def force_demo(m: ForceDemo) -> str:
    return f"cmd.policy.force-demo.{token(m.desk)}"


def roll_back(m: RollBackPolicy) -> str:
    return f"cmd.policy.roll-back.{token(m.desk)}"


def set_parameter(m: SetParameter) -> str:
    return f"cmd.policy.set-parameter.{token(m.desk)}"


def pause_reasoner(m: PauseReasoner) -> str:
    return f"cmd.reasoner.pause.{token(m.desk)}"


def resume_reasoner(m: ResumeReasoner) -> str:
    return f"cmd.reasoner.resume.{token(m.desk)}"


def reasoner_paused(m: ReasonerPaused) -> str:
    return f"evt.reasoner.paused.{token(m.desk)}"


def command_refused(m: CommandRefused) -> str:
    return f"evt.policy.command-refused.{token(m.desk)}"


def approval_request(m: ApprovalRequested) -> str:
    return f"doc.approval-request.{token(m.desk)}"


def approve(m: GiveApproval) -> str:
    return f"cmd.policy.approve.{token(m.desk)}"


def reject(m: RejectApproval) -> str:
    return f"cmd.policy.reject.{token(m.desk)}"


def approval_counted(m: ApprovalCounted) -> str:
    return f"evt.policy.approval-counted.{token(m.desk)}"


def approval_decided(m: ApprovalDecided) -> str:
    return f"evt.policy.approval.{token(m.desk)}"


def approval_lapsed(m: ApprovalLapsed) -> str:
    return f"evt.strategy.approval-lapsed.{token(m.desk)}"


def sanity_judged(m: SanityJudged) -> str:
    return f"doc.sanity-judged.{token(m.desk)}"


def sentiment(m: SentimentJudged) -> str:
    return f"doc.sentiment.{token(m.desk)}.{token(m.instrument_id)}"


def escalation_triggered(m: EscalationTriggered) -> str:
    return f"evt.escalation.triggered.{token(m.desk)}"


def regime_audited(m: RegimeAudited) -> str:
    return f"doc.regime-audited.{token(m.desk)}"


def rewards_engineered(m: RewardsEngineered) -> str:
    return f"doc.rewards-engineered.{token(m.desk)}"


def do_not_trade(m: DoNotTradeProposed) -> str:
    return f"doc.do-not-trade.{token(m.desk)}"


def safety_tripped(m: SafetyTripped) -> str:
    return f"evt.safety.tripped.{token(m.desk)}.{token(m.service)}"


def switch_changed(m: SwitchChanged) -> str:
    return f"evt.exec.switch.{token(m.desk)}"


def gate_heard(m: GateHeard) -> str:
    return f"evt.gate.heard.{token(m.desk)}"


def gate_configured(m: GateConfigured) -> str:
    return f"evt.gate.configured.{token(m.desk)}"


def order_intent(m: OrderIntent) -> str:
    return f"doc.order-intent.{token(m.desk)}.{token(m.account)}"


def submit_order(m: SubmitOrder) -> str:
    return f"cmd.exec.submit-order.{token(m.account)}.{token(m.intent_id)}"


def order_denied(m: OrderDenied) -> str:
    return f"evt.order.denied.{token(m.account)}"


def order_submitted(m: OrderSubmitted) -> str:
    return f"evt.order.submitted.{token(m.account)}"


def order_refused(m: OrderRefused) -> str:
    return f"evt.order.refused.{token(m.account)}"


def order_accepted(m: OrderAccepted) -> str:
    return f"evt.order.accepted.{token(m.account)}"


def order_rejected(m: OrderRejected) -> str:
    return f"evt.order.rejected.{token(m.account)}"


def order_filled(m: OrderFilled) -> str:
    return f"evt.order.filled.{token(m.account)}"


def order_canceled(m: OrderCanceled) -> str:
    return f"evt.order.canceled.{token(m.account)}"


def order_expired(m: OrderExpired) -> str:
    return f"evt.order.expired.{token(m.account)}"


def order_unknown(m: OrderUnknown) -> str:
    return f"evt.order.unknown.{token(m.account)}"


def cancel_orders(m: CancelOrders) -> str:
    return f"cmd.exec.cancel.{token(m.desk)}.{token(m.account)}"


def cancel_requested(m: OrderCancelRequested) -> str:
    return f"evt.order.cancel-requested.{token(m.account)}"


def order_kept(m: OrderKept) -> str:
    return f"evt.order.kept.{token(m.account)}"


def order_moved(m: OrderMoved) -> str:
    return f"evt.order.moved.{token(m.account)}"


def venue_link(m: VenueLinkChanged) -> str:
    return f"evt.exec.venue-link.{token(m.account)}"


def reconciled(m: ReconciliationCompleted) -> str:
    return f"evt.exec.reconciled.{token(m.account)}"


def position_changed(m: PositionChanged) -> str:
    return f"evt.account.position-changed.{token(m.account)}.{token(m.instrument_id)}"


def account_updated(m: AccountUpdated) -> str:
    return f"evt.account.updated.{token(m.account)}"


def alert(m: AlertRaised) -> str:
    return f"evt.alert.raised.{token(m.desk)}.{m.severity}"


def config_changed(m: ConfigChanged) -> str:
    return f"evt.config.changed.{token(m.desk)}.{token(m.service)}"


def heartbeat(m: Heartbeat) -> str:
    return f"sys.heartbeat.{token(m.service)}.{token(m.instance)}"


def dead_lettered(m: DeadLettered) -> str:
    return dead_letter(m.service)


def reasoner_status(m: ReasonerStatusChanged) -> str:
    return f"evt.reasoner.status.{token(m.desk)}"


def post_mortem(m: PostMortemWritten) -> str:
    return f"doc.post-mortem.{token(m.desk)}"


def day_summarised(m: DaySummarised) -> str:
    return f"doc.day-summarised.{token(m.desk)}"


def promotion(m: PromotionAssessed) -> str:
    return f"doc.promotion.{token(m.desk)}"


def score(m: ScoreComputed) -> str:
    return f"doc.score.{token(m.desk)}.{token(m.instrument_id)}"


def mode_changed(m: ModeChanged) -> str:
    return f"evt.strategy.mode.{token(m.desk)}"
