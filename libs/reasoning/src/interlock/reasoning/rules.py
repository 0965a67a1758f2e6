"""The provider that is no model: a formula, so that a desk runs and replays without one."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from interlock.reasoning.ports import Answer, Finish, Question
from interlock.reasoning.rules_escalation import FORMULAS
from interlock.reasoning.rules_of_days import post_mortem_of
from interlock.reasoning.rules_of_news import sentiment_of

_BOLD_EVERY = 7
_STEP_SHARE = 0.9
_BOLD_SHARE = 2.0


class Rules:
    """Answers from the question's facts alone; the same facts have the same answer for ever."""

    name = "rules"
    model = "rules-v1"
    metered = False

    async def ask(self, question: Question) -> Answer:
        said = _SAID[question.schema.name](question.facts)
        return Answer(
            text=json.dumps(said),
            tokens_in=0,
            tokens_out=0,
            finish_reason=Finish.STOP,
            model=self.model,
        )

    async def close(self) -> None:
        """Nothing is open."""


def _threshold(facts: Mapping[str, float]) -> dict[str, Any]:
    """Move the threshold towards what volatility and spread ask for.

    It reads the facts `current`, `lower`, `upper`, `max_step`, `index`, and of the market
    `volatility_z`, or where that is not known `volatility_bps`, and `spread_bps`. Every seventh
    answer, when there is far to go, asks for more than `max_step`: so that the policy has
    something to refuse.
    """
    current, max_step = facts["current"], facts["max_step"]
    wanted = _target({**facts})
    gap = wanted - current
    bold = facts["index"] % _BOLD_EVERY == 0 and abs(gap) > _BOLD_SHARE * max_step
    # A little less than the largest step: 0.8 - 0.6 is more than 0.2 in binary.
    reach = max_step * (_BOLD_SHARE if bold else _STEP_SHARE)
    proposed = round(current + max(-reach, min(reach, gap)), 4)
    share = min(1.0, abs(gap) / (facts["upper"] - facts["lower"]))
    return {
        "threshold_bps": proposed,
        "confidence": round(50 + 50 * share),
        "rationale": f"volatility and spread ask for {wanted:.4f} bps, now {current:.4f}",
    }


def _target(facts: dict[str, float]) -> float:
    """Return the threshold that the market asks for, in bps.

    By the z-score of volatility, because it means the same on seconds and on days: normal
    volatility asks for the middle of the range, three deviations for its end. Never below half
    the spread, which is what crossing it costs.
    """
    lower, upper = facts["lower"], facts["upper"]
    if "volatility_z" in facts:
        wanted = (lower + upper) / 2 + facts["volatility_z"] * (upper - lower) / 6
    else:
        wanted = facts.get("volatility_bps", lower)
    wanted = max(wanted, facts.get("spread_bps", 0.0) / 2)
    return max(lower, min(upper, wanted))


_SAID: dict[str, Callable[[Mapping[str, float]], dict[str, Any]]] = {
    "param-proposal": _threshold,
    "sentiment": sentiment_of,
    "post-mortem": post_mortem_of,
    **FORMULAS,
}
