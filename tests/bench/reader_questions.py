"""The questions that the recorded answers were answers to, as schemas of the one reader.

The recorded models were asked by other systems. Their answers say how well the reader reads only
where it knows what they were asked for; `OURS` names the question of ours that comes nearest,
which most of them do not answer.
"""

from typing import Any

from interlock.reasoning.answer_schema import (
    AnswerSchema,
    ChoiceRule,
    NumberRule,
    Rows,
    SymbolRule,
    TextRule,
)
from interlock.reasoning.schemas import SCHEMAS
from msgspec import Struct

COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "HYPEUSDT", "XRPUSDT")
_SYMBOL = SymbolRule(aliases=("ticker",))
_PROSE = TextRule(max_chars=500, aliases=("reasoning", "rationale", "justification"))
_PRICE = NumberRule(lower=0, upper=10_000_000, above=True)
_USD = NumberRule(lower=0, upper=10_000_000)
_CONFIDENCE = NumberRule(lower=0, upper=100, whole=True, percent=True)


class Order(Struct, frozen=True, kw_only=True):
    symbol: str
    action: str
    weight_pct: float


class Position(Struct, frozen=True, kw_only=True):
    position: str
    size_usd: float
    stop_loss: float | None = None
    take_profit: float | None = None


class Shares(Struct, frozen=True, kw_only=True):
    action: str
    shares: int
    price: float


class Pick(Struct, frozen=True, kw_only=True):
    symbol: str
    conviction: int


class Leg(Struct, frozen=True, kw_only=True):
    leg: str
    action: str
    confidence: int
    symbol: str | None = None
    notional_usd: float | None = None
    stop_price: float | None = None
    take_profit_price: float | None = None


class Step(Struct, frozen=True, kw_only=True):
    symbol: str
    action: str
    leverage: float | None = None
    position_size_usd: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    confidence: int | None = None


class Stance(Struct, frozen=True, kw_only=True):
    symbol: str
    stance: str


class Trade(Struct, frozen=True, kw_only=True):
    symbol: str
    action: str


class Listed(Struct, frozen=True, kw_only=True):
    rows: tuple[Any, ...]


def _needed_of_position(values: Any) -> list[str]:
    more = [] if values.get("position") == "flat" else ["stop_loss", "take_profit"]
    return ["position", "size_usd", *more]


def _needed_of_leg(values: Any) -> list[str]:
    more = [] if values.get("action") == "hold" else ["symbol", "notional_usd"]
    return ["leg", "action", "confidence", *more]


def _needed_of_step(values: Any) -> list[str]:
    opens = str(values.get("action")).startswith("open")
    more = ["leverage", "position_size_usd", "stop_loss", "take_profit", "confidence"]
    return ["symbol", "action", *(more if opens else [])]


def _list(name: str, row: AnswerSchema, *aliases: str, key: str = "symbol") -> AnswerSchema:
    listed = Rows(field="rows", row=row, most=30, key=key, aliases=aliases)
    return AnswerSchema(name=name, kind=Listed, rows=listed)


