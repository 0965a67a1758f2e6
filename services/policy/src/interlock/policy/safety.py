"""What halts a desk by itself: trips, the switch, the kill rule; and what the next day brings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from interlock.model.trading import Standing, Trigger, next_standing
from interlock.model.values import ZERO, Severity, TradingState
from interlock.policy.checks import exact
from interlock.policy.commands import NO_QUARANTINE
from interlock.policy.config import KillRule
from interlock.policy.standing import (
    Fields,
    alert,
    changed,
    cooled_down,
    moved,
    signed,
    standing_of,
    trading_of,
    within_window,
)
from interlock.policy.state import PolicyState
from interlock.policy.versions import taken_back
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Effect, Message
from interlock.wire.catalogue import POLICY
from interlock.wire.orders import ReconciliationCompleted
from interlock.wire.system import AlertRaised, SafetyTripped, SwitchChanged, TripLevel

type Answer = Sequence[Message | Effect]

EXEC_OBEYS = frozenset({"command", "rule"})
"""Ways in which exec presses its switch because policy has halted the desk: no news to policy."""


def reconciled(state: PolicyState, heard: ReconciliationCompleted, now: int) -> Answer:
    if not state.reconciled or standing_of(trading_of(state)) is not Standing.STARTING:
        return ()
    fields = moved(state, Trigger.RECONCILED)
    assert fields is not None, "this is what a desk that starts waits for"
    named = ", ".join(heard.instruments)
    reason = f"reconciled with {heard.venue}, " + (f"breaks in {named}" if named else "no breaks")
    return signed(state, changed(state, heard, now, POLICY, reason, fields))


def pressed(state: PolicyState, heard: SwitchChanged, now: int) -> Answer:
    lets_through = trading_of(state).state
    if not heard.pressed or (heard.way in EXEC_OBEYS and lets_through is TradingState.HALTED):
        return ()
    fields = moved(state, Trigger.SWITCH_PRESSED)
    if fields is None:
        return ()
    fields["cancel_orders"] = True
    reason = f"kill switch pressed ({heard.way}): {heard.reason}"
    trading = changed(state, heard, now, heard.by or heard.way, reason, fields)
    return signed(state, trading, [alert(state, heard, now, "switch.pressed", reason)])


def tripped(state: PolicyState, heard: SafetyTripped, now: int) -> Answer:
    """Return what a trip brings about: a new standing, and the last changes taken back."""
    reason = f"{heard.code}: {heard.observed}, the limit is {heard.limit}"
    fields = _tripped_fields(state, heard)
    said: list[Message | Effect] = []
    if fields is not None:
        text = f"{heard.service} tripped, {reason}"
        trading = changed(state, heard, now, heard.service, reason, fields)
        said += signed(state, trading, [alert(state, heard, now, f"tripped.{heard.level}", text)])
    said += taken_back(state, heard, now, reason)
    return said


def _tripped_fields(state: PolicyState, heard: SafetyTripped) -> Fields | None:
    match heard.level:
        case TripLevel.DISABLE if heard.about.strip():
            disabled = trading_of(state).disabled
            if heard.about in disabled:
                return None
            return {"disabled": sorted([*disabled, heard.about])}
        case TripLevel.REDUCE:
            return moved(state, Trigger.TRIP_REDUCE)
        case TripLevel.HALT | TripLevel.DISABLE:
            # A strategy to be disabled that has no name could be any of them.
            fields = moved(state, Trigger.TRIP_HALT)
            return None if fields is None else fields | {"cancel_orders": True}


class Loss(StrEnum):
    """What the day's loss is to the kill rule."""

    WITHIN = "within"
    BREACHED = "breached"
    UNKNOWN = "unknown"


def day_loss(account: AccountUpdated, rule: KillRule) -> Loss:
    """Hold the day's profit against the kill rule; a number that is none is not taken for zero."""
    start, profit = account.equity_at_day_start, account.day_pnl
    if not (start.is_finite() and profit.is_finite() and account.equity.is_finite()):
        return Loss.UNKNOWN
    if start <= ZERO:
        return Loss.UNKNOWN
    limit = exact(rule.daily_loss_pct) / 100 * start
    return Loss.BREACHED if profit <= -limit else Loss.WITHIN


