"""What the cloud model may answer to the three calls of desk `hybrid`.

The ranges are those beyond which an answer can mean nothing: a weight cannot move by more than
one, a bucket by no more than its hard cap. How far a change may really go, the policy service
decides.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from interlock.reasoning.answer_schema import (
    AnswerSchema,
    FlagRule,
    GroupRule,
    LabelRule,
    NamesRule,
    NumberRule,
)

MAX_NAMES = 50


class BlendWeightsDelta(Struct, frozen=True, kw_only=True):
    short: float
    mid: float
    rl: float


class BucketCapsDelta(Struct, frozen=True, kw_only=True):
    """Shares of equity: -0.01 takes one percent of equity away from a bucket."""

    penny: float
    fno: float
    core: float


class RegimeAuditorAnswer(Struct, frozen=True, kw_only=True):
    """What regime it is, and how much each signal and bucket should gain or lose by it."""

    regime_label: Annotated[str, Meta(description="A short name, such as high_volatility.")]
    blend_weights_delta: BlendWeightsDelta
    bucket_caps_delta: BucketCapsDelta
    do_not_trade_list: Annotated[tuple[str, ...], Meta(max_length=MAX_NAMES)]


class RewardCoefficients(Struct, frozen=True, kw_only=True):
    returns: float
    turnover: float
    drawdown: float


class TurnoverPenalties(Struct, frozen=True, kw_only=True):
    penalty_rate: float


class RewardEngineerAnswer(Struct, frozen=True, kw_only=True):
    """What the sizing policy should be rewarded for, and which features to leave out."""

    reward_coefficients: RewardCoefficients
    turnover_penalties: TurnoverPenalties
    disabled_features: Annotated[tuple[str, ...], Meta(max_length=MAX_NAMES)]


class StopMultipliers(Struct, frozen=True, kw_only=True):
    atr: float
    trailing: float


class LiveChanges(Struct, frozen=True, kw_only=True):
    max_position_pct: Annotated[float, Meta(description="Of equity, in percent: 1 is 1 %.")]
    stop_multipliers: StopMultipliers


class SanityJudgeAnswer(Struct, frozen=True, kw_only=True):
    """Whether to stay on paper after a kill, and if not, what to change."""

    stay_demo: bool
    live_changes: LiveChanges | None = None


def _needed_of_sanity(values: Mapping[str, Any]) -> Iterable[str]:
    return ["stay_demo"] if values.get("stay_demo") is True else ["stay_demo", "live_changes"]


def _around_zero(most: float) -> NumberRule:
    return NumberRule(lower=-most, upper=most)


_MULTIPLIER = NumberRule(lower=0, upper=10, above=True)

REGIME_AUDITOR = AnswerSchema(
    name="regime-auditor",
    kind=RegimeAuditorAnswer,
    fields={
        "regime_label": LabelRule(aliases=("regime",)),
        "blend_weights_delta": GroupRule(
            fields={name: _around_zero(1) for name in BlendWeightsDelta.__struct_fields__}
        ),
        "bucket_caps_delta": GroupRule(
            fields={
                "penny": _around_zero(0.02),
                "fno": _around_zero(0.05),
                "core": _around_zero(0.90),
            }
        ),
        "do_not_trade_list": NamesRule(most=MAX_NAMES, symbols=True, aliases=("do_not_trade",)),
    },
    identifying=("regime_label", "blend_weights_delta", "bucket_caps_delta", "do_not_trade_list"),
)

REWARD_ENGINEER = AnswerSchema(
    name="reward-engineer",
    kind=RewardEngineerAnswer,
    fields={
        "reward_coefficients": GroupRule(
            fields={name: _around_zero(10) for name in RewardCoefficients.__struct_fields__}
        ),
        "turnover_penalties": GroupRule(fields={"penalty_rate": NumberRule(lower=0, upper=1)}),
        "disabled_features": NamesRule(most=MAX_NAMES),
    },
    identifying=("reward_coefficients", "turnover_penalties", "disabled_features"),
)

SANITY_JUDGE = AnswerSchema(
    name="sanity-judge",
    kind=SanityJudgeAnswer,
    fields={
        "stay_demo": FlagRule(),
        "live_changes": GroupRule(
            fields={
                "max_position_pct": NumberRule(lower=0, upper=1.5, above=True, percent=True),
                "stop_multipliers": GroupRule(fields={"atr": _MULTIPLIER, "trailing": _MULTIPLIER}),
            }
        ),
    },
    identifying=("stay_demo", "live_changes"),
    needs=_needed_of_sanity,
)
