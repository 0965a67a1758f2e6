"""A model's call can be seen in the trace under the names of everybody's tools, and is counted."""

import pytest
from interlock.escalation.core import decide
from interlock.runtime.metrics import Metrics
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.desk_messages import tick
from interlock.wire.base import Message
from interlock.wire.reasoning import RegimeAudited, RewardsEngineered, SanityJudged

from tests.unit.escalation.escalation_cells import account, cell, market, of, parameters, say, tell
from tests.unit.escalation.test_proposals import answered, auditor, question_and_room


def attributes(*said: Message) -> dict[str, str]:
    telemetry = Telemetry("escalation", {})
    span = telemetry.start(tick(1), "data.clock.d", {})
    telemetry.finish(span, said)
    spans = telemetry.take_spans()
    assert spans is not None
    return spans.spans[0].attributes


def answers():
    room = cell()
    tell(room, parameters(), *market(3.0, 0.1))
    said = say(room, account(1, -3.0))
    return [of(kind, said)[0] for kind in (RegimeAudited, RewardsEngineered, SanityJudged)]


@pytest.mark.parametrize("index", range(3))
def test_the_span_has_the_conventions_attributes(index):
    message = answers()[index]
    told = attributes(message)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "rules"
    assert told["gen_ai.response.model"] == "rules-v1"
    assert told["gen_ai.usage.input_tokens"] == "0"
    assert told["gen_ai.usage.output_tokens"] == "0"
    assert told["interlock.prompt_hash"] == message.prompt_hash


def test_a_call_of_a_compatible_server_is_told_as_the_protocols_owner():
    effect, room = question_and_room()
    said = decide(room.state, answered(effect, auditor(short=0.1)), 0)
    assert attributes(*said)["gen_ai.provider.name"] == "openai"
    assert attributes(*said)["gen_ai.usage.input_tokens"] == "1"


def test_the_cost_of_an_answer_is_counted_once():
    effect, room = question_and_room()
    metrics = Metrics()
    for message in decide(room.state, answered(effect, auditor(short=0.1, rl=0.1)), 0):
        metrics.said(message)
    text = metrics.text().decode()
    assert "trader_ai_cost_usd_total 0.25" in text
    assert 'trader_ai_proposals_total{source="openai"} 2.0' in text
