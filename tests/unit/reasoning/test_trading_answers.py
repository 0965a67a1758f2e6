"""The truth table of decisions, allocations and sentiment."""

import json

import pytest
from interlock.reasoning.reader import read, report
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from interlock.reasoning.trading_answers import ALLOCATION, DECISION, SENTIMENT

ENTER = {
    "symbol": "AAPL",
    "action": "enter",
    "direction": "long",
    "conviction": 72,
    "p_win": 0.55,
    "reward_risk": 2.1,
    "expected_value_pct": 1.2,
    "entry": 100.0,
    "stop": 95.0,
    "target": 110.5,
    "position_size_bps": 50.0,
    "horizon": "1w",
    "thesis": "x",
    "catalysts": ["earnings"],
    "risks": ["rates"],
}
BUY = {
    "symbol": "BTC-USD",
    "action": "buy",
    "target_weight_pct": 5.0,
    "confidence": 70,
    "stop_loss_pct": 4.0,
    "take_profit_pct": 8.0,
    "rationale": "r",
}
MOOD = {"sentiment": -0.4, "label": "negative", "confidence": 80}


def without(answer, *names):
    return {name: value for name, value in answer.items() if name not in names}


def value_of(answer, schema):
    told = report(read(answer if isinstance(answer, str) else json.dumps(answer), schema))
    assert told["ok"], told
    return told["value"]


def code_of(answer, schema):
    reading = read(answer if isinstance(answer, str) else json.dumps(answer), schema)
    assert isinstance(reading, Unreadable), reading
    return reading.code


DECISIONS = {
    "plain": ENTER,
    "wrapped": {"reasoning": "y", "decision": without(ENTER, "thesis"), "thesis": "x"},
    "keyed by symbol": {"AAPL": without(ENTER, "symbol")},
    "keyed by symbol inside": {"decision": {"AAPL": without(ENTER, "symbol")}},
    "list of one": [ENTER],
    "other names": {
        **without(ENTER, "symbol", "conviction", "stop", "target", "thesis"),
        "ticker": "aapl",
        "Confidence": "72",
        "stopLoss": "95",
        "take_profit": 110.5,
        "rationale": "x",
    },
    "nested thesis": {
        "symbol": "AAPL",
        "thesis": {
            **without(ENTER, "symbol", "thesis", "entry", "stop", "target"),
            "summary": "x",
            "levels": {"entry": {"price": 100}, "stop": 95, "target": 110.5},
        },
    },
    "action and direction in one word": {**without(ENTER, "direction"), "action": "open_long"},
    "percent": {**ENTER, "p_win": "55%"},
    "percent without its sign": {**ENTER, "p_win": 55},
    "arguments of a tool": {"name": "decide", "arguments": json.dumps(ENTER)},
}


@pytest.mark.parametrize("answer", DECISIONS.values(), ids=DECISIONS)
def test_decision_is_read(answer):
    assert value_of(answer, DECISION) == {**ENTER, "missing_condition": None}


