"""What people ask for. A command is obeyed as a new rule, or refused with a code and the reason.

Whatever lets more risk through needs a name and holds to its conditions. Whatever stops or holds
back is never refused.
"""

from collections.abc import Callable, Sequence
from typing import Any

from interlock.model.trading import IllegalTriggerError, Trigger
from interlock.policy.assessment import STAGES
from interlock.policy.ports import SaveRules, SignRules
from interlock.policy.promotion import criteria
from interlock.policy.standing import (
    Fields,
    alert,
    changed,
    moved,
    signed,
    standing_of,
    trading_of,
)
from interlock.policy.state import PolicyState
from interlock.policy.versions import known_parameters, next_version, outside, policy_of
from interlock.wire.approvals import GiveApproval, RejectApproval
from interlock.wire.base import Effect, Message, caused_id, tag_of
from interlock.wire.policy import (
    ClearQuarantine,
    CommandRefused,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    PolicyChanged,
    ResumeTrading,
    RollBackPolicy,
    SetParameter,
    SetStage,
    TradingStateChanged,
    names_person,
)

type Command = (
    HaltTrading
    | ResumeTrading
    | EnableStrategy
    | ClearQuarantine
    | SetStage
    | ForceDemo
    | RollBackPolicy
    | SetParameter
)
type Answer = Sequence[Message | Effect]


def obey(state: PolicyState, command: Command, now: int) -> Answer:
    """Return the answer to a command; one that was answered before is only saved again."""
    if caused_id(command, CommandRefused) in state.answered:
        return ()
    if caused_id(command, TradingStateChanged) in state.answered:
        return [SaveRules(rules=trading_of(state))]
    if caused_id(command, PolicyChanged) in state.answered:
        return [SaveRules(rules=policy_of(state))]
    return _OBEYED[type(command)](state, command, now)


def refused(
    state: PolicyState,
    command: Command | GiveApproval | RejectApproval,
    now: int,
    code: str,
    reason: str,
) -> Answer:
    return [
        CommandRefused(
            message_id=caused_id(command, CommandRefused),
            decision_id=command.decision_id,
            ts_event=now,
            desk=state.desk,
            command=tag_of(type(command)),
            command_id=command.message_id,
            by=command.by,
            code=code,
            reason=reason,
        )
    ]


def _unnamed(state: PolicyState, command: Command, now: int) -> Answer:
    reason = "only a named person may ask for this: say who you are"
    return refused(state, command, now, "command.unnamed", reason)


def _named(command: Command) -> bool:
    return names_person(command.by)


def _put(state: PolicyState, command: Command, now: int, fields: Fields) -> Sequence[SignRules]:
    return signed(state, changed(state, command, now, command.by, command.reason, fields))


def _halt(state: PolicyState, command: HaltTrading, now: int) -> Answer:
    fields = moved(state, Trigger.PERSON_HALTS)
    assert fields is not None, "a person's halt has an effect from every standing"
    fields["cancel_orders"] = True
    trading = changed(state, command, now, command.by, command.reason, fields)
    text = f"trading halted by {trading.author}: {command.reason}"
    return signed(state, trading, [alert(state, command, now, "trading.halted", text)])


def _resume(state: PolicyState, command: ResumeTrading, now: int) -> Answer:
    if not _named(command):
        return _unnamed(state, command, now)
    if not (state.reconciled or state.awaits_person):
        reason = "our book has not been found equal to the venue's: look at exec's reconciliation"
        return refused(state, command, now, "state.not_reconciled", reason)
    last = trading_of(state)
    killed_today = state.today is not None and state.today in last.kill_days
    trigger = Trigger.PERSON_RESUMES_TODAY if killed_today else Trigger.PERSON_RESUMES
    try:
        fields = moved(state, trigger)
    except IllegalTriggerError:
        if not killed_today:
            reason = f"a desk that is {standing_of(last)} cannot be resumed yet"
            if state.awaits_person:
                reason += ": it starts by itself once exec has taken over the venue's cash"
            return refused(state, command, now, "state.not_reconciled", reason)
        reason = "the kill rule has ended this trading day: the desk goes on with the next one"
        return refused(state, command, now, "state.kill_day", reason)
    assert fields is not None, "a resume has an effect wherever it is allowed"
    fields["forced_demo"] = False
    if not killed_today:
        fields["paper_after"] = None
    return _put(state, command, now, fields)


