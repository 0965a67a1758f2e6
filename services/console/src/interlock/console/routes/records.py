"""What is on record: decisions, orders, policy versions, alerts, scores."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from litestar import get
from litestar.params import Parameter

from interlock.console import controls, desk_views
from interlock.console.console import Console
from interlock.console.guards import needs
from interlock.console.order_book import verdict_of
from interlock.console.pages import LINES, bounded
from interlock.console.plain import text_of
from interlock.console.problems import unknown, unusable
from interlock.console.queries import account as account_queries
from interlock.console.queries import decision as decision_queries
from interlock.console.queries import judgement, models, orders, policy
from interlock.console.queries.decisions import (
    ORDER,
    PROPOSAL,
    DecisionFilter,
    decisions_page,
    items_of_decision,
)
from interlock.console.routes.documented import PROBLEMS
from interlock.console.scores import scores_now
from interlock.console.views.decisions import DecisionsPage, DecisionView, VerdictView
from interlock.console.views.desk import BudgetsView
from interlock.console.views.health import AlertsPage
from interlock.console.views.models import (
    BudgetsPage,
    CalibrationView,
    CloudStatusView,
    ModelStatsView,
    ScorecardView,
)
from interlock.console.views.orders import DenialView, MarksView, OrdersPage, OrderView
from interlock.console.views.people import Role
from interlock.console.views.policy import (
    BoundsView,
    PolicyDiffView,
    PolicyHistoryPage,
    PolicyView,
)
from interlock.model.values import Severity

_LOOKS = [needs(Role.VIEWER)]
_CLOUD = ["openai", "openai-chat"]
_NOBODY = ("", "none")
_HIGHEST = 2**63 - 1


@get("/api/decisions", guards=_LOOKS, responses=PROBLEMS)
async def decisions(  # noqa: PLR0913, PLR0917 - each is a filter of the list
    console: Console,
    desk: str | None = None,
    kind: str | None = None,
    instrument: str | None = None,
    min_conviction: Annotated[float | None, Parameter(ge=0, le=100)] = None,
    verdict: str | None = None,
    code: str | None = None,
    epoch: Annotated[int | None, Parameter(ge=0, le=_HIGHEST)] = None,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> DecisionsPage:
    """List decisions, newest first."""
    if kind not in (None, "", ORDER, PROPOSAL):
        raise unusable(f"kind is {ORDER} or {PROPOSAL}")
    wanted = DecisionFilter(
        desk=text_of("desk", desk) or console.desk.name,
        kind=kind or None,
        instrument=text_of("instrument", instrument),
        min_conviction=min_conviction,
        verdict=text_of("verdict", verdict),
        code=text_of("code", code),
        epoch=epoch,
    )
    return await decisions_page(console.tables, wanted, cursor, bounded(limit))


async def _verdict(
    console: Console, order: OrderView, denials: Sequence[DenialView]
) -> VerdictView:
    """Return the gate's word on an order, against the account of that moment."""
    limits = desk_views.gate_limits(console.live)
    account = await account_queries.account_before(
        console.tables, console.desk.name, int(order.ts_event)
    )
    uses = controls.uses_of_order(limits, order)
    if account is not None:
        after = controls.with_order(account, order)
        uses |= controls.uses_of_account(console.desk, limits, after, order.instrument_id)
    verdict = verdict_of(order)
    return VerdictView(
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        verdict=verdict,
        epoch=order.policy_version,
        controls=controls.held_against(order, verdict, denials, uses),
    )


@get("/api/decisions/{decision_id:str}", guards=_LOOKS, responses=PROBLEMS)
async def decision(console: Console, decision_id: str) -> DecisionView:
    """Return one decision from its first event to what came of it."""
    name, tables = text_of("decision_id", decision_id), console.tables
    if name is None:
        raise unknown("give a decision")
    messages = await decision_queries.messages(tables, name)
    waterfall = await decision_queries.spans(tables, name)
    if not messages and not waterfall:
        raise unknown(f"no decision {name} is on record")
    made = await decision_queries.orders(tables, name)
    intent_ids = [one.intent_id for one in made]
    fills = await orders.fills_of(tables, intent_ids)
    denials = await orders.denials_of(tables, intent_ids)
    proposals = await decision_queries.proposals(tables, name)
    used = [one.policy_version for one in made if one.policy_version is not None]
    used += [one.policy_version for one in proposals]
    return DecisionView(
        decision_id=name,
        items=await items_of_decision(tables, name),
        waterfall=waterfall,
        messages=messages,
        model_calls=await decision_queries.model_calls(tables, name),
        proposals=proposals,
        scores=await judgement.scores_of(tables, name),
        escalations=await judgement.escalations_of(tables, name),
        policy_changes=await policy.changes_of(tables, name),
        # What protects an entry carries the entry's signature: the gate is not asked again.
        verdicts=[await _verdict(console, one, denials) for one in made if one.parent is None],
        orders=made,
        order_events=await decision_queries.order_events(tables, made),
        fills=fills,
        set_by=await policy.set_by(tables, console.desk.name, max(used)) if used else None,
        outcome=decision_queries.outcome(made, fills),
    )


