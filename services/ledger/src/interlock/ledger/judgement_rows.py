"""What models said and what was made of it, as rows of the ledger's tables."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from interlock.ledger.day_rows import PostMortemRow
from interlock.ledger.row_base import Row, copied, ids_of
from interlock.wire.base import Message
from interlock.wire.decisions import ScoreComputed
from interlock.wire.reasoning import (
    CallKind,
    EscalationTriggered,
    ParameterProposal,
    PostMortemSource,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)
from interlock.wire.system import SpanRow

_ANSWERED = "answered"


class ModelCallRow(Row, frozen=True, kw_only=True):
    """One call of a model. `outcome` is ``answered`` or why it gave nothing.

    `question` is the kind of answer that was asked for; `source` is cloud or local where an
    escalation asked, and none elsewhere.
    """

    desk: str
    outcome: str
    provider: str
    model: str
    cost_usd: Decimal
    latency_ns: int
    detail: str
    question: str
    source: str | None
    prompt: str | None = None
    prompt_hash: str | None = None
    answer: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class ScoreRow(Row, frozen=True, kw_only=True):
    """The fields of `ScoreComputed`."""

    desk: str
    instrument_id: str
    p_short: float | None
    p_mid: float | None
    size_hint: float | None
    weights: dict[str, float]
    penalties: dict[str, float]
    base: float | None
    score: float | None
    action: str
    size_fraction: float
    mode: str
    features_id: str
    policy_version: int


class EscalationRow(Row, frozen=True, kw_only=True):
    """The fields of `EscalationTriggered`."""

    desk: str
    day: int
    trigger: str
    call: str
    observed: dict[str, float]
    limits: dict[str, float]
    granted: bool
    reason: str
    calls_today: int
    ts_desk: int


JUDGEMENT_TABLES: Mapping[type[Row | SpanRow], tuple[str, tuple[str, ...]]] = {
    ModelCallRow: ("model_calls", ("message_id",)),
    ScoreRow: ("scores", ("message_id",)),
    EscalationRow: ("escalations", ("message_id",)),
    PostMortemRow: ("post_mortems", ("message_id",)),
}


def _call(m: Message, question: str, detail: str, source: str | None = None) -> Row:
    return copied(
        ModelCallRow, m, outcome=_ANSWERED, question=question, detail=detail, source=source
    )


def _proposed(m: ParameterProposal) -> Iterable[Row]:
    # What an escalation brought about is told by its answer's own message, once.
    if m.prompt or m.answer:
        yield _call(m, "param_proposal", m.rationale)


def _sentiment(m: SentimentJudged) -> Iterable[Row]:
    yield _call(m, "sentiment", f"{m.instrument_id}: {m.sentiment:+.2f}")


def _post_mortem(m: PostMortemWritten) -> Iterable[Row]:
    yield copied(PostMortemRow, m)
    # One that was written from the figures alone is no call of a model.
    if m.prompt_hash:
        source = m.source if m.source is PostMortemSource.CLOUD else None
        yield _call(m, CallKind.POST_MORTEM, m.root_cause, source)


def _audited(m: RegimeAudited) -> Iterable[Row]:
    yield _call(m, CallKind.REGIME_AUDITOR, m.regime_label, m.source)


def _engineered(m: RewardsEngineered) -> Iterable[Row]:
    off = ", ".join(m.disabled_features) or "nothing"
    yield _call(m, CallKind.REWARD_ENGINEER, f"{off} switched off", m.source)


def _judged(m: SanityJudged) -> Iterable[Row]:
    # A verdict that no escalation asked for comes without its call.
    if m.prompt_hash:
        told = "stay on paper" if m.stay_demo else "may go on"
        yield _call(m, CallKind.SANITY_JUDGE, f"{told}: {m.rationale}", m.source)


def _failed(m: ReasonerFailed) -> Iterable[Row]:
    yield ModelCallRow(
        **ids_of(m),
        desk=m.desk,
        outcome=m.reason,
        provider=m.provider,
        model=m.model,
        cost_usd=m.spent_usd,
        latency_ns=m.latency_ns,
        detail=m.detail,
        question=m.question,
        source=m.source,
    )


def _copied(kind: type[Row]) -> Callable[[Any], Iterable[Row]]:
    return lambda message: (copied(kind, message),)


JUDGEMENT_MAKERS: Mapping[type[Message], Callable[[Any], Iterable[Row]]] = {
    ParameterProposal: _proposed,
    SentimentJudged: _sentiment,
    PostMortemWritten: _post_mortem,
    RegimeAudited: _audited,
    RewardsEngineered: _engineered,
    SanityJudged: _judged,
    ReasonerFailed: _failed,
    ScoreComputed: _copied(ScoreRow),
    EscalationTriggered: _copied(EscalationRow),
}
