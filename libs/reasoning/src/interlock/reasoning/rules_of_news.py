"""A small closed list of words that speak for or against a company, and what they add up to."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")
_MOST_CONFIDENT = 80
_PER_WORD = 20

_GOOD = """
approval approved approves beat beats boost boosts breakthrough buyback climb climbs exceed
exceeded exceeds gain gains growth jump jumps outperform outperforms profit profitable profits
raise raised raises rally rallies rebound rebounds record rise rises soar soars strong stronger
surge surges top tops upgrade upgraded upgrades win wins
"""
_BAD = """
bankrupt bankruptcy breach collapse collapses crash crashes crisis cut cuts decline declines
default defaults delay delays downgrade downgraded downgrades drop drops fall falls fine fined
fraud halt halted investigation lawsuit layoff layoffs loss losses miss misses plunge plunges
probe recall recalls recession scandal sink sinks slump slumps sue sued sues tumble tumbles
underperform warn warning warns weak weaker
"""
GOOD_WORDS = frozenset(_GOOD.split())
BAD_WORDS = frozenset(_BAD.split())


def word_counts(texts: Iterable[str]) -> dict[str, float]:
    """Return how many words of each list stand in `texts`, as the facts of a question."""
    words = [word for text in texts for word in _WORD.findall(text.lower())]
    return {
        "good_words": float(sum(word in GOOD_WORDS for word in words)),
        "bad_words": float(sum(word in BAD_WORDS for word in words)),
    }


def sentiment_of(facts: Mapping[str, float]) -> dict[str, Any]:
    """Answer by counting: one word is a hint, and no number of them is certainty.

    (good - bad) / (good + bad + 1), so that a single bad word comes to -0.5. Without any word
    nothing is known: neutral, with no confidence.
    """
    good, bad = facts["good_words"], facts["bad_words"]
    found = good + bad
    return {
        "sentiment": round((good - bad) / (found + 1), 4),
        "confidence": int(min(_MOST_CONFIDENT, _PER_WORD * found)),
    }
