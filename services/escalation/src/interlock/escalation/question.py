"""From a snapshot to the question: its JSON for models, the same numbers as facts for rules."""

from collections.abc import Mapping

from interlock.escalation.config import EscalationConfig
from interlock.escalation.forecasts import POINTING
from interlock.escalation.inputs import Setting
from interlock.escalation.request import request_of, request_text
from interlock.escalation.snapshot import Snapshot
from interlock.reasoning.answer_schema import AnswerSchema
from interlock.reasoning.day_answers import POST_MORTEM
from interlock.reasoning.day_figures import figures_of
from interlock.reasoning.endpoint import EndpointConfig
from interlock.reasoning.ports import Question
from interlock.reasoning.prompt import Prompt, filled
from interlock.reasoning.schemas import SCHEMAS
from interlock.wire.accounts import DaySummarised
from interlock.wire.parameters import FEATURE_PREFIX
from interlock.wire.reasoning import AnswerSource, CallKind, Trigger

SCHEMA_OF: dict[CallKind, str] = {
    CallKind.REGIME_AUDITOR: "regime-auditor",
    CallKind.REWARD_ENGINEER: "reward-engineer",
    CallKind.SANITY_JUDGE: "sanity-judge",
    CallKind.POST_MORTEM: "post-mortem",
}
"""The name of the answer's schema, and of the prompt's files."""


def features_of(parameters: Mapping[str, float]) -> list[str]:
    """Return the features that policy can switch off."""
    return sorted(
        name.removeprefix(FEATURE_PREFIX) for name in parameters if name.startswith(FEATURE_PREFIX)
    )


def endpoint_of(config: EscalationConfig, source: AnswerSource) -> EndpointConfig:
    return config.cloud if source is AnswerSource.CLOUD else config.local


def question_of(
    setting: Setting,
    endpoint: EndpointConfig,
    prompt: Prompt,
    parameters: Mapping[str, float],
    *,
    call: CallKind,
    trigger: Trigger,
    at: Snapshot,
) -> Question:
    """Return the question of `call`, because of `trigger`, at a moment."""
    blanks = {
        "names": ", ".join(setting.names) or "none",
        "features": ", ".join(features_of(parameters)) or "none",
        "request": request_text(request_of(call, trigger, at)),
    }
    return Question(
        system=filled(prompt.system, blanks),
        prompt=filled(prompt.question, blanks),
        schema=_schema(call, setting, parameters),
        max_tokens=endpoint.max_tokens,
        timeout_seconds=endpoint.timeout_seconds,
        facts=_facts(at, parameters),
        prompt_files=prompt.files,
    )


def day_question(endpoint: EndpointConfig, prompt: Prompt, day: DaySummarised) -> Question:
    """Return the question about a day that is over."""
    figures = figures_of(day)
    blanks = {
        "desk": day.desk,
        "day": str(day.day),
        "figures": "\n".join(f"{name}: {value:g}" for name, value in figures.items()),
    }
    return Question(
        system=filled(prompt.system, blanks),
        prompt=filled(prompt.question, blanks),
        schema=POST_MORTEM,
        max_tokens=endpoint.max_tokens,
        timeout_seconds=endpoint.timeout_seconds,
        facts=figures,
        prompt_files=prompt.files,
    )


def _schema(call: CallKind, setting: Setting, parameters: Mapping[str, float]) -> AnswerSchema:
    """Return what the answer may be: names are the desk's own, and no others."""
    schema = SCHEMAS[SCHEMA_OF[call]]
    match call:
        case CallKind.REGIME_AUDITOR:
            return schema.naming("do_not_trade_list", setting.names)
        case CallKind.REWARD_ENGINEER:
            return schema.naming("disabled_features", features_of(parameters))
        case _:
            return schema


def _facts(at: Snapshot, parameters: Mapping[str, float]) -> dict[str, float]:
    known = {
        "daily_pnl": at.daily_pnl,
        "max_drawdown_5d": at.max_drawdown_5d,
        "volatility_zscore": at.volatility_zscore,
        "correlation_breakdown": at.correlation_breakdown,
        "put_call_ratio": at.put_call_ratio,
        "daily_turnover": at.turnover_stats.daily_turnover,
    }
    facts = {name: value for name, value in known.items() if value is not None}
    facts |= {f"parameter.{name}": value for name, value in parameters.items()}
    facts |= {f"dispersion.{name}": value for name, value in at.sector_dispersion.items()}
    facts |= {
        f"performance.{name}": at.feature_performance[name]
        for name in features_of(parameters)
        if name in POINTING and name in at.feature_performance
    }
    return facts
