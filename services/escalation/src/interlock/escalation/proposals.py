"""From a model's answer to what policy is asked for: closed names, finite numbers, nothing else.

An answer changes nothing by itself. What it names beyond the desk's parameters, features,
instruments and sectors is left out; how far a value may go is for policy to judge.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite

from msgspec import Struct

from interlock.escalation.question import features_of
from interlock.model.desk import plain_spelling
from interlock.reasoning.cloud_answers import (
    RegimeAuditorAnswer,
    RewardEngineerAnswer,
    SanityJudgeAnswer,
)
from interlock.reasoning.day_answers import PostMortemAnswer
from interlock.wire.parameters import (
    BUCKET_CAP_PREFIX,
    FEATURE_PREFIX,
    MAX_POSITION,
    STOP_ATR,
    TRAIL_ATR,
    WEIGHT_PREFIX,
)

type CloudAnswer = RegimeAuditorAnswer | RewardEngineerAnswer | SanityJudgeAnswer | PostMortemAnswer

_PERCENT = 100.0
_DIGITS = 9


class Change(Struct, frozen=True, kw_only=True):
    """One parameter, as a model would have it. Where there is a `delta`, that is what it gave."""

    parameter: str
    current: float
    proposed: float
    delta: float | None = None


def changes_of(answer: CloudAnswer, parameters: Mapping[str, float]) -> Sequence[Change]:
    """Return the changes an answer asks for; a value that stays as it is is none."""
    match answer:
        case RegimeAuditorAnswer():
            wanted = _of_auditor(answer, parameters)
        case RewardEngineerAnswer():
            wanted = _of_engineer(answer, parameters)
        case SanityJudgeAnswer():
            wanted = _of_judge(answer, parameters)
        case PostMortemAnswer():
            wanted = ()
    return [change for change in wanted if change is not None]


def names_to_leave(answer: RegimeAuditorAnswer, names: Sequence[str]) -> list[str]:
    """Return which of the desk's own `names` the answer would not have traded."""
    given = {plain_spelling(name) for name in answer.do_not_trade_list}
    return [name for name in names if plain_spelling(name) in given]


def _of_auditor(
    answer: RegimeAuditorAnswer, parameters: Mapping[str, float]
) -> Iterable[Change | None]:
    blend, caps = answer.blend_weights_delta, answer.bucket_caps_delta
    for name, delta in (("short", blend.short), ("mid", blend.mid), ("rl", blend.rl)):
        yield _by(parameters, f"{WEIGHT_PREFIX}{name}", delta)
    # The answer counts in shares of equity, the parameters in percent of it.
    for name, share in (("penny", caps.penny), ("fno", caps.fno), ("core", caps.core)):
        yield _by(parameters, f"{BUCKET_CAP_PREFIX}{name}", round(_PERCENT * share, _DIGITS))


def _of_engineer(
    answer: RewardEngineerAnswer, parameters: Mapping[str, float]
) -> Iterable[Change | None]:
    rewards = answer.reward_coefficients
    yield _to(parameters, "reward.returns", rewards.returns)
    yield _to(parameters, "reward.turnover", rewards.turnover)
    yield _to(parameters, "reward.drawdown", rewards.drawdown)
    yield _to(parameters, "turnover.penalty_rate", answer.turnover_penalties.penalty_rate)
    for name in features_of(parameters):
        if name in answer.disabled_features:
            yield _to(parameters, f"{FEATURE_PREFIX}{name}", 0.0)


def _of_judge(
    answer: SanityJudgeAnswer, parameters: Mapping[str, float]
) -> Iterable[Change | None]:
    live = answer.live_changes
    if live is not None:
        yield _to(parameters, MAX_POSITION, live.max_position_pct)
        yield _to(parameters, STOP_ATR, live.stop_multipliers.atr)
        yield _to(parameters, TRAIL_ATR, live.stop_multipliers.trailing)


def _by(parameters: Mapping[str, float], name: str, delta: float) -> Change | None:
    current = parameters.get(name, 0.0)
    proposed = round(current + delta, _DIGITS)
    if not isfinite(proposed) or delta == 0:
        return None
    return Change(parameter=name, current=current, proposed=proposed, delta=delta)


def _to(parameters: Mapping[str, float], name: str, value: float) -> Change | None:
    current = parameters.get(name)
    if not isfinite(value) or value == current:
        return None
    return Change(parameter=name, current=current or 0.0, proposed=value)
