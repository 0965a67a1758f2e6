"""The recorded answers of other people's models, and what the reader makes of each."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from interlock.reasoning.answer_schema import AnswerSchema
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from msgspec import Struct

from tests.bench.reader_questions import asked, ours

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "tests" / "contract" / "reader_labels.jsonl"
ANSWERS = ROOT.parent / "shared" / "data" / "llm_outputs"
REFUSE = "refuse"
PUBLISHED = "python -m tests.bench.reader_table"
_IDLE = {"hold", "wait", "flat"}


class Recorded(Struct, frozen=True, kw_only=True):
    id: str
    source: str
    model: str
    kind: str
    text: str


class Label(Struct, frozen=True, kw_only=True):
    """What was read by hand in an answer to the question: the key values, or `REFUSE`."""

    id: str
    kind: str
    schema: str
    label: Any


class Compared(Struct, frozen=True, kw_only=True):
    """A label, and what the reader made of the same answer."""

    label: Label
    refused: ReadRefusal | None
    agrees: bool


def recorded() -> Iterator[Recorded]:
    for path in sorted(ANSWERS.glob("raw_responses_*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            yield msgspec.convert(json.loads(line), Recorded)


def labels() -> list[Label]:
    return msgspec.json.Decoder(Label).decode_lines(LABELS.read_bytes())


def outcome(answer: Recorded, schema: AnswerSchema) -> str:
    """Return ``read``, ``abstains`` where the model wants nothing done, or the refusal's code."""
    reading = read(answer.text, schema)
    if isinstance(reading, Unreadable):
        return reading.code.value
    value = msgspec.to_builtins(reading)
    rows = next(iter(value.values())) if schema.rows is not None else (value,)
    acts = [row.get("action", row.get("position", "read")) for row in rows]
    return "abstains" if all(act in _IDLE for act in acts) else "read"


def compared(answer: Recorded, label: Label) -> Compared:
    candidates = (asked(answer.kind, answer.source), ours(answer.kind, answer.source))
    schema = next(each for each in candidates if each.name == label.schema)
    reading = read(answer.text, schema)
    if isinstance(reading, Unreadable):
        return Compared(label=label, refused=reading.code, agrees=label.label == REFUSE)
    value = msgspec.to_builtins(reading)
    said = value if schema.rows is None else list(next(iter(value.values())))
    return Compared(label=label, refused=None, agrees=_says(said, label.label))


def _says(said: Any, wanted: Any) -> bool:
    """Return whether `said` holds what was labelled, with as many rows and no other."""
    match said, wanted:
        case list(), list():
            return len(said) == len(wanted) and all(map(_says, said, wanted))
        case dict(), dict():
            return all(name in said and said[name] == value for name, value in wanted.items())
        case _:
            return False
