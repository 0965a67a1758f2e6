"""Models behind the OpenAI protocols. Import this module only where it is wanted: 0.4 s.

`OpenAIResponses` speaks the Responses API to OpenAI itself, `OpenAIChat` chat completions to
anything that understands them (vLLM, llama.cpp, DeepSeek, a gateway).
"""

from collections.abc import AsyncIterator
from enum import StrEnum
from http import HTTPStatus

import httpx2
import openai
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import ResponseFormat
from openai.types.responses import Response, ResponseOutputMessage

from interlock.model.plain_text import plain_text
from interlock.reasoning.ports import Answer, AskFailedError, Finish, Question
from interlock.reasoning.response_limit import MAX_RESPONSE_BYTES, ResponseTooLargeError
from interlock.reasoning.schemas import strict_json_schema
from interlock.reasoning.status import failure_of_status, seconds_to_wait
from interlock.wire.reasoning import ReasonerFailure


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
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


async def _limit(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _LimitedStream(response.stream)


def _client(base_url: str, api_key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key=api_key,
        base_url=base_url or None,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(event_hooks={"response": [_limit]}),
    )


class OpenAIResponses:
    """`base_url` is empty for OpenAI itself."""

    name = "openai"
    metered = True

    def __init__(self, model: str, base_url: str, api_key: str) -> None:
        self.model = model
        self._api_key = api_key
        self._client = _client(base_url, api_key)

    async def ask(self, question: Question) -> Answer:
        try:
            said = await self._client.responses.create(
                model=self.model,
                instructions=question.system,
                input=question.prompt,
                text={
                    "format": {
                        "type": "json_schema",
                        "name": question.schema.name,
                        "schema": strict_json_schema(question.schema.kind),
                        "strict": True,
                    }
                },
                max_output_tokens=question.max_tokens,
                store=False,
                timeout=question.timeout_seconds,
            )
            return _from_response(said)
        except (openai.OpenAIError, ResponseTooLargeError, ValueError, TypeError) as error:
            raise _failure(error, self._api_key) from error

    async def close(self) -> None:
        await self._client.close()


class Shape(StrEnum):
    """How an endpoint is held to a schema: by it, to any JSON object, or by the prompt alone."""

    SCHEMA = "json_schema"
    OBJECT = "json_object"
    PLAIN = "text"


_LESS = {Shape.SCHEMA: Shape.OBJECT, Shape.OBJECT: Shape.PLAIN}
_BAD_REQUEST = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_ABOUT_THE_SHAPE = ("response_format", "response format", "json_schema", "json_object")


class OpenAIChat:
    """`base_url` ends in the version, such as ``http://127.0.0.1:8000/v1``.

    Not every server takes a schema, and some take no JSON mode either. Which it is shows with the
    first question: a refusal that names the format is answered with the next weaker one, and the
    endpoint is asked that way from then on.
    """

    name = "openai-chat"
    metered = True

    def __init__(self, model: str, base_url: str, api_key: str) -> None:
        self.model = model
        self.shape = Shape.SCHEMA
        self._api_key = api_key
        self._client = _client(base_url, api_key)

    async def ask(self, question: Question) -> Answer:
        while True:
            try:
                return await self._ask(question)
            except (openai.OpenAIError, ResponseTooLargeError, ValueError, TypeError) as error:
                weaker = _LESS.get(self.shape)
                if weaker is None or not _refuses_shape(error):
                    raise _failure(error, self._api_key) from error
                self.shape = weaker

    async def _ask(self, question: Question) -> Answer:
        said = await self._client.chat.completions.create(
            model=self.model,
            messages=[
                {"role": "system", "content": question.system},
                {"role": "user", "content": question.prompt},
            ],
            response_format=_response_format(self.shape, question),
            # `max_completion_tokens` is OpenAI's newer word; compatible servers know this one.
            max_tokens=question.max_tokens,
            timeout=question.timeout_seconds,
        )
        return _from_completion(said)

    async def close(self) -> None:
        await self._client.close()


def _response_format(shape: Shape, question: Question) -> ResponseFormat | openai.Omit:
    match shape:
        case Shape.SCHEMA:
            return {
                "type": "json_schema",
                "json_schema": {
                    "name": question.schema.name,
                    "schema": strict_json_schema(question.schema.kind),
                    "strict": True,
                },
            }
        case Shape.OBJECT:
            return {"type": "json_object"}
        case Shape.PLAIN:
            return openai.omit


def _refuses_shape(error: Exception) -> bool:
    """Return whether a server says no to the format, and not to what was asked."""
    if not isinstance(error, openai.APIStatusError) or error.status_code not in _BAD_REQUEST:
        return False
    told = str(error).lower()
    return any(word in told for word in _ABOUT_THE_SHAPE)


def _from_response(said: Response) -> Answer:
    # The SDK does not validate: a body that is no response arrives as text or half empty.
    output: object = getattr(said, "output", None)
    if not isinstance(output, list):
        raise TypeError("the body is no response object")
    if said.status == "failed":
        raise _failed_response(said)
    finish = Finish.STOP
    if said.status == "incomplete":
        why = said.incomplete_details.reason if said.incomplete_details else None
        finish = Finish.REFUSAL if why == "content_filter" else Finish.LENGTH
    texts: list[str] = []
    for item in said.output:
        for part in item.content if isinstance(item, ResponseOutputMessage) else ():
            if part.type == "refusal":
                finish = Finish.REFUSAL
                texts.append(part.refusal or "")
            else:
                texts.append(part.text or "")
    return Answer(
        text="".join(texts),
        tokens_in=said.usage.input_tokens if said.usage else 0,
        tokens_out=said.usage.output_tokens if said.usage else 0,
        finish_reason=finish,
        model=str(said.model),
    )


def _failed_response(said: Response) -> AskFailedError:
    code = said.error.code if said.error else "failed"
    detail = plain_text(f"{code}: {said.error.message if said.error else ''}", 300)
    if code == "rate_limit_exceeded":
        return AskFailedError(ReasonerFailure.RATE_LIMIT, detail, retryable=True)
    return AskFailedError(
        ReasonerFailure.PROVIDER, detail, retryable=code in {"server_error", "failed"}
    )


def _from_completion(said: ChatCompletion) -> Answer:
    choices: object = getattr(said, "choices", None)
    if not isinstance(choices, list):
        raise TypeError("the body is no chat completion")
    usage = said.usage
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    text, finish = "", Finish.STOP
    if said.choices:
        choice = said.choices[0]
        text = choice.message.content or ""
        if choice.finish_reason == "length":
            finish = Finish.LENGTH
        elif choice.message.refusal or choice.finish_reason == "content_filter":
            text, finish = choice.message.refusal or text, Finish.REFUSAL
    return Answer(
        text=text,
        tokens_in=tokens[0],
        tokens_out=tokens[1],
        finish_reason=finish,
        model=said.model or "",
    )


def _failure(error: Exception, api_key: str) -> AskFailedError:
    # The text of the error leaves its code out, which tells a spent quota from a busy server.
    code = error.code if isinstance(error, openai.APIError) else None
    told = f"{type(error).__name__}: {code or ''} {error}"
    detail = plain_text(told.replace(api_key, "***") if api_key else told, 300)
    # The SDK wraps whatever happens while it reads the body.
    if isinstance(error.__cause__ or error, ResponseTooLargeError):
        return AskFailedError(ReasonerFailure.TRUNCATED, "the response does not end")
    match error:
        case openai.APIStatusError():
            wait = seconds_to_wait(error.response.headers.get("retry-after"))
            return failure_of_status(error.status_code, detail, wait)
        case openai.APITimeoutError():
            return AskFailedError(ReasonerFailure.TIMEOUT, detail)
        case openai.APIConnectionError():
            return AskFailedError(ReasonerFailure.NETWORK, detail, retryable=True)
        case openai.OpenAIError() if not isinstance(error, openai.APIResponseValidationError):
            return AskFailedError(ReasonerFailure.PROVIDER, detail)
        case _:
            return AskFailedError(ReasonerFailure.PARSE, detail)
