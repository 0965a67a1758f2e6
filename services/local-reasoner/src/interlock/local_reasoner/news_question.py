"""From news to the question what it says.

The text is from outside and only data: normalised and cut once more, whoever passed it on, each
item one quoted line after the name of its source, so that no text can end its quote or begin a line
of its own. What comes back is one number within a range, whatever the text asks for; an answer that
names another instrument, or gives a word and no number, is none.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from interlock.local_reasoner.config import SentimentConfig
from interlock.model.plain_text import plain_text
from interlock.reasoning.ports import Question
from interlock.reasoning.prompt import Prompt, filled
from interlock.reasoning.rules_of_news import word_counts
from interlock.reasoning.trading_answers import SENTIMENT
from interlock.wire.market import NewsArrived

_SOURCE_CHARS = 40


def _both_numbers(_values: Mapping[str, Any]) -> Iterable[str]:
    return ["sentiment", "confidence"]


_NUMBERS = replace(SENTIMENT, needs=_both_numbers)


def news_question(
    prompt: Prompt, config: SentimentConfig, instrument_id: str, items: Sequence[NewsArrived]
) -> Question:
    """Return the question about one instrument; `items` are its news, newest first."""
    headlines = [_one_line(item.headline, config.headline_chars) for item in items]
    summaries = [_one_line(item.summary, config.summary_chars) for item in items]
    lines = [
        f"- source {_quoted(_one_line(item.source, _SOURCE_CHARS))}: {_quoted(headline)}"
        + (f", {_quoted(summary)}" if summary else "")
        for item, headline, summary in zip(items, headlines, summaries, strict=True)
    ]
    blanks = {"instrument": instrument_id, "news": "\n".join(lines)}
    return Question(
        system=filled(prompt.system, blanks),
        prompt=filled(prompt.question, blanks),
        schema=_NUMBERS.among([instrument_id]),
        max_tokens=config.max_tokens,
        timeout_seconds=config.timeout_seconds,
        facts=word_counts([*headlines, *summaries]),
        prompt_files=prompt.files,
    )


def _one_line(text: str, max_chars: int) -> str:
    return " ".join(plain_text(text, max_chars).split())


def _quoted(text: str) -> str:
    """Return `text` as a JSON string: a quote inside it is escaped."""
    return json.dumps(text, ensure_ascii=False)
