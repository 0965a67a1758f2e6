"""A policy service under test: its configuration, its messages, and what it says."""

from decimal import Decimal

from interlock.model.values import Stage
from interlock.policy.app import build
from interlock.policy.config import KillRule, ParameterLimits, PolicyConfig
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.testkit.cells import begin, cell_of, react
from interlock.testkit.decisions import account, desk, reconciled
from interlock.testkit.desk_messages import SECOND, ids
from interlock.testkit.rules import SEAL
from interlock.wire.policy import (
    ClearQuarantine,
    CommandRefused,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    PolicyChanged,
    PromotionAssessed,
    ResumeTrading,
    RollBackPolicy,
    SetParameter,
    SetStage,
    TradingStateChanged,
)
from interlock.wire.reasoning import CallKind, EscalationTriggered, SanityJudged, Trigger
from interlock.wire.system import AlertRaised, SafetyTripped, SwitchChanged, TripLevel

LIMITS = ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)
KILL = KillRule(daily_loss_pct=2.5, kill_days=3, window_days=10, quarantine_days=7)
DAY_SECONDS = 86_400
START = Decimal(30_000)
COMMANDS = (
    HaltTrading,
    ResumeTrading,
    EnableStrategy,
    ClearQuarantine,
    SetStage,
    ForceDemo,
    RollBackPolicy,
    SetParameter,
)


def config(**changes):
    return PolicyConfig(**({"parameters": {"threshold_bps": LIMITS}, "kill": KILL} | changes))


def fresh_cell(configured=None, store=None, config_hash="c0ffee", signer=SEAL, **desk_changes):
    """Return a cell before its first start."""
    store = store or MemoryRulesStore()
    service = build(desk(**desk_changes), configured or config(), config_hash, store, signer)
    return cell_of(service)


def policy_cell(configured=None, store=None, **more):
    """Return a cell that has started and found its book equal to the venue's."""
    cell = fresh_cell(configured, store, **more)
    begin(cell, 0)
    react(cell, reconciled(), 0)
    return cell


_FIELDS = {
    EnableStrategy: {"strategy": "threshold"},
    SetStage: {"stage": Stage.DEMO_TESTING},
    RollBackPolicy: {"version": 1},
    SetParameter: {"parameter": "threshold_bps", "value": 1.1},
}


def command(kind, by="ann", n=1, **more):
    fields = {"by": by, "reason": "because", **_FIELDS.get(kind, {}), **more}
    return kind(**ids(kind, by, n, *more.values()), ts_event=0, **fields)


def tripped(level=TripLevel.HALT, n=1, about=""):
    return SafetyTripped(
        **ids("trip", level, n, about),
        ts_event=0,
        service="gate",
        code="loss.day",
        level=level,
        observed="-2.6 %",
        limit="-2.5 %",
        about=about,
    )


def switched(way="file", n=1, *, pressed=True):
    return SwitchChanged(
        **ids("switch", way, n, pressed),
        ts_event=0,
        pressed=pressed,
        way=way,
        by="ann",
        reason="smoke",
        seen_at=0,
        last_submit_at=0,
        cancelled_at=0,
        cancelled=0,
    )


def sane(n, *, stay_demo=False, ts_event=None):
    return SanityJudged(
        **ids("sanity", n, stay_demo),
        ts_event=n * SECOND if ts_event is None else ts_event,
        stay_demo=stay_demo,
        rationale="calm",
        provider="rules",
        model="rules-v1",
    )


def escalated(n, *, granted=True):
    return EscalationTriggered(
        **ids("escalated", n, granted),
        ts_event=n * SECOND,
        trigger=Trigger.RISK,
        call=CallKind.REWARD_ENGINEER,
        observed={"drawdown_5d_pct": 8.1},
        limits={"drawdown_5d_pct": 8.0},
        granted=granted,
        reason="call 1 of 3",
        calls_today=1,
        ts_desk=n * SECOND,
    )


def on_day(day, pnl=0, second=3_600, **more):
    """Return the account `second` seconds into a trading day, its profit in USD."""
    n = day * DAY_SECONDS + second
    fields = {"day": day, "day_pnl": Decimal(pnl), "equity_at_day_start": START}
    worth = {"equity": START + Decimal(pnl)} if Decimal(pnl).is_finite() else {}
    return account(n, **(fields | worth | more))


def say(cell, message):
    """Let `message` happen at its own moment; return what was said to it.

    What the desk has shown, said each day, has its own tests.
    """
    said = react(cell, message, message.ts_event)
    return [one for one in said if not isinstance(one, PromotionAssessed)]


def of(kind, said):
    return [message for message in said if isinstance(message, kind)]


def trading_after(cell, message):
    """Return the one new trading state that `message` brings about."""
    (trading,) = of(TradingStateChanged, say(cell, message))
    assert trading.epoch == cell.state.trading.epoch
    return trading


def refusal_of(cell, message):
    """Return the code with which `message` is refused; nothing else may come of it."""
    before = cell.state.trading, cell.state.policy
    (refused,) = say(cell, message)
    assert isinstance(refused, CommandRefused)
    assert refused.command_id == message.message_id
    assert refused.reason
    assert before == (cell.state.trading, cell.state.policy)
    return refused.code


def alerts(said):
    return [alert.code for alert in of(AlertRaised, said)]


def versions(said):
    return of(PolicyChanged, said)
