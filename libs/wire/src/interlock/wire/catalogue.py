"""The catalogue: who says what, on which subject, into which stream, to whom, and why.

Permissions, streams, consumers, schemas, service pages and the AsyncAPI document are generated
from this table. A message that is not in it cannot be published.
"""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any

from msgspec import Struct

from interlock.wire import (
    accounts,
    approvals,
    decisions,
    market,
    orders,
    policy,
    reasoning,
    subjects,
    system,
)
from interlock.wire.base import Message


class Stream(StrEnum):
    """A JetStream stream. `DESK` and `APPROVALS` are fsynced before each acknowledgement."""

    MARKET = "MARKET"
    DESK = "DESK"
    APPROVALS = "APPROVALS"
    TELEMETRY = "TELEMETRY"
    DEAD = "DEAD"


class StreamSpec(Struct, frozen=True, kw_only=True):
    """How a stream keeps what it is given. Ages in seconds, sizes in bytes."""

    name: Stream
    subjects: tuple[str, ...]
    durable_before_ack: bool
    max_age_seconds: int
    max_bytes: int
    one_per_subject_for_ever: bool = False
    why: str


_DAY = 86_400
_GIB = 1024**3

STREAMS: tuple[StreamSpec, ...] = (
    StreamSpec(
        name=Stream.MARKET,
        subjects=("data.>", "sim.>"),
        durable_before_ack=False,
        max_age_seconds=7 * _DAY,
        max_bytes=4 * _GIB,
        why="market data and what is computed from it; the source can be asked again",
    ),
    StreamSpec(
        name=Stream.DESK,
        subjects=("doc.>", "evt.>", "cmd.policy.>", "cmd.reasoner.>", "cmd.exec.cancel.>"),
        durable_before_ack=True,
        max_age_seconds=30 * _DAY,
        max_bytes=4 * _GIB,
        why="what the desk thinks, decides and does",
    ),
    StreamSpec(
        name=Stream.APPROVALS,
        subjects=("cmd.exec.submit-order.>",),
        durable_before_ack=True,
        max_age_seconds=0,
        max_bytes=4 * _GIB,
        one_per_subject_for_ever=True,
        why="one approval per intent for ever: the subject ends in the intent's id",
    ),
    StreamSpec(
        name=Stream.TELEMETRY,
        subjects=("sys.spans.>",),
        durable_before_ack=False,
        max_age_seconds=_DAY,
        max_bytes=_GIB,
        why="finished spans on their way to the ledger's span table",
    ),
    StreamSpec(
        name=Stream.DEAD,
        subjects=("dead.>",),
        durable_before_ack=True,
        max_age_seconds=90 * _DAY,
        max_bytes=_GIB,
        why="messages nobody could handle, kept for a person",
    ),
)


