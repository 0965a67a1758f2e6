"""What models say: assessments and proposals in closed schemas, and their failures by reason."""

from decimal import Decimal
from enum import StrEnum

from interlock.model.values import require_finite_float, require_not_negative
from interlock.wire.base import DeskMessage


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
    """A model call gave nothing; `spent_usd` is what it cost all the same."""

    reason: ReasonerFailure
    detail: str
    provider: str
    model: str
    spent_usd: Decimal
    latency_ns: int


class SanityJudged(DeskMessage, frozen=True, kw_only=True, tag="reasoner.sanity-judged.v1"):
    """A judge's view of a desk in quarantine: whether it should stay on paper."""

    stay_demo: bool
    rationale: str
    provider: str
    model: str


class PauseReasoner(DeskMessage, frozen=True, kw_only=True, tag="reasoner.pause.v1"):
    """A named person wants the model asked no more until it is resumed."""

    by: str
    reason: str


class ResumeReasoner(DeskMessage, frozen=True, kw_only=True, tag="reasoner.resume.v1"):
    """A named person wants the model asked again."""

    by: str
    reason: str


class ReasonerPaused(DeskMessage, frozen=True, kw_only=True, tag="reasoner.paused.v1"):
    """Whether the model is asked from now on, and whose word that is."""

    paused: bool
    by: str
    reason: str
