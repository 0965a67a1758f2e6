"""Judges proposals, obeys people, and halts the desk: the only writer of its rules.

Whatever is to be in force is signed before it is said, and saved after: `SignRules`, then the
message, then `SaveRules`. What waits for people ends right after the standing that stops it.
"""

from collections.abc import Sequence

from interlock.model.trading import Standing, Trigger
from interlock.policy.approvals import due, settle
from interlock.policy.assessment import assessed
from interlock.policy.checks import freeze_reasons, judge, wanted_value
from interlock.policy.commands import obey
from interlock.policy.ports import RulesNotSaved, RulesSigned, SaveRules, SignRules
from interlock.policy.safety import accounted, pressed, reconciled, tripped
from interlock.policy.standing import (
    CONFIGURATION,
    alert,
    changed,
    first,
    moved,
    stage_fields,
    standing_of,
    trading_of,
)
from interlock.policy.state import PolicyState
from interlock.policy.versions import configured, left_alone, next_version, policy_of
from interlock.wire.accounts import AccountUpdated
from interlock.wire.approvals import ApprovalRequested, GiveApproval, RejectApproval
from interlock.wire.base import Effect, Message, Report, caused_id
from interlock.wire.market import ClockTicked
from interlock.wire.orders import ReconciliationCompleted
from interlock.wire.policy import (
    ClearQuarantine,
    EnableStrategy,
    ForceDemo,
    FreezeReason,
    HaltTrading,
    PolicyChanged,
    ProposalJudged,
    ProposalVerdict,
    ResumeTrading,
    RollBackPolicy,
    SetParameter,
    SetStage,
    TradingStateChanged,
)
from interlock.wire.reasoning import DoNotTradeProposed, ParameterProposal
from interlock.wire.system import SafetyTripped, SwitchChanged

type Answer = Sequence[Message | Effect]


def ready(state: PolicyState, message: Message) -> bool:
    """A proposal is judged against the account of its own cadence, not of the one before."""
    if not isinstance(message, ParameterProposal):
        return True
    return state.account is not None and state.account.ts_desk >= message.ts_desk


def begin(state: PolicyState, now: int) -> Answer:
    """Put in force what is configured, where no rule stands or one that is configured no more.

    A standing that was said before is only saved again: a restart changes nothing.
    """
    policy = configured(state, now)
    trading = first(state, now) if state.trading is None else _revised(state, now)
    said: list[Message | Effect] = []
    said.append(SaveRules(rules=policy_of(state)) if policy is None else SignRules(rules=policy))
    said.append(SaveRules(rules=trading_of(state)) if trading is None else SignRules(rules=trading))
    said += due(state, state.trading, now)
    return said


def _revised(state: PolicyState, now: int) -> TradingStateChanged | None:
    """Return what a restart makes of the standing: another stage table, another key, a start."""
    last = trading_of(state)
    fields = stage_fields(state, last.stage)
    reasons: list[str] = []
    if any(getattr(last, name) != value for name, value in fields.items()):
        reasons.append("the configured stages changed")
    if last.key_id != state.key_id:
        reasons.append("the key changed")
    if standing_of(last) is Standing.STARTING and state.reconciled:
        reasons.append("reconciled before the restart")
        fields |= moved(state, Trigger.RECONCILED) or {}
    if not reasons:
        return None
    return changed(state, None, now, CONFIGURATION, "; ".join(reasons), fields)


def decide(state: PolicyState, heard: Message | Report, now: int) -> Answer:
    match heard:
        case RulesSigned():
            return _put_in_force(state, heard, now)
        case RulesNotSaved():
            text = f"the policy store does not take our {heard.rules.message_id}: {heard.found}"
            return [alert(state, heard.rules, now, "rules.not_saved", text)]
        case ParameterProposal():
            return _judged(state, heard, now)
        case (
            HaltTrading()
            | ResumeTrading()
            | EnableStrategy()
            | ClearQuarantine()
            | SetStage()
            | ForceDemo()
            | RollBackPolicy()
            | SetParameter()
        ):
            return obey(state, heard, now)
        case DoNotTradeProposed():
            return [*_unsaved(state, heard), *left_alone(state, heard, now)]
        case ClockTicked() | ApprovalRequested() | GiveApproval() | RejectApproval():
            return settle(state, heard, now)
        case AccountUpdated() if heard.account == state.account_name:
            answer = [*_unsaved(state, heard), *accounted(state, heard, now)]
            return [*answer, *assessed(state, heard, now)]
        case SafetyTripped() | SwitchChanged() | ReconciliationCompleted():
            return [*_unsaved(state, heard), *_found(state, heard, now)]
        case _:
            return ()


