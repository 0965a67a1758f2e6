import json

import pytest
from interlock.reasoning.ports import Finish, Question
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import Unreadable
from interlock.reasoning.rules import Rules
from interlock.reasoning.schemas import PARAM_PROPOSAL


def question(**facts):
    known = {"current": 1.0, "lower": 0.3, "upper": 3.0, "max_step": 0.2, "index": 1.0}
    return Question(
        system="",
        prompt="",
        schema=PARAM_PROPOSAL,
        max_tokens=1,
        timeout_seconds=1,
        facts=known | facts,
    )


async def proposed(**facts):
    answer = await Rules().ask(question(**facts))
    assert answer.finish_reason is Finish.STOP
    assert not isinstance(read(answer.text, PARAM_PROPOSAL), Unreadable)
    return json.loads(answer.text)["threshold_bps"]


@pytest.mark.parametrize(
    ("facts", "threshold"),
    [
        ({"volatility_z": 3.0}, 1.18),
        ({"volatility_z": -3.0}, 0.82),
        ({"volatility_z": 0.0, "current": 1.65}, 1.65),
        ({"volatility_z": 0.0, "current": 1.6}, 1.65),
        ({"volatility_bps": 150.0}, 1.18),
        ({"volatility_bps": 0.1, "spread_bps": 2.2}, 1.1),
        ({}, 0.82),
        ({"volatility_z": 3.0, "index": 7.0}, 1.4),
        ({"volatility_z": 0.0, "current": 1.6, "index": 7.0}, 1.65),
    ],
)
async def test_moves_towards_what_the_market_asks_for(facts, threshold):
    assert await proposed(**facts) == pytest.approx(threshold, abs=1e-9)


async def test_same_question_same_answer():
    one = await Rules().ask(question(volatility_z=1.5))
    assert one == await Rules().ask(question(volatility_z=1.5))
