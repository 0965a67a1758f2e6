"""From what the model said, or did not say, to the message it becomes."""

from typing import Any

from interlock.local_reasoner.ports import (
    AskModel,
    AskPostMortem,
    AskSentiment,
    ModelAnswered,
    ModelFailed,
)
from interlock.local_reasoner.state import Reasoner
from interlock.model.values import ZERO
from interlock.reasoning.day_answers import PostMortemAnswer
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.prompt import prompt_hash
from interlock.reasoning.rules import Rules
from interlock.reasoning.rules_of_days import post_mortem_of
from interlock.reasoning.schemas import ParamProposalAnswer
from interlock.reasoning.trading_answers import SentimentAnswer
from interlock.wire.base import Message, caused_id
from interlock.wire.reasoning import (
    ParameterProposal,
    PostMortemSource,
    PostMortemWritten,
    ReasonerFailed,
    SentimentJudged,
)


def message_of(reasoner: Reasoner, heard: ModelAnswered) -> Message:
    """Return what an answer becomes."""
    match heard.asked:
        case AskModel():
            return _proposal(reasoner, heard, heard.asked)
        case AskSentiment():
            return _sentiment(reasoner, heard, heard.asked)
        case AskPostMortem():
            return _post_mortem(reasoner, heard, heard.asked)


def failure_of(reasoner: Reasoner, heard: ModelFailed) -> ReasonerFailed:
    cause, asked = heard.asked.cause, heard.asked
    key = reasoner.config.parameter if isinstance(asked, AskModel) else asked.call_id
    return ReasonerFailed(
        message_id=caused_id(cause, ReasonerFailed, key),
        decision_id=cause.decision_id,
        ts_event=cause.ts_event,
        desk=reasoner.desk,
        reason=heard.reason,
        detail=heard.detail,
        provider=reasoner.config.provider.value,
        model=reasoner.model,
        spent_usd=heard.spent_usd,
        latency_ns=heard.latency_ns,
        question=asked.kind,
    )


def written_by_rules(asked: AskPostMortem) -> PostMortemWritten:
    """Return the post-mortem of a day from its figures alone."""
    day = asked.day
    found = post_mortem_of(asked.figures)
    return PostMortemWritten(
        message_id=caused_id(day, PostMortemWritten, PostMortemSource.RULES),
        decision_id=day.decision_id,
        ts_event=day.ts_event,
        desk=day.desk,
        day=day.day,
        figures=asked.figures,
        root_cause=found["root_cause"],
        recommendations=found["recommendations"],
        source=PostMortemSource.RULES,
        provider=Rules.name,
        model=Rules.model,
        prompt_hash="",
        answer="",
        tokens_in=0,
        tokens_out=0,
        cost_usd=ZERO,
        latency_ns=0,
    )


def _call(
    reasoner: Reasoner, heard: ModelAnswered, asked: AskModel | AskSentiment | AskPostMortem
) -> dict[str, Any]:
    """Return what every message says of the call it came from."""
    question, cause = asked.question, asked.cause
    return {
        "decision_id": cause.decision_id,
        "ts_event": cause.ts_event,
        "desk": reasoner.desk,
        "provider": reasoner.config.provider.value,
        "model": heard.model,
        "requested_model": reasoner.model,
        "prompt": f"{question.system}\n\n{question.prompt}",
        "prompt_hash": prompt_hash(question.system, question.prompt),
        "prompt_files": question.prompt_files,
        "answer": heard.text,
        "tokens_in": heard.tokens_in,
        "tokens_out": heard.tokens_out,
        "cost_usd": heard.cost_usd,
        "latency_ns": heard.latency_ns,
    }


def _proposal(reasoner: Reasoner, heard: ModelAnswered, asked: AskModel) -> ParameterProposal:
    answer, parameter = heard.answer, reasoner.config.parameter
    assert isinstance(answer, ParamProposalAnswer)
    return ParameterProposal(
        **_call(reasoner, heard, asked),
        message_id=caused_id(asked.tick, ParameterProposal, parameter),
        parameter=parameter,
        current=asked.current,
        proposed=answer.threshold_bps,
        confidence=answer.confidence,
        rationale=answer.rationale,
        ts_desk=asked.tick.ts_desk,
    )


def _sentiment(reasoner: Reasoner, heard: ModelAnswered, asked: AskSentiment) -> SentimentJudged:
    answer = heard.answer
    assert isinstance(answer, SentimentAnswer)
    assert answer.sentiment is not None
    assert answer.confidence is not None
    return SentimentJudged(
        **_call(reasoner, heard, asked),
        message_id=caused_id(asked.tick, SentimentJudged, asked.instrument_id),
        instrument_id=asked.instrument_id,
        sentiment=answer.sentiment,
        confidence=answer.confidence,
        news_ids=asked.news_ids,
        ts_desk=asked.tick.ts_desk,
    )


def _post_mortem(
    reasoner: Reasoner, heard: ModelAnswered, asked: AskPostMortem
) -> PostMortemWritten:
    answer = heard.answer
    assert isinstance(answer, PostMortemAnswer)
    by_rules = reasoner.config.provider is ProviderKind.RULES
    source = PostMortemSource.RULES if by_rules else PostMortemSource.LOCAL
    return PostMortemWritten(
        **_call(reasoner, heard, asked),
        message_id=caused_id(asked.day, PostMortemWritten, source),
        day=asked.day.day,
        figures=asked.figures,
        root_cause=answer.root_cause,
        recommendations=[*answer.recommendations],
        source=source,
    )
