"""A model's call can be seen in the trace under the names of everybody's tools, and is counted."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.escalation.core import decide
from interlock.runtime.metrics import Metrics
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.desk_messages import tick
from interlock.wire.base import Message, tag_of
from interlock.wire.codec import decode
from interlock.wire.reasoning import (
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)
from msgspec.structs import replace

from tests.unit.escalation.escalation_cells import account, cell, market, of, parameters, say, tell
from tests.unit.escalation.test_proposals import answered, auditor, question_and_room

EXAMPLES = Path(__file__).parents[3] / "proto" / "examples"


def example_of[M: Message](kind: type[M]) -> M:
    message = decode((EXAMPLES / tag_of(kind) / "typical.json").read_bytes())
    assert isinstance(message, kind)
    return message


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
    assert told["gen_ai.request.model"] == "rules-v1"
    assert told["gen_ai.response.model"] == "rules-v1"
    assert told["gen_ai.usage.input_tokens"] == "0"
    assert told["gen_ai.usage.output_tokens"] == "0"
    assert told["interlock.prompt_hash"] == message.prompt_hash
    assert told["interlock.prompt_files"] == message.prompt_files


def test_a_call_of_a_compatible_server_is_told_as_the_protocols_owner():
    effect, room = question_and_room()
    said = decide(room.state, answered(effect, auditor(short=0.1)), 0)
    told = attributes(*said)
    assert told["gen_ai.provider.name"] == "openai"
    assert told["gen_ai.request.model"] == "gpt-5"
    assert told["gen_ai.response.model"] == "gpt-5-2026-01-01"
    assert told["gen_ai.usage.input_tokens"] == "1"


@pytest.mark.parametrize("kind", [SentimentJudged, PostMortemWritten])
def test_every_kind_of_answer_is_told_and_paid_for(kind):
    message = replace(example_of(kind), cost_usd=Decimal("0.5"), requested_model="m", prompt="p")
    told = attributes(message)
    assert (told["gen_ai.request.model"], told["interlock.cost_usd"]) == ("m", "0.5")
    assert "gen_ai.request.model" not in attributes(replace(message, prompt=""))
    metrics = Metrics()
    metrics.said(message)
    assert "trader_ai_cost_usd_total 0.5" in metrics.text().decode()


def test_a_failed_call_is_told_also_where_another_model_answered():
    effect, room = question_and_room()
    failure = replace(example_of(ReasonerFailed), provider="openai", model="gpt-5")
    alone = attributes(failure)
    assert alone["gen_ai.request.model"] == "gpt-5"
    both = attributes(failure, *decide(room.state, answered(effect, auditor(short=0.1)), 0))
    assert both["interlock.model_failed.openai"] == f"{failure.reason}: {failure.detail}"
    assert both["gen_ai.response.model"] == "gpt-5-2026-01-01"


def test_the_cost_of_an_answer_is_counted_once():
    effect, room = question_and_room()
    metrics = Metrics()
    for message in decide(room.state, answered(effect, auditor(short=0.1, rl=0.1)), 0):
        metrics.said(message)
    text = metrics.text().decode()
    assert "trader_ai_cost_usd_total 0.25" in text
    assert 'trader_ai_proposals_total{source="openai"} 2.0' in text
