"""Each call of a model has one row, with what was asked and what it cost."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.ledger.model_call_rows import ModelCallRow
from interlock.ledger.rows import Stamp, rows_of
from interlock.model.values import TradingMode
from interlock.wire import catalogue
from interlock.wire.base import Message, tag_of
from interlock.wire.catalogue import Stream
from interlock.wire.codec import decode
from interlock.wire.reasoning import (
    ParameterProposal,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)
from msgspec.structs import replace

EXAMPLES = Path(__file__).parents[3] / "proto" / "examples"
STAMP = Stamp(mode=TradingMode.DEMO, config_hash="c0ffee")
ANSWERS = [
    ParameterProposal,
    PostMortemWritten,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
]


def calls(message: Message) -> list[ModelCallRow]:
    rows = rows_of(message, Stream.DESK, catalogue.subject_of(message), STAMP)
    return [row for row in rows if isinstance(row, ModelCallRow)]


def example(kind: type[Message]) -> Message:
    return decode((EXAMPLES / tag_of(kind) / "typical.json").read_bytes())


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_one_call_with_its_cost(kind):
    asked = {"prompt": "p", "prompt_hash": "h", "cost_usd": Decimal("0.0014"), "tokens_out": 80}
    (row,) = calls(replace(example(kind), **asked))
    assert (row.outcome, row.prompt, row.prompt_hash) == ("answered", "p", "h")
    assert (row.cost_usd, row.tokens_out) == (Decimal("0.0014"), 80)
    assert row.detail


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_nobody_was_asked_for_is_no_call(kind):
    assert calls(replace(example(kind), prompt="")) == []


def test_a_call_that_gave_nothing_says_why_and_what_it_cost():
    failure = replace(example(ReasonerFailed), spent_usd=Decimal("0.01"))
    (row,) = calls(failure)
    assert (row.outcome, row.cost_usd, row.prompt) == (failure.reason, Decimal("0.01"), None)
