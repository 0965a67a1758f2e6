"""A model served by Ollama. Import this module only where it is wanted: the SDK is heavy.

What the server can do is asked once, before the first question: a schema as ``format`` came with
version 0.5, before that there was JSON or nothing; and a model that was never pulled is named
instead of waited for. A server that does not say is taken for a new one that has the model.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import msgspec
import ollama

from interlock.model.plain_text import plain_text
from interlock.reasoning.ports import Answer, AskFailedError, Finish, Question
from interlock.reasoning.response_limit import MAX_RESPONSE_BYTES, ResponseTooLargeError
from interlock.reasoning.schemas import strict_json_schema
from interlock.reasoning.status import failure_of_status, seconds_to_wait
from interlock.wire.reasoning import ReasonerFailure

# Ollama cuts a prompt that does not fit, without a word, and its default context is 4,096.
_CONTEXT_TOKENS = 8_192
_SEED = 0
_SCHEMAS_SINCE = (0, 5)
_VERSION = re.compile(r"v?(\d+)\.(\d+)", re.ASCII)
_TAG = ":latest"


class _Model(msgspec.Struct):
    model: str = ""
    name: str = ""


class _Listed(msgspec.Struct):
    models: list[_Model]


class _Version(msgspec.Struct):
    version: str


class _LimitedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise ResponseTooLargeError
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _limit(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = _LimitedStream(response.stream)


class Ollama:
    """`base_url` is the server's root, such as ``http://127.0.0.1:11434``."""

    name = "ollama"
    metered = True

    def __init__(self, model: str, base_url: str) -> None:
        self.model = model
        # How long one may take is a question's to say, which the SDK does not let it.
        self._client = ollama.AsyncClient(
            host=base_url, timeout=None, event_hooks={"response": [_limit]}
        )
        # Bounded, like the question itself, by the time of the question that needs to know.
        self._probe = httpx.AsyncClient(base_url=base_url, timeout=None)  # noqa: S113
        self._takes_schemas: bool | None = None

    async def ask(self, question: Question) -> Answer:
        seconds = question.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(question)
        except TimeoutError as error:
            detail = f"no answer within {seconds:g} s"
            raise AskFailedError(ReasonerFailure.TIMEOUT, detail) from error

    async def _ask(self, question: Question) -> Answer:
        if self._takes_schemas is None:
            self._takes_schemas = await self._look()
        shape: dict[str, Any] | Literal["json"] = "json"
        if self._takes_schemas:
            shape = strict_json_schema(question.schema.kind)
        try:
            said = await self._client.chat(  # pyright: ignore[reportUnknownMemberType]
                model=self.model,
                messages=[
                    {"role": "system", "content": question.system},
                    {"role": "user", "content": question.prompt},
                ],
                format=shape,
                options={
                    "temperature": 0,
                    "seed": _SEED,
                    "num_predict": question.max_tokens,
                    "num_ctx": _CONTEXT_TOKENS,
                },
            )
        except (
            ollama.ResponseError,
            httpx.HTTPError,
            ConnectionError,
            ResponseTooLargeError,
            ValueError,
            TypeError,
            AttributeError,
        ) as error:
            raise _failure(error) from error
        return Answer(
            text=said.message.content or "",
            tokens_in=said.prompt_eval_count or 0,
            tokens_out=said.eval_count or 0,
            finish_reason=Finish.LENGTH if said.done_reason == "length" else Finish.STOP,
            model=said.model or self.model,
        )

    async def _look(self) -> bool:
        """Return whether the server takes schemas.

        Raises
        ------
        AskFailedError
            Where the server has not got the model.
        """
        pulled = _models(await self._told("/api/tags"))
        if pulled is not None and not {self.model, self.model + _TAG} & pulled:
            there = ", ".join(sorted(pulled)) or "none"
            detail = (
                f"{self.model} is not pulled: run `ollama pull {self.model}`; there are {there}"
            )
            raise AskFailedError(ReasonerFailure.PROVIDER, plain_text(detail, 300))
        version = _version(await self._told("/api/version"))
        return version is None or version >= _SCHEMAS_SINCE

    async def _told(self, path: str) -> object:
        try:
            answer = await self._probe.get(path)
            return answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None

    async def close(self) -> None:
        await self._probe.aclose()
        await self._client.close()  # type: ignore[no-untyped-call]


def _models(told: object) -> set[str] | None:
    try:
        listed = msgspec.convert(told, _Listed)
    except msgspec.ValidationError:
        return None
    return {name for one in listed.models for name in (one.model, one.name) if name}


def _version(told: object) -> tuple[int, int] | None:
    try:
        found = _VERSION.match(msgspec.convert(told, _Version).version)
    except msgspec.ValidationError:
        return None
    # A build from source calls itself 0.0.0 and is as new as any.
    if found is None or (found[1], found[2]) == ("0", "0"):
        return None
    return int(found[1]), int(found[2])


def _failure(error: Exception) -> AskFailedError:
    detail = plain_text(f"{type(error).__name__}: {error}", 300)
    match error:
        case ollama.ResponseError():
            # The SDK drops the headers, and with them the server's wish for a pause.
            return failure_of_status(error.status_code, detail, seconds_to_wait(None))
        case httpx.TimeoutException():
            return AskFailedError(ReasonerFailure.TIMEOUT, detail)
        case httpx.HTTPError() | ConnectionError():
            return AskFailedError(ReasonerFailure.NETWORK, detail, retryable=True)
        case ResponseTooLargeError():
            return AskFailedError(ReasonerFailure.TRUNCATED, str(error))
        case AttributeError():
            # The SDK falls over an error whose body is no object, and its status is lost.
            return AskFailedError(ReasonerFailure.PROVIDER, "an error in words the SDK cannot read")
        case _:
            return AskFailedError(ReasonerFailure.PARSE, detail)
