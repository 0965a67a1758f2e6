"""The rules a proposal must hold, in the order they are asked."""

from decimal import Decimal

from interlock.model.ids import NANOS_PER_SECOND
from interlock.policy.state import PolicyState
from interlock.policy.versions import cooling_after_revert
from interlock.wire.parameters import FEATURE_PREFIX
from interlock.wire.policy import FreezeReason, Phase, ProposalVerdict
from interlock.wire.reasoning import ParameterProposal


def exact(value: float) -> Decimal:
    """Return the number as it is written: 1.1 - 0.9 is 0.2 to everybody but a float."""
    return Decimal(repr(value))


def freeze_reasons(state: PolicyState, proposal: ParameterProposal) -> list[FreezeReason]:
    """Return why nothing may be accepted now; what is not known freezes as well."""
    reasons: list[FreezeReason] = []
    if state.unheard:
        reasons.append(FreezeReason.BARS_STALE)
    account = state.account
    if account is None or account.ts_desk < proposal.ts_desk:
        reasons.append(FreezeReason.ACCOUNT_UNKNOWN)
    elif not account.window_pnl.is_finite() or account.window_pnl <= -_loss_limit(state):
        reasons.append(FreezeReason.LOSS_30_MIN)
    limit_ns = state.config.max_clock_offset_ms * 1_000_000
    if state.clock_offset_ns is None or abs(state.clock_offset_ns) > limit_ns:
        reasons.append(FreezeReason.CLOCK_OFFSET)
    if cooling_after_revert(state, proposal.ts_desk):
        reasons.append(FreezeReason.REVERTED)
    if toggles_are_frozen(state, proposal):
        reasons.append(FreezeReason.REASONER_OFFLINE)
    return reasons


def toggles_are_frozen(state: PolicyState, proposal: ParameterProposal) -> bool:
    """Return whether this would switch a feature while the local reasoner is offline."""
    return state.reasoner_offline and proposal.parameter.startswith(FEATURE_PREFIX)


def _loss_limit(state: PolicyState) -> Decimal:
    return exact(state.config.loss_freeze_pct) / 100 * state.equity


def wanted_value(proposal: ParameterProposal, old: float) -> float:
    """Return the value a proposal asks for: its own, or the one in force moved by its delta."""
    if proposal.delta is None:
        return proposal.proposed
    return float(exact(old) + exact(proposal.delta))


def judge(
    state: PolicyState, proposal: ParameterProposal, old: float, frozen: bool
) -> ProposalVerdict:
    """Return the verdict on `proposal`: the first rule it breaks, or that it is accepted."""
    limits = state.config.parameters[proposal.parameter]
    proposed, now = wanted_value(proposal, old), proposal.ts_desk
    if not limits.lower <= proposed <= limits.upper:
        return ProposalVerdict.OUT_OF_BOUNDS
    if abs(exact(proposed) - exact(old)) > exact(limits.max_step):
        return ProposalVerdict.STEP_TOO_LARGE
    if proposed == old:
        return ProposalVerdict.UNCHANGED
    safer = proposed < old if limits.tightens == "down" else proposed > old
    may_wait = limits.tightens is None or not safer or toggles_are_frozen(state, proposal)
    if frozen and may_wait:
        return ProposalVerdict.FROZEN
    accepted = state.accepted.get(proposal.parameter)
    if accepted and now - accepted[-1] < state.config.decision_seconds * NANOS_PER_SECOND:
        return ProposalVerdict.TOO_SOON
    if may_wait and (beyond := _pace(state, proposal)) is not None:
        return beyond
    return (
        ProposalVerdict.SHADOW if state.config.phase is Phase.SHADOW else ProposalVerdict.ACCEPTED
    )


def _pace(state: PolicyState, proposal: ParameterProposal) -> ProposalVerdict | None:
    """Return the limit of acceptances in the window that one more would break."""
    name, now = proposal.parameter, proposal.ts_desk
    own, desk = state.config.parameters[name], state.config
    most = own.max_accepted_in_window or desk.max_accepted_in_window
    rate = desk.max_accept_rate if own.max_accept_rate is None else own.max_accept_rate
    accepted_before = state.in_window(state.accepted, name, now)
    if accepted_before >= most:
        return ProposalVerdict.TOO_MANY_ACCEPTED
    seen = state.in_window(state.seen, name, now)
    if accepted_before + 1 > exact(rate) * seen:
        return ProposalVerdict.ACCEPT_RATE
    return None