class Recovery(StrEnum):
    """What a listener reads back at start to stand where it stood."""

    ALL = "all"
    LAST = "last"
    NONE = "none"


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the catalogue. `pattern` shows the subject, `filter` is what listeners bind."""

    kind: Any
    pattern: str
    subject_of: Callable[[Any], str]
    stream: Stream | None
    publishers: tuple[str, ...]
    listeners: tuple[str, ...]
    why: str
    recovery: Recovery = Recovery.ALL

    @property
    def tag(self) -> str:
        tag = self.kind.__struct_config__.tag
        assert isinstance(tag, str)
        return tag

    @property
    def filter(self) -> str:
        """The pattern with a wildcard for every id."""
        return ".".join("*" if part.startswith("{") else part for part in self.pattern.split("."))


FEED, SIGNALS, REASONER, STRATEGY = "feed", "signals", "local-reasoner", "strategy"
POLICY, GATE, EXEC, LEDGER, CLI = "policy", "gate", "exec", "ledger", "cli"
ESCALATION = "escalation"
CONSOLE = "console"

PEOPLE = (CLI, CONSOLE)
"""What people look at a desk and speak to it with. No desk waits for them."""

ASKING = (STRATEGY,)
"""Who may ask people for an approval."""
ANSWERING = PEOPLE
"""Through whom people answer."""

SERVICES = (LEDGER, EXEC, GATE, POLICY, STRATEGY, REASONER, ESCALATION, SIGNALS, FEED)
"""Every service, in the order of starting: nobody speaks before those who must hear listen."""
OPTIONAL = frozenset({ESCALATION})
"""Services that run only for a desk whose file has their section."""

ENTRIES: tuple[Entry, ...] = (
    Entry(
        kind=market.VenueBar,
        pattern="sim.bar.{source}.{instrument}",
        subject_of=subjects.venue_bar,
        stream=Stream.MARKET,
        publishers=(FEED,),
        listeners=(EXEC,),
        recovery=Recovery.LAST,
        why="the paper venue trades a bar before the desk sees it complete",
    ),
    Entry(
        kind=market.Bar,
        pattern="data.bar.{interval}.{source}.{instrument}",
        subject_of=subjects.bar,
        stream=Stream.MARKET,
        publishers=(FEED,),
        listeners=(SIGNALS, GATE, LEDGER, CONSOLE),
        why="one complete bar",
    ),
    Entry(
        kind=market.Quote,
        pattern="data.quote.{source}.{instrument}",
        subject_of=subjects.quote,
        stream=Stream.MARKET,
        publishers=(FEED,),
        listeners=(SIGNALS, GATE, EXEC),
        recovery=Recovery.LAST,
        why="top of the book",
    ),
    Entry(
        kind=market.NewsArrived,
        pattern="data.news.{source}",
        subject_of=subjects.news,
        stream=Stream.MARKET,
        publishers=(FEED,),
        listeners=(SIGNALS, REASONER, ESCALATION, LEDGER),
        recovery=Recovery.NONE,
        why="news, for a model to read",
    ),
    Entry(
        kind=market.ClockTicked,
        pattern="data.clock.{desk}",
        subject_of=subjects.clock,
        stream=Stream.MARKET,
        publishers=(FEED,),
        listeners=(REASONER, POLICY, GATE, LEDGER, CONSOLE),
        why="one cadence of the desk has passed",
    ),
    Entry(
        kind=market.FeaturesComputed,
        pattern="data.features.{desk}.{instrument}",
        subject_of=subjects.features,
        stream=Stream.MARKET,
        publishers=(SIGNALS,),
        listeners=(REASONER, STRATEGY, GATE, ESCALATION, LEDGER, CONSOLE),
        why="indicators after one bar",
    ),
    Entry(
        kind=market.FeedStatusChanged,
        pattern="evt.feed.status.{desk}.{instrument}",
        subject_of=subjects.feed_status,
        stream=Stream.DESK,
        publishers=(FEED,),
        listeners=(STRATEGY, POLICY, GATE, ESCALATION, LEDGER, CONSOLE),
        why="what is wrong with an instrument's data, or fine again",
    ),
    Entry(
        kind=market.ReplayStarted,
        pattern="evt.feed.replay-started.{desk}",
        subject_of=subjects.replay_started,
        stream=Stream.DESK,
        publishers=(FEED,),
        listeners=(LEDGER,),
        why="a replay begins, with its extent and its scale",
    ),
    Entry(
        kind=market.ReplayFinished,
        pattern="evt.feed.replay-finished.{desk}",
        subject_of=subjects.replay_finished,
        stream=Stream.DESK,
        publishers=(FEED,),
        listeners=(LEDGER,),
        why="a replay has ended, with what went in",
    ),
    Entry(
        kind=reasoning.Assessment,
        pattern="doc.assessment.{desk}.{instrument}",
        subject_of=subjects.assessment,
        stream=Stream.DESK,
        publishers=(REASONER,),
        listeners=(STRATEGY, LEDGER),
        why="a model's view of one instrument",
    ),
    Entry(
        kind=reasoning.ParameterProposal,
        pattern="doc.param-proposal.{desk}.{parameter}",
        subject_of=subjects.param_proposal,
        stream=Stream.DESK,
        publishers=(REASONER, ESCALATION),
        listeners=(POLICY, LEDGER, CONSOLE),
        why="a model asks for another value of a parameter",
    ),
    Entry(
        kind=reasoning.ReasonerFailed,
        pattern="evt.reasoner.failed.{desk}",
        subject_of=subjects.reasoner_failed,
        stream=Stream.DESK,
        publishers=(REASONER, ESCALATION),
        listeners=(LEDGER, CONSOLE),
        why="a model call gave nothing, with the reason",
    ),
    Entry(
        kind=policy.ProposalJudged,
        pattern="evt.policy.proposal-judged.{desk}",
        subject_of=subjects.proposal_judged,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(LEDGER, CONSOLE),
        why="the verdict on a proposal: its audit row",
    ),
    Entry(
        kind=policy.PolicyChanged,
        pattern="evt.policy.changed.{desk}",
        subject_of=subjects.policy_changed,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(REASONER, SIGNALS, STRATEGY, GATE, ESCALATION, LEDGER, CONSOLE),
        why="a new policy version is in force",
    ),
    Entry(
        kind=policy.TradingStateChanged,
        pattern="evt.policy.trading-state.{desk}",
        subject_of=subjects.trading_state,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(STRATEGY, GATE, EXEC, ESCALATION, LEDGER, CONSOLE),
        why="halted, reduce-only or active",
    ),
    Entry(
        kind=policy.HaltTrading,
        pattern="cmd.policy.halt.{desk}",
        subject_of=subjects.halt,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(POLICY, EXEC, LEDGER),
        why="stop all risk-increasing orders",
    ),
    Entry(
        kind=policy.ResumeTrading,
        pattern="cmd.policy.resume.{desk}",
        subject_of=subjects.resume,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(POLICY, EXEC, LEDGER),
        why="a named person lets orders through again",
    ),
    Entry(
        kind=policy.EnableStrategy,
        pattern="cmd.policy.enable-strategy.{desk}",
        subject_of=subjects.enable_strategy,
        stream=Stream.DESK,
        publishers=(CLI,),
        listeners=(POLICY, LEDGER),
        why="a named person lets a disabled strategy enter again",
    ),
    Entry(
        kind=policy.ClearQuarantine,
        pattern="cmd.policy.clear-quarantine.{desk}",
        subject_of=subjects.clear_quarantine,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(POLICY, LEDGER),
        why="a named person ends a quarantine early",
    ),
    Entry(
        kind=policy.SetStage,
        pattern="cmd.policy.set-stage.{desk}",
        subject_of=subjects.set_stage,
        stream=Stream.DESK,
        publishers=(CLI,),
        listeners=(POLICY, LEDGER),
        why="a named person moves the desk to another stage",
    ),
    Entry(
        kind=policy.ForceDemo,
        pattern="cmd.policy.force-demo.{desk}",
        subject_of=subjects.force_demo,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(POLICY, LEDGER),
        why="a named person keeps orders off live accounts",
    ),
    Entry(
        kind=policy.RollBackPolicy,
        pattern="cmd.policy.roll-back.{desk}",
        subject_of=subjects.roll_back,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(POLICY, LEDGER),
        why="a named person puts an older version in force again",
    ),
    Entry(
        kind=policy.SetParameter,
        pattern="cmd.policy.set-parameter.{desk}",
        subject_of=subjects.set_parameter,
        stream=Stream.DESK,
        publishers=(CONSOLE,),
        listeners=(POLICY, LEDGER),
        why="a named person sets a parameter",
    ),
    Entry(
        kind=reasoning.PauseReasoner,
        pattern="cmd.reasoner.pause.{desk}",
        subject_of=subjects.pause_reasoner,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(REASONER, ESCALATION, LEDGER),
        why="a named person wants no model asked any more",
    ),
    Entry(
        kind=reasoning.ResumeReasoner,
        pattern="cmd.reasoner.resume.{desk}",
        subject_of=subjects.resume_reasoner,
        stream=Stream.DESK,
        publishers=PEOPLE,
        listeners=(REASONER, ESCALATION, LEDGER),
        why="a named person wants the models asked again",
    ),
    Entry(
        kind=reasoning.ReasonerPaused,
        pattern="evt.reasoner.paused.{desk}",
        subject_of=subjects.reasoner_paused,
        stream=Stream.DESK,
        publishers=(REASONER,),
        listeners=(LEDGER, CONSOLE),
        why="whether models are asked",
    ),
    Entry(
        kind=policy.CommandRefused,
        pattern="evt.policy.command-refused.{desk}",
        subject_of=subjects.command_refused,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(LEDGER, CONSOLE),
        why="policy will not do what a person asked, and why",
    ),
    Entry(
        kind=approvals.ApprovalRequested,
        pattern="doc.approval-request.{desk}",
        subject_of=subjects.approval_request,
        stream=Stream.DESK,
        publishers=ASKING,
        listeners=(POLICY, LEDGER, CONSOLE),
        why="an entry that waits for people",
    ),
    Entry(
        kind=approvals.GiveApproval,
        pattern="cmd.policy.approve.{desk}",
        subject_of=subjects.approve,
        stream=Stream.DESK,
        publishers=ANSWERING,
        listeners=(POLICY, LEDGER),
        why="a named person approves a request",
    ),
    Entry(
        kind=approvals.RejectApproval,
        pattern="cmd.policy.reject.{desk}",
        subject_of=subjects.reject,
        stream=Stream.DESK,
        publishers=ANSWERING,
        listeners=(POLICY, LEDGER),
        why="a named person rejects a request",
    ),
    Entry(
        kind=approvals.ApprovalCounted,
        pattern="evt.policy.approval-counted.{desk}",
        subject_of=subjects.approval_counted,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(LEDGER, CONSOLE),
        why="what came of one person's word on a request",
    ),
    Entry(
        kind=approvals.ApprovalDecided,
        pattern="evt.policy.approval.{desk}",
        subject_of=subjects.approval_decided,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(STRATEGY, LEDGER, CONSOLE),
        why="the end of a request, once: approved, rejected, expired or stopped",
    ),
    Entry(
        kind=approvals.ApprovalLapsed,
        pattern="evt.strategy.approval-lapsed.{desk}",
        subject_of=subjects.approval_lapsed,
        stream=Stream.DESK,
        publishers=ASKING,
        listeners=(LEDGER, CONSOLE),
        why="an approved entry that is not sent after all, and why",
    ),
    Entry(
        kind=reasoning.SanityJudged,
        pattern="doc.sanity-judged.{desk}",
        subject_of=subjects.sanity_judged,
        stream=Stream.DESK,
        publishers=(REASONER, ESCALATION),
        listeners=(POLICY, LEDGER, CONSOLE),
        why="whether a desk should stay on paper after a kill",
    ),
    Entry(
        kind=system.SafetyTripped,
        pattern="evt.safety.tripped.{desk}.{service}",
        subject_of=subjects.safety_tripped,
        stream=Stream.DESK,
        publishers=(GATE, EXEC, LEDGER),
        listeners=(POLICY, GATE, LEDGER, CONSOLE),
        why="a service found what must not go on",
    ),
    Entry(
        kind=system.SwitchChanged,
        pattern="evt.exec.switch.{desk}",
        subject_of=subjects.switch_changed,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(POLICY, GATE, LEDGER, CONSOLE),
        why="exec's own kill switch was pressed or armed again",
    ),
    Entry(
        kind=orders.GateConfigured,
        pattern="evt.gate.configured.{desk}",
        subject_of=subjects.gate_configured,
        stream=Stream.DESK,
        publishers=(GATE,),
        listeners=(LEDGER, CONSOLE),
        why="the limits the gate starts with",
    ),
    Entry(
        kind=orders.GateHeard,
        pattern="evt.gate.heard.{desk}",
        subject_of=subjects.gate_heard,
        stream=Stream.DESK,
        publishers=(GATE,),
        listeners=(LEDGER,),
        why="what a verdict rests on, so that it can be computed again",
    ),
    Entry(
        kind=orders.OrderIntent,
        pattern="doc.order-intent.{desk}.{account}",
        subject_of=subjects.order_intent,
        stream=Stream.DESK,
        publishers=(STRATEGY,),
        listeners=(GATE, LEDGER, CONSOLE),
        why="what a strategy wants; no order yet",
    ),
    Entry(
        kind=orders.SubmitOrder,
        pattern="cmd.exec.submit-order.{account}.{intent}",
        subject_of=subjects.submit_order,
        stream=Stream.APPROVALS,
        publishers=(GATE,),
        listeners=(EXEC, LEDGER),
        why="a signed order; only the gate may publish it",
    ),
    Entry(
        kind=orders.OrderDenied,
        pattern="evt.order.denied.{account}",
        subject_of=subjects.order_denied,
        stream=Stream.DESK,
        publishers=(GATE,),
        listeners=(STRATEGY, LEDGER, CONSOLE),
        why="the gate's refusal, with every failed control",
    ),
    Entry(
        kind=orders.OrderSubmitted,
        pattern="evt.order.submitted.{account}",
        subject_of=subjects.order_submitted,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(LEDGER, CONSOLE),
        why="the write-ahead row: durable before the venue hears of the order",
    ),
    Entry(
        kind=orders.OrderRefused,
        pattern="evt.order.refused.{account}",
        subject_of=subjects.order_refused,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(STRATEGY, GATE, LEDGER, CONSOLE),
        why="exec would not send it",
    ),
    Entry(
        kind=orders.OrderAccepted,
        pattern="evt.order.accepted.{account}",
        subject_of=subjects.order_accepted,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(LEDGER, CONSOLE),
        why="the venue has the order",
    ),
    Entry(
        kind=orders.OrderRejected,
        pattern="evt.order.rejected.{account}",
        subject_of=subjects.order_rejected,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(STRATEGY, GATE, LEDGER, CONSOLE),
        why="the venue refused",
    ),
    Entry(
        kind=orders.OrderFilled,
        pattern="evt.order.filled.{account}",
        subject_of=subjects.order_filled,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(STRATEGY, GATE, LEDGER, CONSOLE),
        why="one fill",
    ),
    Entry(
        kind=orders.OrderCanceled,
        pattern="evt.order.canceled.{account}",
        subject_of=subjects.order_canceled,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(STRATEGY, GATE, LEDGER, CONSOLE),
        why="the venue will fill no more of it",
    ),
    Entry(
        kind=orders.OrderExpired,
        pattern="evt.order.expired.{account}",
        subject_of=subjects.order_expired,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(STRATEGY, GATE, LEDGER, CONSOLE),
        why="its time in force ran out",
    ),
    Entry(
        kind=orders.OrderUnknown,
        pattern="evt.order.unknown.{account}",
        subject_of=subjects.order_unknown,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(GATE, LEDGER, CONSOLE),
        why="sent and no answer; it counts as exposure",
    ),
    Entry(
        kind=orders.CancelOrders,
        pattern="cmd.exec.cancel.{desk}.{account}",
        subject_of=subjects.cancel_orders,
        stream=Stream.DESK,
        publishers=(STRATEGY, POLICY, CLI),
        listeners=(EXEC, LEDGER),
        why="end orders that are working",
    ),
    Entry(
        kind=orders.OrderCancelRequested,
        pattern="evt.order.cancel-requested.{account}",
        subject_of=subjects.cancel_requested,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(LEDGER,),
        why="the venue is about to be asked for an order's end",
    ),
    Entry(
        kind=orders.OrderKept,
        pattern="evt.order.kept.{account}",
        subject_of=subjects.order_kept,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(LEDGER,),
        why="the venue would not end an order",
    ),
    Entry(
        kind=orders.OrderMoved,
        pattern="evt.order.moved.{account}",
        subject_of=subjects.order_moved,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(LEDGER,),
        why="where a trailing stop or a post-only order stands at a simulated venue",
    ),
    Entry(
        kind=orders.VenueLinkChanged,
        pattern="evt.exec.venue-link.{account}",
        subject_of=subjects.venue_link,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(STRATEGY, GATE, LEDGER, CONSOLE),
        why="whether the venue's news of orders comes in",
    ),
    Entry(
        kind=orders.ReconciliationCompleted,
        pattern="evt.exec.reconciled.{account}",
        subject_of=subjects.reconciled,
        stream=Stream.DESK,
        publishers=(EXEC,),
        listeners=(POLICY, GATE, LEDGER, CONSOLE),
        why="our book was held against the venue's",
    ),
    Entry(
        kind=accounts.PositionChanged,
        pattern="evt.account.position-changed.{account}.{instrument}",
        subject_of=subjects.position_changed,
        stream=Stream.DESK,
        publishers=(LEDGER,),
        listeners=(ESCALATION, CONSOLE),
        why="a position after a fill",
    ),
    Entry(
        kind=accounts.AccountUpdated,
        pattern="evt.account.updated.{account}",
        subject_of=subjects.account_updated,
        stream=Stream.DESK,
        publishers=(LEDGER,),
        listeners=(STRATEGY, POLICY, GATE, ESCALATION, CONSOLE),
        why="equity, profits and positions once a cadence",
    ),
    Entry(
        kind=system.AlertRaised,
        pattern="evt.alert.raised.{desk}.{severity}",
        subject_of=subjects.alert,
        stream=Stream.DESK,
        publishers=(FEED, SIGNALS, REASONER, ESCALATION, STRATEGY, POLICY, GATE, EXEC, LEDGER, CLI),
        listeners=(LEDGER, CONSOLE),
        why="something a person should know",
    ),
    Entry(
        kind=system.ConfigChanged,
        pattern="evt.config.changed.{desk}.{service}",
        subject_of=subjects.config_changed,
        stream=Stream.DESK,
        publishers=(STRATEGY,),
        listeners=(LEDGER,),
        why="a service took a new configuration while running",
    ),
    Entry(
        kind=system.Heartbeat,
        pattern="sys.heartbeat.{service}.{instance}",
        subject_of=subjects.heartbeat,
        stream=None,
        publishers=(FEED, SIGNALS, REASONER, ESCALATION, STRATEGY, POLICY, GATE, EXEC, LEDGER),
        listeners=(STRATEGY, EXEC, CLI, CONSOLE),
        recovery=Recovery.NONE,
        why="a service is alive; not stored",
    ),
    Entry(
        kind=system.DeadLettered,
        pattern="dead.letter.{service}",
        subject_of=subjects.dead_lettered,
        stream=Stream.DEAD,
        publishers=(FEED, SIGNALS, REASONER, ESCALATION, STRATEGY, POLICY, GATE, EXEC, LEDGER),
        listeners=(CLI, CONSOLE),
        recovery=Recovery.NONE,
        why="a message nobody could handle, parked with its body",
    ),
    Entry(
        kind=market.PutCallRatioObserved,
        pattern="data.put-call.{source}",
        subject_of=subjects.put_call,
        stream=Stream.MARKET,
        publishers=(FEED,),
        listeners=(ESCALATION, LEDGER),
        why="open puts over open calls of the market, on the day it is of",
    ),
    Entry(
        kind=reasoning.SentimentJudged,
        pattern="doc.sentiment.{desk}.{instrument}",
        subject_of=subjects.sentiment,
        stream=Stream.DESK,
        publishers=(REASONER,),
        listeners=(STRATEGY, ESCALATION, LEDGER, CONSOLE),
        why="how a model takes the news of one instrument",
    ),
    Entry(
        kind=reasoning.ReasonerStatusChanged,
        pattern="evt.reasoner.status.{desk}",
        subject_of=subjects.reasoner_status,
        stream=Stream.DESK,
        publishers=(REASONER,),
        listeners=(STRATEGY, LEDGER, CONSOLE),
        why="the local model is out of reach, or answers again",
    ),
    Entry(
        kind=reasoning.PostMortemWritten,
        pattern="doc.post-mortem.{desk}",
        subject_of=subjects.post_mortem,
        stream=Stream.DESK,
        publishers=(REASONER, ESCALATION),
        listeners=(LEDGER, CONSOLE),
        why="what a trading day came to, and why",
    ),
    Entry(
        kind=accounts.DaySummarised,
        pattern="doc.day-summarised.{desk}",
        subject_of=subjects.day_summarised,
        stream=Stream.DESK,
        publishers=(LEDGER,),
        listeners=(REASONER, ESCALATION, CONSOLE),
        why="a trading day that is over, in figures",
    ),
    Entry(
        kind=policy.PromotionAssessed,
        pattern="doc.promotion.{desk}",
        subject_of=subjects.promotion,
        stream=Stream.DESK,
        publishers=(POLICY,),
        listeners=(LEDGER, CONSOLE),
        why="what the desk has shown of what the next stage needs",
    ),
    Entry(
        kind=decisions.ScoreComputed,
        pattern="doc.score.{desk}.{instrument}",
        subject_of=subjects.score,
        stream=Stream.DESK,
        publishers=(STRATEGY,),
        listeners=(ESCALATION, LEDGER, CONSOLE),
        why="the meta-ensemble's score after one bar, with all it was made of",
    ),
    Entry(
        kind=decisions.ModeChanged,
        pattern="evt.strategy.mode.{desk}",
        subject_of=subjects.mode_changed,
        stream=Stream.DESK,
        publishers=(STRATEGY,),
        listeners=(POLICY, LEDGER, CONSOLE),
        why="a failure mode of the meta-ensemble begins or ends",
    ),
    Entry(
        kind=reasoning.EscalationTriggered,
        pattern="evt.escalation.triggered.{desk}",
        subject_of=subjects.escalation_triggered,
        stream=Stream.DESK,
        publishers=(ESCALATION,),
        listeners=(POLICY, LEDGER, CONSOLE),
        why="something is worth a call of the cloud model, granted or not",
    ),
    Entry(
        kind=reasoning.RegimeAudited,
        pattern="doc.regime-audited.{desk}",
        subject_of=subjects.regime_audited,
        stream=Stream.DESK,
        publishers=(ESCALATION,),
        listeners=(LEDGER, CONSOLE),
        why="a model's view of the market's regime, and what it would change",
    ),
    Entry(
        kind=reasoning.RewardsEngineered,
        pattern="doc.rewards-engineered.{desk}",
        subject_of=subjects.rewards_engineered,
        stream=Stream.DESK,
        publishers=(ESCALATION,),
        listeners=(LEDGER, CONSOLE),
        why="a model's view of what the desk should be rewarded for",
    ),
    Entry(
        kind=reasoning.DoNotTradeProposed,
        pattern="doc.do-not-trade.{desk}",
        subject_of=subjects.do_not_trade,
        stream=Stream.DESK,
        publishers=(ESCALATION,),
        listeners=(POLICY, LEDGER, CONSOLE),
        why="a model asks to leave some instruments or sectors alone",
    ),
)

BY_TAG: dict[str, Entry] = {entry.tag: entry for entry in ENTRIES}
BY_KIND: dict[type[Message], Entry] = {entry.kind: entry for entry in ENTRIES}


def entry_of(message: Message) -> Entry:
    """Return the catalogue's line for `message`. A message without one is a programming error."""
    return BY_KIND[type(message)]


