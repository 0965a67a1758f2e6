"""What models say: assessments and proposals in closed schemas, and their failures by reason.

Every answer tells of its call. `model` is the name the provider gives itself, `requested_model` the
one that was asked for. `prompt` is what the model saw and `prompt_hash` the SHA-256 of it;
`prompt_files` names the version of the prompt and the SHA-256 of its files, blanks and all.
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

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


class AnswerSource(StrEnum):
    """Who answered an escalation: the cloud model, or the local one in its place."""

    CLOUD = "cloud"
    LOCAL = "local"


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

    `latency_ns` is the whole call as the caller saw it, `cost_usd` the price of the tokens (zero
    for a local model). Where there is a `delta`, the value in force is moved by it and `proposed`
    is only what the model took that to come to. One that is part of an answer with a message of its
    own has no prompt, no tokens and no cost: they stand there, once.
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
    requested_model: str = ""
    prompt_files: str = ""

    def __post_init__(self) -> None:
        require_finite_float("proposed", self.proposed)
        if self.delta is not None:
            require_finite_float("delta", self.delta)
        require_not_negative("cost_usd", self.cost_usd)


class ReasonerFailed(DeskMessage, frozen=True, kw_only=True, tag="reasoner.failed.v1"):
    """A model call gave nothing; `spent_usd` is what it cost all the same.

    `question` is the kind of answer that was asked for, such as ``sentiment``; `source` is who was
    asked because of an escalation, none where there was none.
    """

    reason: ReasonerFailure
    detail: str
    provider: str
    model: str
    spent_usd: Decimal
    latency_ns: int
    question: str = ""
    source: AnswerSource | None = None


class Trigger(StrEnum):
    """What makes a question worth a call."""

    RISK = "risk"
    REGIME = "regime"
    MODEL_DECAY = "model_decay"
    EVENT_HEAT = "event_heat"
    KILL_SWITCH = "kill_switch"
    POST_MORTEM = "post_mortem"


class CallKind(StrEnum):
    """What is asked."""

    REWARD_ENGINEER = "reward_engineer"
    REGIME_AUDITOR = "regime_auditor"
    SANITY_JUDGE = "sanity_judge"
    POST_MORTEM = "post_mortem"


class EscalationTriggered(DeskMessage, frozen=True, kw_only=True, tag="escalation.triggered.v1"):
    """A trigger fired: what was seen, and whether the call it wants is granted.

    `observed` and `limits` have the same names. `calls_today` counts the calls granted on this
    trading day, this one included; `reason` is for people.
    """

    trigger: Trigger
    call: CallKind
    observed: dict[str, float]
    limits: dict[str, float]
    granted: bool
    reason: str
    calls_today: int
    ts_desk: int
    day: int = 0


class StopMultipliers(Struct, frozen=True, kw_only=True):
    """Distances of protective orders in ATR; none where the judge leaves one as it is."""

    atr: float | None = None
    trailing: float | None = None


class LiveChanges(Struct, frozen=True, kw_only=True):
    """What a judge would change of the desk that goes on; none is no change."""

    max_position_pct: float | None = None
    stop_multipliers: StopMultipliers = field(default_factory=StopMultipliers)


class SanityJudged(DeskMessage, frozen=True, kw_only=True, tag="reasoner.sanity-judged.v1"):
    """A judge's view of a desk after a kill: whether it should stay on paper.

    `source` is none where no escalation asked for it.
    """

    stay_demo: bool
    rationale: str
    provider: str
    model: str
    live_changes: LiveChanges = field(default_factory=LiveChanges)
    asked_by: Trigger | None = None
    source: AnswerSource | None = None
    prompt: str = ""
    prompt_hash: str = ""
    answer: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    latency_ns: int = 0
    requested_model: str = ""
    prompt_files: str = ""

    def __post_init__(self) -> None:
        require_not_negative("cost_usd", self.cost_usd)


class RegimeAudited(DeskMessage, frozen=True, kw_only=True, tag="reasoner.regime-audited.v1"):
    """An auditor's answer, as it was read. Nothing of it is in force: see the proposals it became.

    `do_not_trade_list` is as the model gave it, `DoNotTradeProposed` what is left of it.
    """

    regime_label: str
    blend_weights_delta: dict[str, float]
    bucket_caps_delta: dict[str, float]
    do_not_trade_list: list[str]
    asked_by: Trigger
    source: AnswerSource
    provider: str
    model: str
    prompt: str
    prompt_hash: str
    answer: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int
    requested_model: str = ""
    prompt_files: str = ""

    def __post_init__(self) -> None:
        for name, delta in [*self.blend_weights_delta.items(), *self.bucket_caps_delta.items()]:
            require_finite_float(name, delta)
        require_not_negative("cost_usd", self.cost_usd)


class RewardsEngineered(
    DeskMessage, frozen=True, kw_only=True, tag="reasoner.rewards-engineered.v1"
):
    """A reward engineer's answer, as it was read. What may come of it are proposals."""

    reward_coefficients: dict[str, float]
    turnover_penalties: dict[str, float]
    disabled_features: list[str]
    asked_by: Trigger
    source: AnswerSource
    provider: str
    model: str
    prompt: str
    prompt_hash: str
    answer: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int
    requested_model: str = ""
    prompt_files: str = ""

    def __post_init__(self) -> None:
        for name, value in [*self.reward_coefficients.items(), *self.turnover_penalties.items()]:
            require_finite_float(name, value)
        require_not_negative("cost_usd", self.cost_usd)


class DoNotTradeProposed(DeskMessage, frozen=True, kw_only=True, tag="reasoner.do-not-trade.v1"):
    """A model asks that some of the desk's instruments or sectors be left alone.

    `names` are the desk's own and no others; they take the place of those the last model gave.
    """

    names: list[str]
    cause: str
    provider: str
    model: str
    ts_desk: int


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
    requested_model: str = ""
    prompt_files: str = ""

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
    requested_model: str = ""
    prompt_files: str = ""

    def __post_init__(self) -> None:
        for name, value in self.figures.items():
            require_finite_float(name, value)
        require_not_negative("cost_usd", self.cost_usd)


class PauseReasoner(DeskMessage, frozen=True, kw_only=True, tag="reasoner.pause.v1"):
    """A named person wants no model asked any more, near or far, until it is resumed."""

    by: str
    reason: str


class ResumeReasoner(DeskMessage, frozen=True, kw_only=True, tag="reasoner.resume.v1"):
    """A named person wants the models asked again."""

    by: str
    reason: str


class ReasonerPaused(DeskMessage, frozen=True, kw_only=True, tag="reasoner.paused.v1"):
    """Whether models are asked from now on, and whose word that is."""

    paused: bool
    by: str
    reason: str
