"""How long the reader takes for answers of 20 kB, well-formed, nearly so, and hostile.

In processor time: what a neighbour does on the machine is not the reader's.
"""

import json
import time

from interlock.reasoning.answer_schema import AnswerSchema
from interlock.reasoning.reader import read
from interlock.reasoning.schemas import SCHEMAS

from tests.bench.reader_corpus import ANSWERS, recorded
from tests.bench.reader_questions import asked
from tests.bench.report import Line, micros, percentile
from tests.unit.reasoning.full_answers import FULL

_SIZE = 20_000
_ROUNDS = 200
_TARGET_SECONDS = 2e-3
_PROSE = "The tape is quiet [1], 'risk' stays {low}; RSI [44, 51, 63] turns up. "


def measure() -> list[Line]:
    allocation = SCHEMAS["allocation"]
    good = json.dumps(FULL["allocation"], indent=1)
    nearly = good.replace('"', "'").replace("]", ",]")
    texts: dict[str, str] = {
        "an allocation after prose": _padded(good),
        "an allocation after thoughts": f"<think>{_padded('')}</think>\n```json\n{good}\n```",
        "an allocation that needs mending": _padded(nearly),
        "one long text inside JSON": json.dumps([{"symbol": "A", "why": _padded("")}]),
        "300 decisions": json.dumps(FULL["allocation"]["decisions"] * 50),
        "prose alone": _padded(""),
        "open braces": "{ x " * (_SIZE // 4),
        "depth": '{"a":' * (_SIZE // 5),
        "many objects that are none": "{a: b} " * (_SIZE // 7),
    }
    lines = [_line(f"reader, {name}", _timed([text], allocation)) for name, text in texts.items()]
    if ANSWERS.is_dir():
        real = [(one.text, asked(one.kind, one.source)) for one in recorded()]
        spent = [_seconds(text, schema) for text, schema in real for _ in range(3)]
        lines.append(_line(f"reader, {len(real):,} recorded answers", spent))
    return lines


def _padded(answer: str) -> str:
    return (_PROSE * (_SIZE // len(_PROSE) + 1))[: _SIZE - len(answer)] + answer


def _timed(texts: list[str], schema: AnswerSchema) -> list[float]:
    read(texts[0], schema)
    return [_seconds(text, schema) for text in texts for _ in range(_ROUNDS)]


def _seconds(text: str, schema: AnswerSchema) -> float:
    begin = time.thread_time()
    read(text, schema)
    return time.thread_time() - begin


def _line(what: str, seconds: list[float]) -> Line:
    p99 = percentile(seconds, 0.99)
    return Line(
        what=what,
        p50=micros(percentile(seconds, 0.5)),
        p99=micros(p99),
        target="p99 <= 2 ms",
        met=p99 <= _TARGET_SECONDS,
    )
