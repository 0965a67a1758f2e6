"""What a model may answer about trades: one decision, target weights, or a mood of the news."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from interlock.reasoning.answer_schema import (
    AnswerSchema,
    ChoiceRule,
    LabelRule,
    NumberRule,
    Rows,
    SymbolRule,
    TextRule,
    TextsRule,
)

MAX_PROSE_CHARS = 500
MAX_DECISIONS = 5
_MAX_POINTS = 8
_MAX_POINT_CHARS = 200
_MAX_PRICE = 10_000_000.0

_SYMBOL_NAMES = ("ticker", "instrument", "pair", "coin")
_PROSE_NAMES = ("rationale", "thesis", "reasoning", "reason", "explanation", "justification")
_NOTHING = frozenset({"", "-", "n/a", "na", "none", "nothing", "null", "unknown"})
_WAITING = {"wait": "hold", "keep": "hold", "no_action": "hold", "no_trade": "hold"}

type Confidence = Annotated[int, Meta(ge=0, le=100, description="0 to 100, a whole number.")]
type Symbol = Annotated[str, Meta(description="The instrument, as it was asked about.")]


class DecisionAnswer(Struct, frozen=True, kw_only=True):
    """What to do with one instrument. To hold is to wait for something, and to say for what."""

    symbol: Symbol
    action: Literal["enter", "exit", "hold"]
    direction: Literal["long", "short", "flat"] | None = None
    conviction: Confidence | None = None
    p_win: Annotated[float, Meta(description="Probability of the target, 0 to 1.")] | None = None
    reward_risk: Annotated[float, Meta(description="Reward over risk.")] | None = None
    expected_value_pct: Annotated[float, Meta(description="After costs, in percent.")] | None = None
    entry: float | None = None
    stop: float | None = None
    target: float | None = None
    position_size_bps: Annotated[float, Meta(description="Of equity, in basis points.")] | None = (
        None
    )
    horizon: Annotated[str, Meta(description="Such as 1d or 1w.")] | None = None
    thesis: Annotated[str, Meta(max_length=MAX_PROSE_CHARS)] | None = None
    catalysts: tuple[str, ...] | None = None
    risks: tuple[str, ...] | None = None
    missing_condition: (
        Annotated[str, Meta(description="To hold: what has to happen for it to change.")] | None
    ) = None


class AllocationDecision(Struct, frozen=True, kw_only=True):
    """The weight one instrument shall have, in percent of equity."""

    symbol: Symbol
    action: Literal["buy", "sell", "hold"]
    target_weight_pct: (
        Annotated[float, Meta(description="Of equity, in percent: 5 is 5 %.")] | None
    ) = None
    confidence: Confidence | None = None
    stop_loss_pct: Annotated[float, Meta(description="Below the price, in percent.")] | None = None
    take_profit_pct: Annotated[float, Meta(description="Above the price, in percent.")] | None = (
        None
    )
    rationale: Annotated[str, Meta(max_length=MAX_PROSE_CHARS)] | None = None


class AllocationAnswer(Struct, frozen=True, kw_only=True):
    """At most five of them. None is an answer too: there is nothing to do."""

    decisions: Annotated[tuple[AllocationDecision, ...], Meta(max_length=MAX_DECISIONS)]


class SentimentAnswer(Struct, frozen=True, kw_only=True):
    """How the news stands for an instrument, or for the market: a number, a word, or both."""

    symbol: Symbol | None = None
    sentiment: Annotated[float, Meta(description="-1, very bad, to 1, very good.")] | None = None
    label: Literal["negative", "neutral", "positive"] | None = None
    confidence: Confidence | None = None
    rationale: Annotated[str, Meta(max_length=MAX_PROSE_CHARS)] | None = None


def _needed_of_decision(values: Mapping[str, Any]) -> Iterable[str]:
    match values.get("action"):
        case "enter":
            return [
                name for name in DecisionAnswer.__struct_fields__ if name != "missing_condition"
            ]
        case "hold":
            return ["symbol", "action", "missing_condition"]
        case _:
            return ["symbol", "action"]


def _wrong_with_decision(answer: DecisionAnswer) -> str | None:
    if answer.action == "hold" and str(answer.missing_condition).lower() in _NOTHING:
        return "it holds and waits for nothing"
    if answer.action != "enter":
        return None
    if answer.direction == "flat":
        return "it enters and stays flat"
    levels = (answer.stop, answer.entry, answer.target)
    stop, entry, target = (level or 0.0 for level in levels)
    if answer.direction == "long" and not stop < entry < target:
        return f"long needs stop < entry < target, not {stop:g}, {entry:g}, {target:g}"
    if answer.direction == "short" and not target < entry < stop:
        return f"short needs target < entry < stop, not {target:g}, {entry:g}, {stop:g}"
    return None


def _needed_of_allocation(values: Mapping[str, Any]) -> Iterable[str]:
    needed = ["symbol", "action"]
    if values.get("action") != "hold":
        needed += ["target_weight_pct", "confidence"]
    if values.get("action") == "buy":
        needed += ["stop_loss_pct", "take_profit_pct"]
    return needed


def _needed_of_sentiment(values: Mapping[str, Any]) -> Iterable[str]:
    return ["label"] if values.get("sentiment") is None else ["sentiment"]


def _wrong_with_sentiment(answer: SentimentAnswer) -> str | None:
    if answer.sentiment is None or answer.label is None:
        return None
    if answer.label == "negative" and answer.sentiment > 0:
        return f"negative, and {answer.sentiment:g}"
    if answer.label == "positive" and answer.sentiment < 0:
        return f"positive, and {answer.sentiment:g}"
    return None


def _price(*aliases: str) -> NumberRule:
    return NumberRule(lower=0, upper=_MAX_PRICE, above=True, aliases=aliases)


_CONFIDENCE = NumberRule(
    lower=0,
    upper=100,
    whole=True,
    percent=True,
    aliases=("conviction", "confidence", "confidence_pct", "conviction_pct"),
)
_RATIONALE = TextRule(max_chars=MAX_PROSE_CHARS, aliases=_PROSE_NAMES)

DECISION = AnswerSchema(
    name="decision",
    kind=DecisionAnswer,
    fields={
        "symbol": SymbolRule(aliases=_SYMBOL_NAMES),
        "action": ChoiceRule(
            values=("enter", "exit", "hold"),
            # To sell is to leave a long position, or to enter a short one: refused.
            synonyms={
                "open": "enter",
                "open_long": "enter",
                "open_short": "enter",
                "buy": "enter",
                "close": "exit",
                "close_long": "exit",
                "close_short": "exit",
            }
            | _WAITING,
            implied={
                "open_long": {"direction": "long"},
                "open_short": {"direction": "short"},
            },
            aliases=("decision",),
        ),
        "direction": ChoiceRule(
            values=("long", "short", "flat"),
            synonyms={"none": "flat", "neutral": "flat"},
            aliases=("side", "position"),
        ),
        "conviction": _CONFIDENCE,
        "p_win": NumberRule(
            lower=0,
            upper=1,
            percent=True,
            aliases=("win_probability", "probability_of_win", "win_prob"),
        ),
        "reward_risk": NumberRule(lower=0, upper=100, aliases=("reward_risk_ratio",)),
        "expected_value_pct": NumberRule(lower=-100, upper=100, aliases=("ev_pct",)),
        "entry": _price("entry_price"),
        "stop": _price("stop_loss", "stop_price", "stop_loss_price"),
        "target": _price("take_profit", "target_price", "take_profit_price", "price_target"),
        "position_size_bps": NumberRule(
            lower=0, upper=10_000, above=True, aliases=("size_bps", "position_bps")
        ),
        "horizon": LabelRule(aliases=("time_horizon", "holding_period", "timeframe")),
        "thesis": TextRule(max_chars=MAX_PROSE_CHARS, aliases=_PROSE_NAMES),
        "catalysts": TextsRule(most=_MAX_POINTS, max_chars=_MAX_POINT_CHARS, aliases=("catalyst",)),
        "risks": TextsRule(
            most=_MAX_POINTS, max_chars=_MAX_POINT_CHARS, aliases=("key_risks", "risk_factors")
        ),
        "missing_condition": TextRule(
            max_chars=MAX_PROSE_CHARS,
            aliases=("waits_for", "waiting_for", "would_change", "condition_to_change"),
        ),
    },
    identifying=("action",),
    needs=_needed_of_decision,
    contradiction=_wrong_with_decision,
)

# What a name may mean besides is left out: `probability` (of what?), `risk_reward_ratio` (which way
# up?), `target_pct` (of the price, or the weight?), `score` (of sentiment, or of its certainty?).
# `weight_pct` alone is not among the names of the target: real answers mean by it the weight to
# reach, the weight to sell, or the part of the position, and do not say which.
ALLOCATION_ROW = AnswerSchema(
    name="allocation-decision",
    kind=AllocationDecision,
    fields={
        "symbol": SymbolRule(aliases=_SYMBOL_NAMES),
        "action": ChoiceRule(
            values=("buy", "sell", "hold"),
            synonyms={
                "enter": "buy",
                "increase": "buy",
                "add": "buy",
                "open_long": "buy",
                "exit": "sell",
                "close": "sell",
                "reduce": "sell",
                "trim": "sell",
                "close_long": "sell",
            }
            | _WAITING,
            aliases=("side",),
        ),
        "target_weight_pct": NumberRule(
            lower=0,
            upper=100,
            percent=True,
            aliases=("target_weight", "target_weight_percent", "target_allocation_pct"),
        ),
        "confidence": _CONFIDENCE,
        "stop_loss_pct": NumberRule(
            lower=0, upper=100, above=True, percent=True, aliases=("stop_loss_percent", "stop_pct")
        ),
        "take_profit_pct": NumberRule(
            lower=0,
            upper=1_000,
            above=True,
            percent=True,
            aliases=("take_profit_percent",),
        ),
        "rationale": _RATIONALE,
    },
    identifying=("symbol", "action"),
    needs=_needed_of_allocation,
)

ALLOCATION = AnswerSchema(
    name="allocation",
    kind=AllocationAnswer,
    rows=Rows(
        field="decisions",
        row=ALLOCATION_ROW,
        most=MAX_DECISIONS,
        aliases=("orders", "allocations", "trades"),
    ),
)

SENTIMENT = AnswerSchema(
    name="sentiment",
    kind=SentimentAnswer,
    fields={
        "symbol": SymbolRule(aliases=_SYMBOL_NAMES),
        "sentiment": NumberRule(lower=-1, upper=1, aliases=("sentiment_score", "polarity")),
        "label": ChoiceRule(
            values=("negative", "neutral", "positive"),
            synonyms={"bearish": "negative", "bullish": "positive"},
            aliases=("sentiment_label", "signal"),
        ),
        "confidence": _CONFIDENCE,
        "rationale": _RATIONALE,
    },
    identifying=("sentiment", "label"),
    needs=_needed_of_sentiment,
    contradiction=_wrong_with_sentiment,
)
