"""What models said, as rows: each call once, each score and each escalation."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.ledger.judgement_rows import EscalationRow, ModelCallRow, ScoreRow
from interlock.ledger.rows import Stamp, rows_of
from interlock.model.values import TradingMode
from interlock.wire.codec import decode
from interlock.wire.reasoning import AnswerSource, PostMortemSource
from msgspec.structs import replace

EXAMPLES = Path(__file__).parents[3] / "proto" / "examples"
STAMP = Stamp(mode=TradingMode.DEMO, config_hash="c0ffee")


def example(tag):
    return decode((EXAMPLES / tag / "typical.json").read_bytes())


def rows(message, kind):
    found = rows_of(message, "DESK", "subject", STAMP)
    return [one for one in found if isinstance(one, kind)]


@pytest.mark.parametrize(
    ("tag", "question"),
    [
        ("reasoner.regime-audited.v1", "regime_auditor"),
        ("reasoner.rewards-engineered.v1", "reward_engineer"),
        ("reasoner.sanity-judged.v1", "sanity_judge"),
    ],
)
def test_an_escalations_answer_is_one_call_with_its_prompt_and_its_source(tag, question):
    said = replace(
        example(tag),
        source=AnswerSource.CLOUD,
        prompt="p",
        prompt_hash="h",
        answer="{}",
        cost_usd=Decimal("0.01"),
    )
    (call,) = rows(said, ModelCallRow)
    assert (call.question, call.source, call.outcome) == (question, "cloud", "answered")
    assert (call.prompt, call.answer, call.cost_usd) == ("p", "{}", Decimal("0.01"))


def test_a_proposal_that_an_escalation_brought_about_is_no_second_call():
    asked = replace(example("reasoner.param-proposal.v1"), prompt="p", answer="{}")
    assert len(rows(asked, ModelCallRow)) == 1
    assert rows(replace(asked, prompt="", answer=""), ModelCallRow) == []


def test_what_was_written_from_figures_alone_is_no_call():
    written = replace(example("reasoner.post-mortem.v1"), prompt_hash="")
    assert rows(written, ModelCallRow) == []
    judged = replace(example("reasoner.sanity-judged.v1"), prompt_hash="")
    assert rows(judged, ModelCallRow) == []


@pytest.mark.parametrize(
    ("source", "told"), [(PostMortemSource.CLOUD, "cloud"), (PostMortemSource.LOCAL, None)]
)
def test_only_the_clouds_part_of_a_post_mortem_is_an_escalations_call(source, told):
    written = replace(example("reasoner.post-mortem.v1"), source=source, prompt_hash="h")
    (call,) = rows(written, ModelCallRow)
    assert (call.question, call.source) == ("post_mortem", told)


def test_a_failure_says_what_was_asked_and_of_whom():
    failed = replace(
        example("reasoner.failed.v1"), question="sanity_judge", source=AnswerSource.CLOUD
    )
    (call,) = rows(failed, ModelCallRow)
    assert (call.question, call.source, call.outcome) == (
        "sanity_judge", "cloud", failed.reason,
    )  # fmt: skip


def test_a_score_and_an_escalation_are_kept_whole():
    said = example("strategy.score.v1")
    (score,) = rows(said, ScoreRow)
    assert (score.score, score.weights, score.mode) == (said.score, said.weights, said.mode)
    fired = example("escalation.triggered.v1")
    (escalation,) = rows(fired, EscalationRow)
    assert (escalation.trigger, escalation.granted, escalation.day) == (
        fired.trigger, fired.granted, fired.day,
    )  # fmt: skip