def subject_of(message: Message) -> str:
    """Return the subject `message` travels on."""
    subject: str = BY_KIND[type(message)].subject_of(message)
    return subject


def heard_by(service: str) -> tuple[Entry, ...]:
    """Return what `service` listens to, stored messages only."""
    return tuple(e for e in ENTRIES if service in e.listeners and e.stream is not None)


def filters_of(service: str) -> dict[Stream, list[str]]:
    """Return, for each stream a service hears, the subjects it hears there.

    The ledger also hears finished spans, which are no messages of a desk.
    """
    filters: dict[Stream, list[str]] = {}
    for entry in heard_by(service):
        if entry.stream is not None:
            filters.setdefault(entry.stream, []).append(entry.filter)
    if service == LEDGER:
        filters[Stream.TELEMETRY] = [subjects.SPANS_FROM_ALL]
    return filters


def services_of(sections: Collection[str] = ()) -> tuple[str, ...]:
    """Return the services of a desk whose file has these sections, in the order of starting."""
    return tuple(
        name for name in SERVICES if name not in OPTIONAL or name.replace("-", "_") in sections
    )


def said_by(service: str) -> tuple[Entry, ...]:
    return tuple(e for e in ENTRIES if service in e.publishers)


def listeners_of(tag: str) -> tuple[str, ...]:
    """Return the services that will handle a message of this tag; people's tools do not count."""
    return tuple(name for name in BY_TAG[tag].listeners if name not in PEOPLE)