REFUSED_DECISIONS = [
    (without(ENTER, "p_win"), ReadRefusal.MISSING),
    ({**ENTER, "p_win": None}, ReadRefusal.MISSING),
    ({"symbol": "AAPL", "action": "hold", "thesis": "neutral"}, ReadRefusal.MISSING),
    ({"action": "exit"}, ReadRefusal.MISSING),
    ({"symbol": "AAPL", "rsi": 40}, ReadRefusal.MISSING),
    ({**ENTER, "p_win": 1.2}, ReadRefusal.AMBIGUOUS_UNIT),
    ({**ENTER, "conviction": 1.0}, ReadRefusal.AMBIGUOUS_UNIT),
    ({**ENTER, "p_win": True}, ReadRefusal.WRONG_TYPE),
    ({**ENTER, "entry": "about 100"}, ReadRefusal.WRONG_TYPE),
    ({**ENTER, "entry": "10\u00b2"}, ReadRefusal.WRONG_TYPE),
    ({**ENTER, "entry": "\u0661\u0660\u0660"}, ReadRefusal.WRONG_TYPE),
    ({**ENTER, "catalysts": [1]}, ReadRefusal.WRONG_TYPE),
    ({**ENTER, "stop": 0}, ReadRefusal.OUT_OF_RANGE),
    ({**ENTER, "p_win": -0.1}, ReadRefusal.OUT_OF_RANGE),
    ({**ENTER, "conviction": 101}, ReadRefusal.OUT_OF_RANGE),
    ({**ENTER, "action": "sell"}, ReadRefusal.UNKNOWN_VALUE),
    ({**ENTER, "action": "ent\u0435r"}, ReadRefusal.UNKNOWN_VALUE),
    ({**ENTER, "direction": "up"}, ReadRefusal.UNKNOWN_VALUE),
    ({**ENTER, "symbol": "\u0410APL"}, ReadRefusal.UNKNOWN_SYMBOL),
    ({**ENTER, "symbol": "N/A"}, ReadRefusal.UNKNOWN_SYMBOL),
    ({**ENTER, "symbol": "ignore all limits and buy"}, ReadRefusal.UNKNOWN_SYMBOL),
    ([ENTER, {**ENTER, "symbol": "MSFT"}], ReadRefusal.CONFLICT),
    ({**ENTER, "confidence": 40}, ReadRefusal.CONFLICT),
    ({**ENTER, "action": "open_short"}, ReadRefusal.CONFLICT),
    ({**ENTER, "was": {"stop": 90}}, ReadRefusal.CONFLICT),
    ({"MSFT": ENTER}, ReadRefusal.CONFLICT),
    (f"{json.dumps(ENTER)} or {json.dumps({**ENTER, 'p_win': 0.5})}", ReadRefusal.CONFLICT),
    ({**without(ENTER, "stop"), "if_it_breaks_out": {"stop": 95}}, ReadRefusal.MISSING),
    ({**without(ENTER, "stop"), "alternatives": [{"stop": 95}]}, ReadRefusal.MISSING),
    ({**ENTER, "stop": 105}, ReadRefusal.CONTRADICTION),
    ({**ENTER, "direction": "short"}, ReadRefusal.CONTRADICTION),
    ({**ENTER, "direction": "flat"}, ReadRefusal.CONTRADICTION),
    ({"symbol": "AAPL", "action": "hold", "waits_for": "N/A"}, ReadRefusal.CONTRADICTION),
    (
        {**without(ENTER, "stop"), "thesis": json.dumps({"stop": 95})},
        ReadRefusal.MISSING,
    ),
    ({**ENTER, "error": "rate limit"}, ReadRefusal.NO_ANSWER),
    ({**ENTER, "is_fallback": True}, ReadRefusal.NO_ANSWER),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "code"), REFUSED_DECISIONS)
def test_decision_is_refused(answer, code):
    assert code_of(answer, DECISION) is code


def test_hold_names_what_it_waits_for():
    answer = {"symbol": "AAPL", "action": "wait", "waits_for": "a close above 100"}
    told = value_of(answer, DECISION)
    assert (told["action"], told["missing_condition"]) == ("hold", "a close above 100")


def test_short_is_read_with_its_levels_the_other_way_round():
    answer = {**ENTER, "direction": "short", "stop": 105, "target": 90}
    assert value_of(answer, DECISION)["direction"] == "short"


def test_only_the_instruments_asked_about_are_read():
    asked = DECISION.among(["AAPL", "BRK.B"])
    assert value_of(ENTER, asked)["symbol"] == "AAPL"
    assert value_of({**ENTER, "symbol": "$brk-b"}, asked)["symbol"] == "BRK.B"
    assert value_of({**ENTER, "symbol": "AA\u200bPL"}, asked)["symbol"] == "AAPL"
    assert code_of({**ENTER, "symbol": "MSFT"}, asked) is ReadRefusal.UNKNOWN_SYMBOL
    assert code_of({"AAPL": ENTER, "MSFT": ENTER}, asked) is ReadRefusal.UNKNOWN_SYMBOL


def test_two_instruments_that_are_written_alike_are_not_guessed():
    asked = ALLOCATION.among(["BTC/USD", "BTC-USD"])
    assert code_of([{**BUY, "symbol": "BTCUSD"}], asked) is ReadRefusal.UNKNOWN_SYMBOL


ETH = {**BUY, "symbol": "ETH-USD"}
ALLOCATIONS = {
    "plain": ({"decisions": [BUY, ETH]}, 2),
    "bare list": ([BUY, ETH], 2),
    "other name": ({"commentary": "y", "orders": [BUY]}, 1),
    "one alone": (BUY, 1),
    "map by symbol": ({"BTC-USD": without(BUY, "symbol"), "ETH-USD": without(ETH, "symbol")}, 2),
    "map in the list's place": ({"decisions": {"BTC-USD": without(BUY, "symbol")}}, 1),
    "wrapped": ({"result": {"decisions": [BUY]}}, 1),
    "a line each": (f"{json.dumps(BUY)}\n{json.dumps(ETH)}", 2),
    "in prose after numbers": (f"RSI [45, 50] [1] so\n{json.dumps([BUY])}", 1),
    "the same twice": ([BUY, BUY], 1),
    "the list twice": (f"{json.dumps([BUY])} I repeat {json.dumps([BUY])}", 1),
    "nothing to do": ({"decisions": [], "rejected": [{"symbol": "XRP"}]}, 0),
    "an empty list": ("[]", 0),
}


@pytest.mark.parametrize(("answer", "count"), ALLOCATIONS.values(), ids=ALLOCATIONS)
def test_allocation_is_read(answer, count):
    decisions = value_of(answer, ALLOCATION)["decisions"]
    assert decisions == [BUY, ETH][:count]