@get("/api/orders", guards=_LOOKS, responses=PROBLEMS)
async def orders_list(
    console: Console,
    status: str = "all",
    instrument: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> OrdersPage:
    """List orders, newest first; `status` is ``open`` or ``all``."""
    if status not in ("open", "all"):
        raise unusable("status is open or all")
    return await orders.orders_page(
        console.tables,
        console.desk.name,
        only_open=status == "open",
        instrument=text_of("instrument", instrument),
        cursor=cursor,
        limit=bounded(limit),
    )


@get("/api/marks", guards=_LOOKS, responses=PROBLEMS)
async def marks(console: Console, instrument: str) -> MarksView:
    """Return what a chart of an instrument marks."""
    name = text_of("instrument", instrument)
    if name is None:
        raise unusable("give an instrument")
    return await orders.marks(console.tables, console.desk.name, name)


@get("/api/policy", guards=_LOOKS, responses=PROBLEMS)
async def policy_now(console: Console) -> PolicyView:
    """Return the version in force, and between what each parameter may move."""
    section = console.sections.get("policy", {}).get("parameters", {})
    live = console.live.policy
    return PolicyView(
        current=await policy.version(console.tables, console.desk.name, None),
        bounds={
            name: BoundsView(
                lower=_number(limits.get("lower")),
                upper=_number(limits.get("upper")),
                max_step=_number(limits.get("max_step")),
            )
            for name, limits in section.items()
        },
        do_not_trade=[] if live is None else live.do_not_trade,
    )


def _number(value: object) -> float | None:
    number = desk_views.decimal_of(value)
    return None if number is None else float(number)


@get("/api/policy/history", guards=_LOOKS, responses=PROBLEMS)
async def policy_history(
    console: Console,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> PolicyHistoryPage:
    """List versions, newest first."""
    return await policy.history(console.tables, console.desk.name, cursor, bounded(limit))


@get("/api/policy/diff", guards=_LOOKS, responses=PROBLEMS)
async def policy_diff(
    console: Console,
    before: Annotated[int, Parameter(query="from", ge=0, le=_HIGHEST)],
    after: Annotated[int, Parameter(query="to", ge=0, le=_HIGHEST)],
) -> PolicyDiffView:
    """Return two versions and what differs."""
    return await policy.diff(console.tables, console.desk.name, before, after)


@get("/api/scorecard", guards=_LOOKS, responses=PROBLEMS)
async def scorecard(console: Console) -> ScorecardView:
    """Return how the desk has done, as a whole and by policy version."""
    return await models.scorecard(console.tables, console.desk.name)


@get("/api/calibration", guards=_LOOKS, responses=PROBLEMS)
async def calibration(console: Console) -> CalibrationView:
    """Return how often what was claimed came true."""
    return await models.calibration(console.tables, console.desk.name)


@get("/api/budgets", guards=_LOOKS, responses=PROBLEMS)
async def budgets(console: Console) -> BudgetsPage:
    """Return today's model calls and costs, and by model."""
    return BudgetsPage(
        today=await console.budgets_now(),
        models=await models.use_of_models(console.tables, console.desk.name, console.day_began),
    )


@get("/api/gpt5-status", guards=_LOOKS, responses=PROBLEMS)
async def cloud_status(console: Console) -> CloudStatusView:
    """Return whether the cloud model may be asked today, and its last call."""
    today = await console.budgets_now()
    last = await models.last_call(
        console.tables, console.desk.name, _CLOUD, escalates=console.escalates
    )
    asked = console.cloud if console.escalates else console.sections.get("local_reasoner", {})
    provider, model = str(asked.get("provider", "")), str(asked.get("model", ""))
    known = console.escalates or provider in _CLOUD or last is not None
    paused = console.live.reasoner is not None and console.live.reasoner.paused
    fired = await judgement.escalations_page(console.tables, console.desk.name, None, 1)
    status = "available"
    if not known or (console.escalates and provider in _NOBODY):
        status = "none"
    elif paused:
        status = "paused"
    elif _used_up(today):
        status = "exhausted"
    return CloudStatusView(
        status=status,
        provider=provider,
        model=model,
        paused=paused,
        budgets=today,
        last_call=last,
        last_escalation=fired.items[0] if fired.items else None,
    )


def _used_up(today: BudgetsView) -> bool:
    """Return whether no call is left, or no money for one."""
    cloud = today.cloud
    if cloud is None:
        return today.calls_limit is not None and today.calls_today >= today.calls_limit
    spent = cloud.usd_limit is not None and Decimal(cloud.usd_today) >= Decimal(cloud.usd_limit)
    return cloud.calls_today >= cloud.calls_limit or spent


@get("/api/model-stats", guards=_LOOKS, responses=PROBLEMS)
async def model_stats(console: Console) -> ModelStatsView:
    """Return every model's calls on record, and how well claims came true."""
    now = console.state_view()
    return ModelStatsView(
        models=await models.use_of_models(console.tables, console.desk.name, 0),
        calibration=await models.calibration(console.tables, console.desk.name),
        features=now.features,
        weights=now.weights,
        rewards=now.rewards,
        scores=scores_now(console.live),
    )


@get("/api/alerts", guards=_LOOKS, responses=PROBLEMS)
async def alerts(
    console: Console,
    severity: Severity | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> AlertsPage:
    """List alerts, newest first."""
    return await account_queries.alerts(
        console.tables, console.desk.name, severity, cursor, bounded(limit)
    )


ROUTES = (
    decisions,
    decision,
    orders_list,
    marks,
    policy_now,
    policy_history,
    policy_diff,
    scorecard,
    calibration,
    budgets,
    cloud_status,
    model_stats,
    alerts,
)
