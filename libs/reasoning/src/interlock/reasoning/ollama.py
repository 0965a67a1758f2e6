"""A model served by Ollama. Import this module only where it is wanted: the SDK is heavy."""

from collections.abc import AsyncIterator

import httpx
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

    def __init__(self, model: str, base_url: str, timeout_seconds: float) -> None:
        self.model = model
        self._client = ollama.AsyncClient(
            host=base_url, timeout=timeout_seconds, event_hooks={"response": [_limit]}
        )

    async def ask(self, question: Question) -> Answer:
        try:
            said = await self._client.chat(  # pyright: ignore[reportUnknownMemberType]
                model=self.model,
                messages=[
                    {"role": "system", "content": question.system},
                    {"role": "user", "content": question.prompt},
                ],
                format=strict_json_schema(question.schema.kind),
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
        ) as error:
            raise _failure(error) from error
        return Answer(
            text=said.message.content or "",
            tokens_in=said.prompt_eval_count or 0,
            tokens_out=said.eval_count or 0,
            finish_reason=Finish.LENGTH if said.done_reason == "length" else Finish.STOP,
            model=said.model or self.model,
        )

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]


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
        case _:
            return AskFailedError(ReasonerFailure.PARSE, detail)
