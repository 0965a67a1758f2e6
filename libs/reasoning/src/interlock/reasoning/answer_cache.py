"""Answers by what was asked, so that a replay that asked a model once can be repeated.

The key is the SHA-256 of everything the model was given: provider, model, both halves of the
prompt, the schema and the length it was held to. An entry also holds what the call cost and took,
so that a repeated replay says the same bytes. Only answers are kept; a failure is asked again.
"""

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from interlock.reasoning.ports import Answer, Provider, Question


class Kept(Struct, frozen=True, kw_only=True):
    """One answer, with what it cost in USD and how long it took."""

    answer: Answer
    spent_usd: Decimal
    latency_ns: int


class AnswerCache(Protocol):
    """Keeps answers by the key of what was asked."""

    def get(self, key: str) -> Kept | None: ...

    def put(self, key: str, kept: Kept) -> None: ...


def key_of(provider: Provider, question: Question) -> str:
    """Return the key of a question to a provider, in hexadecimal."""
    asked = (
        provider.name,
        provider.model,
        question.system,
        question.prompt,
        question.schema.name,
        question.max_tokens,
    )
    return sha256(msgspec.json.encode(asked)).hexdigest()


class FolderCache:
    """One JSON file an answer. What cannot be read is as good as not there."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._tell = tell

    def get(self, key: str) -> Kept | None:
        path = self._path(key)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            self._tell(f"{path} is no kept answer: {error}")
            return None

    def put(self, key: str, kept: Kept) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".new")
            half.write_bytes(msgspec.json.encode(kept))
            half.replace(path)
        except OSError as error:
            self._tell(f"{path} cannot be kept: {error}")

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"
