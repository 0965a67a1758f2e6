"""Versions of the policy: from the configuration, a proposal, a person, or taken back by a rule."""

from collections.abc import Mapping

from msgspec.structs import replace

from interlock.model.ids import NANOS_PER_SECOND
from interlock.policy.ports import SignRules
from interlock.policy.standing import CONFIGURATION
from interlock.policy.state import PolicyState
from interlock.wire.base import Message, caused_id, root_ids
from interlock.wire.catalogue import POLICY
from interlock.wire.policy import ParameterChange, Phase, PolicyChanged
from interlock.wire.reasoning import DoNotTradeProposed


def policy_of(state: PolicyState) -> PolicyChanged:
    assert state.policy is not None, "the first start gives every desk a policy"
    return state.policy


def next_version(
    state: PolicyState,
    cause: Message,
    now: int,
    parameters: Mapping[str, float],
    *,
    author: str,
    reason: str,
    proposal_id: str | None = None,
) -> PolicyChanged:
    """Return the version after the one in force; what may not be traded is carried along."""
    last = policy_of(state)
    return PolicyChanged(
        message_id=caused_id(cause, PolicyChanged),
        decision_id=cause.decision_id,
        ts_event=now,
        desk=state.desk,
        version=last.version + 1,
        parameters=dict(parameters),
        changes=diff(last.parameters, parameters),
        author=author,
        reason=reason,
        proposal_id=proposal_id,
        config_hash=state.config_hash,
        do_not_trade=last.do_not_trade,
        do_not_trade_by_model=last.do_not_trade_by_model,
        key_id=state.key_id,
    )


def left_alone(state: PolicyState, proposed: DoNotTradeProposed, now: int) -> list[SignRules]:
    """Return the version that leaves alone what a model names, in place of what the last one did.

    It waits for nothing, because it tightens. What a person asked for stays, and so does what the
    configuration names, which is the gate's own; a name that is not the desk's is left out.
    """
    if caused_id(proposed, PolicyChanged) in state.answered:
        return []
    last = policy_of(state)
    kept = {*last.do_not_trade} - {*last.do_not_trade_by_model}
    by_model = sorted(({*proposed.names} & state.names) - kept)
    names = sorted(kept | {*by_model})
    unchanged = (names, by_model) == (sorted(last.do_not_trade), last.do_not_trade_by_model)
    if unchanged or state.config.phase is Phase.SHADOW:
        return []
    version = next_version(
        state,
        proposed,
        now,
        last.parameters,
        author=f"{proposed.provider}/{proposed.model}",
        reason=proposed.cause,
        proposal_id=proposed.message_id,
    )
    return [SignRules(rules=replace(version, do_not_trade=names, do_not_trade_by_model=by_model))]


def configured(state: PolicyState, now: int) -> PolicyChanged | None:
    """Return the version the configuration asks for, none where the standing one is fine.

    One that was signed with another key is none that the gate believes: it is said again.
    """
    last = state.policy
    standing = {} if last is None else last.parameters
    wanted = {
        name: min(max(standing.get(name, limits.initial), limits.lower), limits.upper)
        for name, limits in state.config.parameters.items()
    }
    if last is not None and wanted == standing and last.key_id == state.key_id:
        return None
    number = 1 if last is None else last.version + 1
    reason = "first start"
    if last is not None:
        reason = "the key changed" if wanted == standing else "the configured limits changed"
    message_id, decision_id = root_ids(PolicyChanged, state.desk, number, state.config_hash)
    return PolicyChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        version=number,
        parameters=wanted,
        changes=diff(standing, wanted),
        author=CONFIGURATION,
        reason=reason,
        proposal_id=None,
        config_hash=state.config_hash,
        do_not_trade=[] if last is None else last.do_not_trade,
        do_not_trade_by_model=[] if last is None else last.do_not_trade_by_model,
        key_id=state.key_id,
    )


def diff(old: Mapping[str, float], new: Mapping[str, float]) -> list[ParameterChange]:
    return [
        ParameterChange(name=name, old=old.get(name), new=value)
        for name, value in sorted(new.items())
        if old.get(name) != value
    ]


def outside(state: PolicyState, parameters: Mapping[str, float]) -> str:
    """Return the first value that is outside its hard limits, in words; empty where none is."""
    for name, limits in sorted(state.config.parameters.items()):
        value = parameters[name]
        if not limits.lower <= value <= limits.upper:
            return f"{name} {value:g} is outside {limits.lower:g} to {limits.upper:g}"
    return ""


def known_parameters(state: PolicyState, older: Mapping[str, float]) -> dict[str, float]:
    """Return what a return to `older` comes to: its values, and ours for what it did not have."""
    standing = policy_of(state).parameters
    return {name: older.get(name, standing[name]) for name in state.config.parameters}


def taken_back(state: PolicyState, cause: Message, now: int, why: str) -> list[SignRules]:
    """Return the version that undoes what was accepted right before a limit tripped.

    All changes within the window go, not only the last: nobody knows which of them it was.
    """
    window_ns = state.config.revert_window_seconds * NANOS_PER_SECOND
    number = policy_of(state).version
    while (version := state.versions.get(number)) is not None and number - 1 in state.versions:
        accepted = state.accepted_at.get(number)
        if not _only_names(version):
            if accepted is None or version.proposal_id is None:
                break
            if not 0 <= state.ts_desk - accepted <= window_ns:
                break
        number -= 1
    if number == policy_of(state).version:
        return []
    parameters = known_parameters(state, state.versions[number].parameters)
    if outside(state, parameters) or parameters == policy_of(state).parameters:
        return []
    reason = f"back to version {number}: {why}"
    changed = next_version(state, cause, now, parameters, author=POLICY, reason=reason)
    return [] if changed.message_id in state.answered else [SignRules(rules=changed)]


def _only_names(version: PolicyChanged) -> bool:
    """Return whether a version changed no parameter, but only what a model would not trade."""
    return version.proposal_id is not None and not version.changes


def cooling_after_revert(state: PolicyState, ts_desk: int) -> bool:
    """Return whether a change was taken back so lately that no other one may follow yet."""
    last = policy_of(state)
    while _only_names(last) and (before := state.versions.get(last.version - 1)) is not None:
        last = before
    if last.author != POLICY or state.last_accepted is None:
        return False
    waited = ts_desk - state.last_accepted.ts_desk
    return waited <= 2 * state.config.revert_window_seconds * NANOS_PER_SECOND
