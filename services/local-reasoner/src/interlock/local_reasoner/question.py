"""From features to the question: the prompt for models, the same numbers as facts for rules."""

from collections.abc import Sequence
from statistics import median

from interlock.local_reasoner.state import Reasoner
from interlock.reasoning.ports import Question
from interlock.reasoning.prompt import filled
from interlock.reasoning.schemas import PARAM_PROPOSAL
from interlock.wire.market import ClockTicked, FeaturesComputed

_BPS = 10_000.0


def question_of(
    reasoner: Reasoner, tick: ClockTicked, current: float, features: Sequence[FeaturesComputed]
) -> Question:
    """Return the question at `tick`. `features` are warm, and sorted by instrument."""
    config = reasoner.config
    blanks = {
        "parameter": config.parameter,
        "lower": f"{config.lower:g}",
        "upper": f"{config.upper:g}",
        "max_step": f"{config.max_step:g}",
        "current": f"{current:.4f}",
        "features": "\n".join([_line(one) for one in features]),
    }
    facts = {
        "current": current,
        "lower": config.lower,
        "upper": config.upper,
        "max_step": config.max_step,
        "index": float(tick.index),
    }
    return Question(
        system=filled(reasoner.prompts.parameter.system, blanks),
        prompt=filled(reasoner.prompts.parameter.question, blanks),
        schema=PARAM_PROPOSAL.narrowed(config.parameter, config.lower, config.upper),
        max_tokens=config.max_tokens,
        timeout_seconds=config.timeout_seconds,
        facts=facts | _medians(features),
        prompt_files=reasoner.prompts.parameter.files,
    )


def _line(one: FeaturesComputed) -> str:
    """Return one instrument in about 60 tokens: twenty of them have to fit into 2,500."""
    told = {
        "return": _told(_scaled(one.ret_1)),
        "momentum": _told(one.momentum_bps),
        "volatility": _told(_scaled(one.volatility)),
        "volatility_z": _told(one.volatility_z, 2),
        "rsi": _told(one.rsi, 0),
        "spread_bps": _told(one.spread_bps),
    }
    return f"{one.instrument_id}: " + ", ".join([f"{name} {text}" for name, text in told.items()])


def _told(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _scaled(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * _BPS


def _medians(features: Sequence[FeaturesComputed]) -> dict[str, float]:
    """Return the median over the instruments of each feature that any of them has."""
    columns = {
        "volatility_bps": [_scaled(one.volatility) for one in features],
        "volatility_z": [one.volatility_z for one in features],
        "spread_bps": [one.spread_bps for one in features],
    }
    known = {name: [v for v in values if v is not None] for name, values in columns.items()}
    return {name: median(values) for name, values in known.items() if values}
