"""Every recorded answer that is read says what its plain JSON says, taken by its own names."""

import json
import re
from collections import Counter

import msgspec
import pytest
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import Unreadable

from tests.bench.reader_corpus import ANSWERS, recorded
from tests.bench.reader_questions import asked

MOODS = {"Bearish": "negative", "Neutral": "neutral", "Bullish": "positive"}


def word(said: str) -> str:
    return said.lower().replace(" ", "_")


def percent(share: float) -> int:
    return round(share * 100)


def same(said):
    return said


# Where the answers stand, and for each field of ours: their name for it, and what they write.
ROWS = {
    "cycle": (
        None,
        {name: (name, same) for name in ("symbol", "action", "stop_loss", "confidence")},
    ),
    "orders": (
        "orders",
        {
            "symbol": ("ticker", same),
            "action": ("action", same),
            "weight_pct": ("weight_pct", same),
        },
    ),
    "legs": (
        "decisions",
        {
            **{name: (name, same) for name in ("leg", "action", "symbol", "notional_usd")},
            "confidence": ("confidence", percent),
        },
    ),
    "picks": ("trades", {name: (name, same) for name in ("symbol", "conviction")}),
}
ONE = {
    "position": (
        "decision",
        {name: (name, same) for name in ("position", "size_usd", "stop_loss", "take_profit")},
    ),
    "shares": (
        None,
        {"action": ("action", word), "shares": ("shares", same), "price": ("price", same)},
    ),
    "sentiment": (None, {"label": ("signal", MOODS.__getitem__)}),
}


def plain(text: str):
    """Return the whole text as JSON, or the list that ends it."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(re.search(r"\[\s*\{.*\]\s*\Z", text, re.DOTALL).group())


def by_their_names(said: dict, names: dict) -> dict:
    return {ours: write(said[theirs]) for ours, (theirs, write) in names.items() if theirs in said}


def expected(text: str, question: str):
    said = plain(text)
    if question == "stance":
        stance = said.get("stance") or said.get("verdict") or said["recommendation"]["action"]
        return {"symbol": said["ticker"], "stance": word(stance)}
    place, names = (ROWS | ONE)[question]
    said = said if place is None else said[place]
    if question in ONE:
        return by_their_names(said, names)
    return [by_their_names(row, names) for row in said]


@pytest.mark.shared_data
@pytest.mark.skipif(not ANSWERS.is_dir(), reason=f"no recorded answers in {ANSWERS}")
def test_what_is_read_is_what_is_written():
    read_by = Counter()
    for answer in recorded():
        schema = asked(answer.kind, answer.source)
        reading = read(answer.text, schema)
        if isinstance(reading, Unreadable):
            continue
        read_by[schema.name] += 1
        value = msgspec.to_builtins(reading)
        wanted = expected(answer.text, schema.name)
        if schema.rows is None:
            assert wanted == {name: value[name] for name in wanted}, answer.id
            continue
        got = value["rows"]
        assert len(got) == len(wanted), answer.id
        for row, said in zip(got, wanted, strict=True):
            assert said == {name: row[name] for name in said}, answer.id
    assert set(read_by) == {*ROWS, *ONE, "stance"}
    assert read_by.total() > 1_000
