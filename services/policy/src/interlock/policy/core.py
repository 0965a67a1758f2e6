"""Judges proposals and keeps the policy's versions and the trading state."""

from collections.abc import Sequence

from interlock.model.values import TradingState
from interlock.policy.checks import freeze_reasons, judge
from interlock.policy.ports import SaveRules
from interlock.policy.state import PolicyState
from interlock.wire.base import Effect, Message, Report, caused_id, root_ids
from interlock.wire.policy import (
    FreezeReason,
    HaltTrading,
    ParameterChange,
    PolicyChanged,
    ProposalJudged,
    ProposalVerdict,
    ResumeTrading,
    TradingStateChanged,
)
from interlock.wire.reasoning import ParameterProposal

CONFIGURATION = "configuration"


def ready(state: PolicyState, message: Message) -> bool:
    """A proposal is judged against the account of its own cadence, not of the one before."""
    if not isinstance(message, ParameterProposal):
        return True
    return state.account is not None and state.account.ts_desk >= message.ts_desk


def begin(state: PolicyState, now: int) -> Sequence[Message | Effect]:
    """Put the configured values in force where no version stands, or one outside the limits."""
    said: list[Message | Effect] = []
    policy = _configured(state, now)
    if policy is not None:
        said.append(policy)
    said.append(SaveRules(rules=policy or _standing(state)))
    if state.trading is None:
        message_id, decision_id = root_ids(TradingStateChanged, state.desk, 1)
        said.append(
            TradingStateChanged(
                message_id=message_id,
                decision_id=decision_id,
                ts_event=now,
                desk=state.desk,
                state=TradingState.ACTIVE,
                epoch=1,
                author=CONFIGURATION,
                reason="first start",
            )
        )
    return said


def decide(state: PolicyState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case ParameterProposal():
            return _judged(state, heard, now)
        case HaltTrading():
            return [_trading(state, heard, TradingState.HALTED, now)]
        case ResumeTrading() if heard.by.strip():
            return [_trading(state, heard, TradingState.ACTIVE, now)]
        case _:
            return ()


def _standing(state: PolicyState) -> PolicyChanged:
    assert state.policy is not None
    return state.policy


def _configured(state: PolicyState, now: int) -> PolicyChanged | None:
    """Return the version the configuration asks for, none where the standing one is fine."""
    standing = {} if state.policy is None else state.policy.parameters
    wanted = {
        name: min(max(standing.get(name, limits.initial), limits.lower), limits.upper)
        for name, limits in state.config.parameters.items()
    }
    if state.policy is not None and wanted == standing:
        return None
    number = 1 if state.policy is None else state.policy.version + 1
    message_id, decision_id = root_ids(PolicyChanged, state.desk, number, state.config_hash)
    return PolicyChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        version=number,
        parameters=wanted,
        changes=_diff(standing, wanted),
        author=CONFIGURATION,
        reason="first start" if number == 1 else "the configured limits changed",
        proposal_id=None,
        config_hash=state.config_hash,
    )


def _diff(old: dict[str, float], new: dict[str, float]) -> list[ParameterChange]:
    return [
        ParameterChange(name=name, old=old.get(name), new=value)
        for name, value in sorted(new.items())
        if old.get(name) != value
    ]


def _judged(
    state: PolicyState, proposal: ParameterProposal, now: int
) -> Sequence[Message | Effect]:
    policy, last = _standing(state), state.last_accepted
    row_stands = last is not None and last.proposal_id == proposal.message_id
    if row_stands or policy.proposal_id == proposal.message_id:
        return _accepted_before(state, proposal, now, row_stands=row_stands)
    frozen_by = freeze_reasons(state, proposal)
    if proposal.parameter not in policy.parameters:
        return [_row(state, proposal, ProposalVerdict.UNKNOWN_PARAMETER, now, 0.0, frozen_by)]
    old = policy.parameters[proposal.parameter]
    verdict = judge(state, proposal, old, bool(frozen_by))
    row = _row(state, proposal, verdict, now, old, frozen_by)
    if verdict is not ProposalVerdict.ACCEPTED:
        return [row]
    changed = _changed(state, proposal, now)
    return [row, changed, SaveRules(rules=changed)]


def _accepted_before(
    state: PolicyState, proposal: ParameterProposal, now: int, *, row_stands: bool
) -> Sequence[Message | Effect]:
    """Finish an acceptance that was cut short: by a crash, or because the store was away.

    Judged again it would fail for having been accepted just now, and the rest would stay unsaid.
    """
    policy = _standing(state)
    if policy.proposal_id == proposal.message_id:
        if row_stands:
            return [SaveRules(rules=policy)]
        (change,) = policy.changes
        assert change.old is not None
        row = _row(state, proposal, ProposalVerdict.ACCEPTED, now, change.old, [])
        return [row, SaveRules(rules=policy)]
    assert state.last_accepted is not None
    if state.last_accepted.policy_version != policy.version + 1:
        return ()
    changed = _changed(state, proposal, now)
    return [changed, SaveRules(rules=changed)]


def _changed(state: PolicyState, proposal: ParameterProposal, now: int) -> PolicyChanged:
    policy = _standing(state)
    parameters = {**policy.parameters, proposal.parameter: proposal.proposed}
    return PolicyChanged(
        message_id=caused_id(proposal, PolicyChanged),
        decision_id=proposal.decision_id,
        ts_event=now,
        desk=state.desk,
        version=policy.version + 1,
        parameters=parameters,
        changes=_diff(policy.parameters, parameters),
        author=f"{proposal.provider}/{proposal.model}",
        reason=proposal.rationale,
        proposal_id=proposal.message_id,
        config_hash=state.config_hash,
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
    parameter, policy = proposal.parameter, _standing(state)
    applied_already = policy.proposal_id == proposal.message_id
    return ProposalJudged(
        message_id=caused_id(proposal, ProposalJudged),
        decision_id=proposal.decision_id,
        ts_event=now,
        desk=state.desk,
        proposal_id=proposal.message_id,
        provider=proposal.provider,
        parameter=parameter,
        old=old,
        proposed=proposal.proposed,
        applied=proposal.proposed if accepted else old,
        delta=proposal.proposed - old,
        verdict=verdict,
        phase=state.config.phase,
        seen_in_window=state.in_window(state.seen, parameter, proposal.ts_desk),
        accepted_in_window=state.in_window(state.accepted, parameter, proposal.ts_desk) + accepted,
        window_ns=state.window_ns,
        freeze_reasons=frozen_by,
        policy_version=policy.version + (accepted and not applied_already),
        ts_desk=proposal.ts_desk,
    )


def _trading(
    state: PolicyState, command: HaltTrading | ResumeTrading, wanted: TradingState, now: int
) -> TradingStateChanged:
    epoch = 1 if state.trading is None else state.trading.epoch + 1
    return TradingStateChanged(
        message_id=caused_id(command, TradingStateChanged),
        decision_id=command.decision_id,
        ts_event=now,
        desk=state.desk,
        state=wanted,
        epoch=epoch,
        author=command.by,
        reason=command.reason,
    )
