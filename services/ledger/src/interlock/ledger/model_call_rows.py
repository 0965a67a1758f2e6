"""Calls of models, as rows of the ledger's tables."""

from collections.abc import Iterable
from decimal import Decimal

from interlock.ledger.row_base import Row, copied, ids_of
from interlock.wire.reasoning import (
    ParameterProposal,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)

type Answer = (
    ParameterProposal
    | PostMortemWritten
    | RegimeAudited
    | RewardsEngineered
    | SanityJudged
    | SentimentJudged
)


class ModelCallRow(Row, frozen=True, kw_only=True):
    """One call of a model. `outcome` is ``answered`` or why it gave nothing."""

    desk: str
    outcome: str
    provider: str
    model: str
    cost_usd: Decimal
    latency_ns: int
    detail: str
    prompt: str | None = None
    prompt_hash: str | None = None
    answer: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


def answered(m: Answer) -> Iterable[ModelCallRow]:
    """Yield the call behind an answer.

    Without a prompt there was none: a proposal that is part of an answer, a judge nobody asked, a
    day that was written about from its figures.
    """
    if m.prompt:
        yield copied(ModelCallRow, m, outcome="answered", detail=_told(m))


def failed(m: ReasonerFailed) -> Iterable[ModelCallRow]:
    yield ModelCallRow(
        **ids_of(m),
        desk=m.desk,
        outcome=m.reason,
        provider=m.provider,
        model=m.model,
        cost_usd=m.spent_usd,
        latency_ns=m.latency_ns,
        detail=m.detail,
    )


def _told(m: Answer) -> str:
    match m:
        case ParameterProposal():
            return m.rationale
        case PostMortemWritten():
            return m.root_cause
        case RegimeAudited():
            return f"regime auditor, because of {m.asked_by}: {m.regime_label}"
        case RewardsEngineered():
            off = ", ".join(m.disabled_features) or "no feature"
            return f"reward engineer, because of {m.asked_by}: {off} switched off"
        case SanityJudged():
            return f"sanity judge: {'stay on paper' if m.stay_demo else 'go back'}"
        case SentimentJudged():
            return f"{m.instrument_id}: {m.sentiment:+.2f}"
