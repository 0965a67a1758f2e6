"""Decisions, and the controls they were held against."""

from typing import Any

from interlock.console.views.base import Money, Nanos, View
from interlock.console.views.judgement import EscalationView, ScoreView
from interlock.console.views.orders import FillView, OrderView
from interlock.console.views.policy import PolicyVersionView


class DecisionItem(View, frozen=True, kw_only=True):
    """One line of the decision list: an intent (`kind` ``order``) or a model's ``proposal``.

    `verdict` of an order is ``pending``, ``approved`` or ``denied``, and ``protective`` of one that
    was signed with its entry; of a proposal it is policy's word.
    `codes` are the failed controls, or a proposal's freezes. `epoch` is the policy version then.
    `conviction` is from 0 to 100.
    """

    decision_id: str
    kind: str
    ts_event: Nanos
    desk: str
    instrument_id: str | None
    strategy: str | None
    side: str | None
    requested_quantity: Money | None
    quantity: Money | None
    verdict: str
    codes: list[str]
    conviction: float | None
    epoch: int | None
    status: str | None
    summary: str
    intent_id: str | None


class DecisionsPage(View, frozen=True, kw_only=True):
    """A page may be shorter than asked for, even empty, while `next` is not none: go on with it."""

    items: list[DecisionItem]
    next: str | None


class SpanView(View, frozen=True, kw_only=True):
    """One step of the waterfall; parents come before their children."""

    depth: int
    service: str
    name: str
    start_ms: float
    duration_ms: float
    failed: bool
    span_id: str
    parent_span_id: str
    attributes: dict[str, str]


class MessageView(View, frozen=True, kw_only=True):
    message_id: str
    ts_event: Nanos
    tag: str
    subject: str


class ModelCallView(View, frozen=True, kw_only=True):
    """One call of a model. `outcome` is ``answered`` or why it gave nothing.

    Text of models and of the prompt is to be shown as text; `parsed` is the answer's JSON where it
    is JSON, none otherwise. `question` is the kind of answer that was asked for; `source` is cloud
    or local where an escalation asked.
    """

    message_id: str
    ts_event: Nanos
    outcome: str
    question: str
    source: str | None
    provider: str
    model: str
    prompt: str | None
    answer: str | None
    parsed: Any
    detail: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: Money
    latency_ms: float


class ControlHeld(View, frozen=True, kw_only=True):
    """One control as it was asked of an intent.

    `observed` and `limit` of a control that held are worked out again from what is on record, and
    none where they cannot be. `headroom_pct` is what was left of the limit, below zero where it
    failed. One that was not `asked` lets every order pass that only reduces.
    """

    code: str
    definition: str
    unit: str
    level: str
    held: bool
    asked: bool
    observed: str | None
    limit: str | None
    headroom_pct: float | None


class VerdictView(View, frozen=True, kw_only=True):
    """The gate's word on one intent."""

    intent_id: str
    instrument_id: str | None
    verdict: str
    epoch: int | None
    controls: list[ControlHeld]


class OrderEventView(View, frozen=True, kw_only=True):
    message_id: str
    ts_event: Nanos
    intent_id: str
    status: str | None
    tag: str
    filled_quantity: Money | None
    detail: str | None


class ProposalView(View, frozen=True, kw_only=True):
    """Policy's verdict on a model's proposal."""

    message_id: str
    ts_event: Nanos
    provider: str
    parameter: str
    old: float
    proposed: float
    applied: float
    verdict: str
    freeze_reasons: list[str]
    policy_version: int


class SetByView(View, frozen=True, kw_only=True):
    """The policy version a decision was made under, and the decision that brought it about.

    `escalations` are the triggers that fired in that decision, where a model's answer did it.
    """

    version: int
    decision_id: str
    author: str
    reason: str
    escalations: list[str]


class OutcomeView(View, frozen=True, kw_only=True):
    """What came of the decision's orders so far. `result` is none, open, won, lost or even."""

    result: str
    filled_quantity: Money
    fees: Money
    entry_price: Money | None
    exit_price: Money | None
    realised_pnl: Money | None


class DecisionView(View, frozen=True, kw_only=True):
    """One decision from the first event to what came of it."""

    decision_id: str
    items: list[DecisionItem]
    waterfall: list[SpanView]
    messages: list[MessageView]
    model_calls: list[ModelCallView]
    proposals: list[ProposalView]
    scores: list[ScoreView]
    escalations: list[EscalationView]
    policy_changes: list[PolicyVersionView]
    verdicts: list[VerdictView]
    orders: list[OrderView]
    order_events: list[OrderEventView]
    fills: list[FillView]
    set_by: SetByView | None
    outcome: OutcomeView


class ControlView(View, frozen=True, kw_only=True):
    """One control of the gate: its limit, what is used of it now, and today's denials.

    `binds_reducing`: it is asked of orders that only reduce, too.
    """

    code: str
    definition: str
    unit: str
    source: str
    level: str
    binds_reducing: bool
    limit: str | None
    observed: str | None
    headroom_pct: float | None
    denials_today: int
    last_denied_at: Nanos | None


class ControlsView(View, frozen=True, kw_only=True):
    items: list[ControlView]
