"""What the desk asks of a model, and what it may get."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from interlock.reasoning.answer_schema import AnswerSchema
from interlock.wire.reasoning import ReasonerFailure


class Finish(StrEnum):
    """Why the model stopped. ``LENGTH``: it was cut off; ``REFUSAL``: it would not answer."""

    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question. `facts` are the numbers of the prompt, for providers that compute.

    `prompt_files` says which prompt it was made of; no provider is told.
    """

    system: str
    prompt: str
    schema: AnswerSchema
    max_tokens: int
    timeout_seconds: float
    facts: Mapping[str, float] = field(default_factory=dict[str, float])
    prompt_files: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the model said. `model` is the name the provider gives itself, tokens are its count."""

    text: str
    tokens_in: int
    tokens_out: int
    finish_reason: Finish
    model: str


class AskFailedError(Exception):
    """The provider gave no answer. `retryable`: the same question may fare better in a moment."""

    def __init__(
        self,
        reason: ReasonerFailure,
        detail: str,
        *,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


class Provider(Protocol):
    """A source of answers. One that is not `metered` computes: no network, no cost, no waiting."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def metered(self) -> bool: ...

    async def ask(self, question: Question) -> Answer:
        """Return the model's answer, or raise `AskFailedError`."""
        ...

    async def close(self) -> None: ...