ORDERS = _list(
    "orders",
    AnswerSchema(
        name="order",
        kind=Order,
        fields={
            "symbol": _SYMBOL,
            "action": ChoiceRule(values=("buy", "sell")),
            "weight_pct": NumberRule(lower=0, upper=200, percent=True),
        },
        identifying=("symbol", "action"),
    ),
    "orders",
)
POSITION = AnswerSchema(
    name="position",
    kind=Position,
    fields={
        "position": ChoiceRule(values=("long", "short", "flat")),
        "size_usd": _USD,
        "stop_loss": _PRICE,
        "take_profit": _PRICE,
    },
    identifying=("position",),
    needs=_needed_of_position,
)
SHARES = AnswerSchema(
    name="shares",
    kind=Shares,
    fields={
        "action": ChoiceRule(values=("buy", "sell", "hold")),
        "shares": NumberRule(lower=0, upper=1_000_000, whole=True),
        "price": _PRICE,
    },
    identifying=("action",),
)
PICKS = _list(
    "picks",
    AnswerSchema(
        name="pick",
        kind=Pick,
        fields={"symbol": _SYMBOL, "conviction": NumberRule(lower=1, upper=10, whole=True)},
        identifying=("symbol",),
    ),
    "trades",
)
LEGS = _list(
    "legs",
    AnswerSchema(
        name="leg",
        kind=Leg,
        fields={
            "leg": ChoiceRule(values=("aggressive", "long")),
            "action": ChoiceRule(values=("buy", "sell", "hold")),
            "symbol": _SYMBOL,
            "notional_usd": _USD,
            "stop_price": _PRICE,
            "take_profit_price": _PRICE,
            "confidence": _CONFIDENCE,
        },
        identifying=("leg", "action"),
        needs=_needed_of_leg,
    ),
    "decisions",
    key="leg",
)
CYCLE = _list(
    "cycle",
    AnswerSchema(
        name="step",
        kind=Step,
        fields={
            "symbol": SymbolRule(allowed=frozenset((*COINS, "ALL"))),
            "action": ChoiceRule(
                values=("open_long", "open_short", "close_long", "close_short", "hold", "wait")
            ),
            "leverage": NumberRule(lower=1, upper=20),
            "position_size_usd": _USD,
            "stop_loss": _PRICE,
            "take_profit": _PRICE,
            "confidence": _CONFIDENCE,
        },
        identifying=("symbol", "action"),
        needs=_needed_of_step,
    ),
    "decisions",
)
STANCE = AnswerSchema(
    name="stance",
    kind=Stance,
    fields={
        "symbol": _SYMBOL,
        "stance": ChoiceRule(
            values=(
                *("strong_buy", "buy", "small_buy", "hold", "avoid", "sell", "strong_sell"),
                *("approve", "modify", "reject"),
            ),
            aliases=("verdict", "recommendation", "action"),
        ),
    },
    identifying=("stance",),
)
TRADES = _list(
    "trades",
    AnswerSchema(
        name="trade",
        kind=Trade,
        fields={
            "symbol": _SYMBOL,
            "action": ChoiceRule(values=("buy", "sell", "hold", "wait", "cancel")),
        },
        identifying=("action",),
    ),
    "trades",
    "decisions",
    "orders",
)

DECISION = SCHEMAS["decision"]
ALLOCATION = SCHEMAS["allocation"]
SENTIMENT = SCHEMAS["sentiment"]

# By kind, and by source where one kind holds answers to several questions.
ASKED = {
    ("cot_plus_json", ""): CYCLE,
    ("decision_json", "MaxWellApexLab/llm-trading-arena"): ORDERS,
    ("decision_json", "HKUSTDial/DeepFund"): SHARES,
    ("decision_json", "mobileadvertisinggroup-dev/btc-arena"): POSITION,
    ("decision_json", "ejmacor/Claude-Trader-Experiment-"): PICKS,
    ("decision_json", "familymansean-png/llm-trading"): LEGS,
    ("signal_json", ""): SENTIMENT,
    ("thesis_json", ""): STANCE,
}
OURS = {
    ("cot_plus_json", ""): ALLOCATION.among(COINS),
    ("decision_json", "HKUSTDial/DeepFund"): DECISION,
    ("decision_json", "mobileadvertisinggroup-dev/btc-arena"): DECISION,
    ("decision_json", ""): ALLOCATION,
    ("signal_json", ""): SENTIMENT,
    ("thesis_json", ""): DECISION,
    ("prose_plus_json", ""): DECISION,
    ("agent_report", ""): DECISION,
}


def asked(kind: str, source: str) -> AnswerSchema:
    """Return what the model was asked; where that was free text, which trades it proposes."""
    return ASKED.get((kind, source)) or ASKED.get((kind, ""), TRADES)


def ours(kind: str, source: str) -> AnswerSchema:
    """Return the question of ours that such an answer comes nearest to."""
    return OURS.get((kind, source)) or OURS.get((kind, ""), ALLOCATION)