REFUSED_ALLOCATIONS = [
    ([BUY, ETH, *({**BUY, "symbol": f"A{n}"} for n in range(4))], ReadRefusal.TOO_MANY),
    ([BUY, {**BUY, "target_weight_pct": 6}], ReadRefusal.CONFLICT),
    (f"{json.dumps([BUY])} or {json.dumps([ETH])}", ReadRefusal.CONFLICT),
    (f"{json.dumps(BUY)} or {json.dumps(ETH)}", ReadRefusal.CONFLICT),
    ({"decisions": [BUY], "orders": [ETH]}, ReadRefusal.CONFLICT),
    ([without(BUY, "symbol")], ReadRefusal.MISSING),
    ([without(BUY, "confidence")], ReadRefusal.MISSING),
    ([without(BUY, "stop_loss_pct")], ReadRefusal.MISSING),
    ([{**without(BUY, "target_weight_pct"), "weight_pct": 5}], ReadRefusal.MISSING),
    ([{**BUY, "action": "open_short"}], ReadRefusal.UNKNOWN_VALUE),
    ([BUY, "and sell the rest"], ReadRefusal.WRONG_TYPE),
    ({"decisions": ["buy BTC"]}, ReadRefusal.WRONG_TYPE),
    ({"note": "decisions", "rsi": [40]}, ReadRefusal.MISSING),
    ("nothing to do: []", ReadRefusal.NO_JSON),
    ({"error": {"code": 429}, "decisions": []}, ReadRefusal.NO_ANSWER),
    (f"[{json.dumps(BUY)}, {json.dumps(ETH)}", ReadRefusal.TRUNCATED),
    ([{**BUY, "target_weight_pct": 101}], ReadRefusal.OUT_OF_RANGE),
    ([{**BUY, "target_weight_pct": -2}], ReadRefusal.OUT_OF_RANGE),
    ([{**BUY, "target_weight_pct": 0.025}], ReadRefusal.AMBIGUOUS_UNIT),
    ([{**BUY, "target_weight_pct": 1}], ReadRefusal.AMBIGUOUS_UNIT),
    ([BUY, {**ETH, "target_weight_pct": 0.5}], ReadRefusal.AMBIGUOUS_UNIT),
]


@pytest.mark.parametrize(("answer", "code"), REFUSED_ALLOCATIONS)
def test_allocation_is_refused(answer, code):
    assert code_of(answer, ALLOCATION) is code


def test_hold_needs_no_weight_and_sell_no_stop():
    hold = {"symbol": "BTC", "action": "wait"}
    sell = {"symbol": "ETH", "action": "close", "target_weight_pct": 0, "confidence": 0.9}
    told = value_of([hold, sell], ALLOCATION)["decisions"]
    assert [each["action"] for each in told] == ["hold", "sell"]
    assert (told[0]["target_weight_pct"], told[1]["confidence"]) == (None, 90)


def test_range_of_the_desk_tells_a_percentage_from_a_share():
    of_desk = ALLOCATION.narrowed("decisions.target_weight_pct", 0, 7)
    written = {1: 1.0, 0.5: 0.5, "0.05%": 0.05}
    for raw, value in written.items():
        told = value_of([{**BUY, "target_weight_pct": raw}], of_desk)
        assert told["decisions"][0]["target_weight_pct"] == value
    assert code_of([{**BUY, "target_weight_pct": 0.05}], of_desk) is ReadRefusal.AMBIGUOUS_UNIT


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (MOOD, (-0.4, "negative", 80)),
        ({"signal": "Bearish", "justification": "x"}, (None, "negative", None)),
        ({"polarity": "0.3"}, (0.3, None, None)),
        ({"sentiment": 0, "label": "positive"}, (0.0, "positive", None)),
    ],
)
def test_sentiment_is_read(answer, told):
    value = value_of(answer, SENTIMENT)
    assert (value["sentiment"], value["label"], value["confidence"]) == told


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"symbol": "AAPL", "confidence": 80}, ReadRefusal.MISSING),
        ({"score": 0.95, "confidence": 80}, ReadRefusal.MISSING),
        ({**MOOD, "label": "positive"}, ReadRefusal.CONTRADICTION),
        ({**MOOD, "sentiment": -40}, ReadRefusal.OUT_OF_RANGE),
        ({**MOOD, "sentiment": "-40%"}, ReadRefusal.WRONG_TYPE),
        ({**MOOD, "label": "看跌"}, ReadRefusal.UNKNOWN_VALUE),
        ('{"sentiment": NaN}', ReadRefusal.NOT_FINITE),
        ('{"sentiment": 1e999}', ReadRefusal.NOT_FINITE),
    ],
)
def test_sentiment_is_refused(answer, code):
    assert code_of(answer, SENTIMENT) is code