def _enable(state: PolicyState, command: EnableStrategy, now: int) -> Answer:
    if not _named(command):
        return _unnamed(state, command, now)
    disabled = trading_of(state).disabled
    if command.strategy not in disabled:
        there = ", ".join(disabled) or "none"
        reason = f"{command.strategy!r} is not disabled; disabled are: {there}"
        return refused(state, command, now, "strategy.not_disabled", reason)
    rest = [name for name in disabled if name != command.strategy]
    return _put(state, command, now, {"disabled": rest})


def _clear_quarantine(state: PolicyState, command: ClearQuarantine, now: int) -> Answer:
    if not _named(command):
        return _unnamed(state, command, now)
    last = trading_of(state)
    if last.quarantined_since is None:
        reason = "the desk is not in quarantine"
        return refused(state, command, now, "quarantine.none", reason)
    judged = state.judged
    if judged is None or judged.ts_event <= last.quarantined_at:
        reason = "no judge has looked at the desk since the quarantine began"
        return refused(state, command, now, "quarantine.not_judged", reason)
    if judged.stay_demo:
        reason = f"the judge said that the desk stays on paper: {judged.rationale}"
        return refused(state, command, now, "quarantine.stay_demo", reason)
    return _put(state, command, now, NO_QUARANTINE)


NO_QUARANTINE: Fields = {"quarantined_since": None, "quarantined_until": 0, "quarantined_at": 0}


def _set_stage(state: PolicyState, command: SetStage, now: int) -> Answer:
    last = trading_of(state)
    here, there = STAGES.index(last.stage), STAGES.index(command.stage)
    if there == here:
        reason = f"the desk is at stage {last.stage} already"
        return refused(state, command, now, "stage.unchanged", reason)
    if there > here:
        if not _named(command):
            return _unnamed(state, command, now)
        if there > here + 1:
            reason = f"after {last.stage} comes {STAGES[here + 1]}, not {command.stage}"
            return refused(state, command, now, "stage.skipped", reason)
        failing = [
            f"{one.name}: {one.observed}, needed {one.needed}"
            for one in criteria(state.evidence, state.config.promotion, last.stage_since)
            if not one.holds
        ]
        if failing:
            return refused(state, command, now, "stage.criteria", "; ".join(failing))
    return _put(state, command, now, {"stage": command.stage, "stage_since": state.today})


def _force_demo(state: PolicyState, command: ForceDemo, now: int) -> Answer:
    return _put(state, command, now, {"forced_demo": True})


def _roll_back(state: PolicyState, command: RollBackPolicy, now: int) -> Answer:
    if not _named(command):
        return _unnamed(state, command, now)
    older = state.versions.get(command.version)
    if older is None:
        reason = f"there is no version {command.version}: the last is {policy_of(state).version}"
        return refused(state, command, now, "policy.unknown_version", reason)
    parameters = known_parameters(state, older.parameters)
    beyond = outside(state, parameters)
    if beyond:
        return refused(state, command, now, "policy.outside_limits", beyond)
    if parameters == policy_of(state).parameters:
        reason = f"version {command.version} has the parameters that are in force"
        return refused(state, command, now, "policy.unchanged", reason)
    reason = f"back to version {command.version}: {command.reason}"
    version = next_version(
        state, command, now, parameters, author=command.by.strip(), reason=reason
    )
    return [SignRules(rules=version)]


def _set_parameter(state: PolicyState, command: SetParameter, now: int) -> Answer:
    if not _named(command):
        return _unnamed(state, command, now)
    inforce = policy_of(state).parameters
    if command.parameter not in known_parameters(state, inforce):
        there = ", ".join(sorted(inforce))
        reason = f"there is no parameter {command.parameter!r}; there are: {there}"
        return refused(state, command, now, "policy.unknown_parameter", reason)
    parameters = {**inforce, command.parameter: command.value}
    beyond = outside(state, parameters)
    if beyond:
        return refused(state, command, now, "policy.outside_limits", beyond)
    if parameters == inforce:
        reason = f"{command.parameter} is {command.value:g} already"
        return refused(state, command, now, "policy.unchanged", reason)
    version = next_version(
        state, command, now, parameters, author=command.by.strip(), reason=command.reason
    )
    return [SignRules(rules=version)]


_OBEYED: dict[type[Message], Callable[[PolicyState, Any, int], Answer]] = {
    HaltTrading: _halt,
    ResumeTrading: _resume,
    EnableStrategy: _enable,
    ClearQuarantine: _clear_quarantine,
    SetStage: _set_stage,
    ForceDemo: _force_demo,
    RollBackPolicy: _roll_back,
    SetParameter: _set_parameter,
}
