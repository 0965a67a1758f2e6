"""What models say: assessments and proposals in closed schemas, and their failures by reason."""

from decimal import Decimal
from enum import StrEnum

from interlock.model.values import require_finite_float, require_not_negative
from interlock.wire.base import DeskMessage

MAX_CONFIDENCE = 100


class Direction(StrEnum):
    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


class ReasonerFailure(StrEnum):
    """Why a model gave nothing. Each means zero proposals, never a default trade."""

    TIMEOUT = "timeout"
    PARSE = "parse"
    NETWORK = "network"
    REFUSAL = "refusal"
    BUDGET = "budget"
    RATE_LIMIT = "rate_limit"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    PROVIDER = "provider"


class Assessment(DeskMessage, frozen=True, kw_only=True, tag="reasoner.assessment.v1"):
    """A model's view of one instrument. `confidence` is a whole number from 0 to 100."""

    instrument_id: str
    direction: Direction
    confidence: int
    rationale: str
    provider: str
    model: str


class ParameterProposal(DeskMessage, frozen=True, kw_only=True, tag="reasoner.param-proposal.v1"):
    """A model asks for another value of one parameter.

    `prompt_hash` is the SHA-256 of the prompt, `latency_ns` the whole call as the caller saw it,
    `cost_usd` the price of the tokens (zero for a local model). Where there is a `delta`, the value
    in force is moved by it and `proposed` is only what the model took that to come to.
    """

    parameter: str
    current: float
    proposed: float
    confidence: int
    rationale: str
    provider: str
    model: str
    prompt: str
    prompt_hash: str
    answer: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int
    ts_desk: int
    delta: float | None = None

    def __post_init__(self) -> None:
        require_finite_float("proposed", self.proposed)
        if self.delta is not None:
            require_finite_float("delta", self.delta)
        require_not_negative("cost_usd", self.cost_usd)


class ReasonerFailed(DeskMessage, frozen=True, kw_only=True, tag="reasoner.failed.v1"):
    """A model call gave nothing; `spent_usd` is what it cost all the same.

    `question` is the kind of answer that was asked for, such as ``sentiment``.
    """

    reason: ReasonerFailure
    detail: str
    provider: str
    model: str
    spent_usd: Decimal
    latency_ns: int
    question: str = ""


class SanityJudged(DeskMessage, frozen=True, kw_only=True, tag="reasoner.sanity-judged.v1"):
    """A judge's view of a desk in quarantine: whether it should stay on paper."""

    stay_demo: bool
    rationale: str
    provider: str
    model: str


class SentimentJudged(DeskMessage, frozen=True, kw_only=True, tag="reasoner.sentiment.v1"):
    """How a model takes one cadence's news of one instrument.

    `sentiment` is from -1 (bad) to 1 (good), `confidence` a whole number from 0 to 100. `news_ids`
    names the items that were read; `answer` is what the model said, made harmless.
    """

    instrument_id: str
    sentiment: float
    confidence: int
    news_ids: list[str]
    provider: str
    model: str
    prompt_hash: str
    answer: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int
    ts_desk: int
    prompt: str = ""

    def __post_init__(self) -> None:
        require_finite_float("sentiment", self.sentiment)
        if not -1 <= self.sentiment <= 1:
            raise ValueError(f"sentiment is from -1 to 1, not {self.sentiment}")
        if not 0 <= self.confidence <= MAX_CONFIDENCE:
            raise ValueError(f"confidence is from 0 to 100, not {self.confidence}")
        require_not_negative("cost_usd", self.cost_usd)


class ReasonerStatusChanged(DeskMessage, frozen=True, kw_only=True, tag="reasoner.status.v1"):
    """The local model is out of reach, or answers again. A dead process says neither."""

    up: bool
    reason: str


class PostMortemSource(StrEnum):
    """Who wrote it. ``rules``: the figures themselves, where no model was asked or answered."""

    LOCAL = "local"
    CLOUD = "cloud"
    RULES = "rules"


class PostMortemWritten(DeskMessage, frozen=True, kw_only=True, tag="reasoner.post-mortem.v1"):
    """What a trading day came to, and why: text for people, which changes nothing.

    `day` is the trading day, counted from 1970. `figures` are the numbers it was written from.
    """

    day: int
    figures: dict[str, float]
    root_cause: str
    recommendations: list[str]
    source: PostMortemSource
    provider: str
    model: str
    prompt_hash: str
    answer: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int
    prompt: str = ""

    def __post_init__(self) -> None:
        for name, value in self.figures.items():
            require_finite_float(name, value)
        require_not_negative("cost_usd", self.cost_usd)