def _found(
    state: PolicyState, heard: SafetyTripped | SwitchChanged | ReconciliationCompleted, now: int
) -> Answer:
    """Answer what another service has found about the desk's safety."""
    match heard:
        case SafetyTripped():
            return tripped(state, heard, now)
        case SwitchChanged():
            return pressed(state, heard, now)
        case ReconciliationCompleted():
            return reconciled(state, heard, now) if heard.account == state.account_name else ()


def _put_in_force(state: PolicyState, signed: RulesSigned, now: int) -> Answer:
    rules = signed.rules
    ended = due(state, rules, now) if isinstance(rules, TradingStateChanged) else ()
    return [rules, *signed.alerts, *ended, SaveRules(rules=rules)]


def _unsaved(state: PolicyState, heard: Message) -> list[SaveRules]:
    """Return what was said to this very message and may not have been saved: a second delivery."""
    if not heard.decision_id:
        return []
    return [
        SaveRules(rules=rules)
        for rules in (state.policy, state.trading)
        if rules is not None
        and rules.decision_id == heard.decision_id
        and rules.message_id == caused_id(heard, type(rules))
    ]


def _judged(state: PolicyState, proposal: ParameterProposal, now: int) -> Answer:
    policy, last = policy_of(state), state.last_accepted
    row_stands = last is not None and last.proposal_id == proposal.message_id
    if row_stands or policy.proposal_id == proposal.message_id:
        return _accepted_before(state, proposal, now, row_stands=row_stands)
    if caused_id(proposal, ProposalJudged) in state.rows:
        # Judged before, and others after it: a difference would be applied a second time.
        return ()
    frozen_by = freeze_reasons(state, proposal)
    if proposal.parameter not in policy.parameters:
        return [_row(state, proposal, ProposalVerdict.UNKNOWN_PARAMETER, now, 0.0, frozen_by)]
    old = policy.parameters[proposal.parameter]
    verdict = judge(state, proposal, old, bool(frozen_by))
    row = _row(state, proposal, verdict, now, old, frozen_by)
    if verdict is not ProposalVerdict.ACCEPTED:
        return [row]
    return [row, SignRules(rules=_changed(state, proposal, now, row.applied))]


def _accepted_before(
    state: PolicyState, proposal: ParameterProposal, now: int, *, row_stands: bool
) -> Answer:
    """Finish an acceptance that was cut short: by a crash, or because the store was away.

    Judged again it would fail for having been accepted just now, and the rest would stay unsaid.
    """
    policy = policy_of(state)
    if policy.proposal_id == proposal.message_id:
        if row_stands:
            return [SaveRules(rules=policy)]
        (change,) = policy.changes
        assert change.old is not None
        row = _row(state, proposal, ProposalVerdict.ACCEPTED, now, change.old, [])
        return [row, SaveRules(rules=policy)]
    accepted = state.last_accepted
    assert accepted is not None
    if accepted.policy_version != policy.version + 1:
        return ()
    return [SignRules(rules=_changed(state, proposal, now, accepted.applied))]


def _changed(
    state: PolicyState, proposal: ParameterProposal, now: int, value: float
) -> PolicyChanged:
    return next_version(
        state,
        proposal,
        now,
        {**policy_of(state).parameters, proposal.parameter: value},
        author=f"{proposal.provider}/{proposal.model}",
        reason=proposal.rationale,
        proposal_id=proposal.message_id,
    )


def _row(
    state: PolicyState,
    proposal: ParameterProposal,
    verdict: ProposalVerdict,
    now: int,
    old: float,
    frozen_by: list[FreezeReason],
) -> ProposalJudged:
    accepted = verdict is ProposalVerdict.ACCEPTED
    parameter, policy = proposal.parameter, policy_of(state)
    applied_already = policy.proposal_id == proposal.message_id
    proposed = wanted_value(proposal, old)
    return ProposalJudged(
        message_id=caused_id(proposal, ProposalJudged),
        decision_id=proposal.decision_id,
        ts_event=now,
        desk=state.desk,
        proposal_id=proposal.message_id,
        provider=proposal.provider,
        parameter=parameter,
        old=old,
        proposed=proposed,
        applied=proposed if accepted else old,
        delta=proposed - old,
        verdict=verdict,
        phase=state.config.phase,
        seen_in_window=state.in_window(state.seen, parameter, proposal.ts_desk),
        accepted_in_window=state.in_window(state.accepted, parameter, proposal.ts_desk) + accepted,
        window_ns=state.window_ns,
        freeze_reasons=frozen_by,
        policy_version=policy.version + (accepted and not applied_already),
        ts_desk=proposal.ts_desk,
    )