@dataclass(slots=True)
class _Draft:
    """A change in the making: one message says all that an account's word brings about."""

    standing: Standing
    fields: Fields = field(default_factory=dict[str, object])
    reasons: list[str] = field(default_factory=list[str])
    alerts: list[AlertRaised] = field(default_factory=list[AlertRaised])

    def take(self, state: PolicyState, trigger: Trigger) -> bool:
        """Move on by `trigger`; return whether that has an effect."""
        fields = moved(state, trigger, self.standing)
        if fields is None:
            return False
        self.fields |= fields
        self.standing = fields["standing"]
        return True


def accounted(state: PolicyState, account: AccountUpdated, now: int) -> Answer:
    """Return what an account's word changes: a new day, a loss past the kill rule, or nothing."""
    last = trading_of(state)
    draft = _Draft(standing_of(last))
    if account.day == state.today:
        _next_day(state, account, now, draft)
    loss = day_loss(account, state.config.kill)
    if loss is not Loss.WITHIN:
        _lost(state, account, now, loss, draft)
    if not draft.reasons:
        return ()
    trading = changed(state, account, now, POLICY, "; ".join(draft.reasons), draft.fields)
    said: list[Message | Effect] = [*signed(state, trading, draft.alerts)]
    if trading.cancel_orders:
        said += taken_back(state, account, now, draft.reasons[-1])
    return said


def _next_day(state: PolicyState, account: AccountUpdated, now: int, draft: _Draft) -> None:
    """Let go of what has lasted as long as it was meant to."""
    last = trading_of(state)
    waits = next_standing(draft.standing, Trigger.NEXT_DAY) is not None
    if waits and cooled_down(state) and draft.take(state, Trigger.NEXT_DAY):
        draft.reasons.append("the next trading day has begun and the cool-down is over")
    if last.paper_after is not None and state.days_after(last.paper_after) > 1:
        draft.fields["paper_after"] = None
        draft.reasons.append(f"the session on paper after kill day {last.paper_after} is over")
    since = last.quarantined_since
    if since is not None and state.days_after(since) > state.config.kill.quarantine_days:
        draft.fields |= NO_QUARANTINE
        text = f"the quarantine of {state.config.kill.quarantine_days} trading days is over"
        draft.reasons.append(text)
        draft.alerts.append(alert(state, account, now, "quarantine.over", text, Severity.WARNING))


def _lost(state: PolicyState, account: AccountUpdated, now: int, loss: Loss, draft: _Draft) -> None:
    last = trading_of(state)
    if account.day in last.kill_days:
        return
    if loss is Loss.UNKNOWN or account.day != state.today:
        # Nothing is sold on a number that is none, and no day is counted twice. A person looks.
        if draft.take(state, Trigger.TRIP_HALT):
            draft.fields["cancel_orders"] = True
            text = f"the day's profit cannot be told: {_told(account)}"
            draft.reasons.append(text)
            draft.alerts.append(alert(state, account, now, "account.unknown", text))
        return
    draft.take(state, Trigger.KILL_RULE)
    rule = state.config.kill
    kill_days = within_window(state, [*last.kill_days, account.day])
    draft.fields |= {
        "kill_days": kill_days,
        "paper_after": account.day,
        "cancel_orders": True,
        "flatten": True,
    }
    text = f"kill rule: {_told(account)}, the limit is {rule.daily_loss_pct:g} %"
    draft.reasons.append(text)
    draft.alerts.append(alert(state, account, now, "kill.day", f"{text}; closing all positions"))
    if len(kill_days) >= rule.kill_days:
        _quarantine(state, account, now, draft, len(kill_days))


def _quarantine(
    state: PolicyState, account: AccountUpdated, now: int, draft: _Draft, kills: int
) -> None:
    rule = state.config.kill
    draft.fields |= {
        "quarantined_since": account.day,
        "quarantined_until": account.day + rule.quarantine_days + 1,
        "quarantined_at": now,
    }
    text = (
        f"{kills} kill days in {rule.window_days} sessions, "
        f"on paper for {rule.quarantine_days} trading days"
    )
    draft.reasons.append(text)
    draft.alerts.append(alert(state, account, now, "quarantine.begun", text))


def _told(account: AccountUpdated) -> str:
    profit, start = account.day_pnl, account.equity_at_day_start
    share = ""
    if profit.is_finite() and start.is_finite() and start > ZERO:
        share = f" ({(profit / start * 100).quantize(Decimal('0.01'))} %)"
    told = f"{profit:.2f} {account.currency}{share} on {start:.2f}"
    return f"{told} since the start of day {account.day}"
