"""One HTTP server that speaks as OpenAI (chat completions, Responses) and Ollama do.

It says what it is told to, and misbehaves as it is told to, so that the unmodified SDKs can be
tried against every way in which a model endpoint fails.

    async with StubModel([Say('{"threshold_bps": 1.2}'), Status(429, retry_after=1)]) as stub:
        ...  # OpenAI: stub.openai_url; Ollama: stub.ollama_url; what was asked: stub.requests
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, assert_never

from aiohttp import web


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """The usage that the endpoint reports."""

    given: int = 200
    made: int = 40


@dataclass(frozen=True, slots=True)
class Say:
    """The model says `text`. `cut`: it was stopped at its length; `after_seconds`: it is slow."""

    text: str
    cut: bool = False
    after_seconds: float = 0.0
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True, slots=True)
class Refuse:
    """The model will not. Ollama has no word for this, so there it is plain text."""

    text: str = "I can't help with that."


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error. Without a `body` it is worded as the protocol words it."""

    status: int
    body: str | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is no answer of the protocol, with status 200."""

    body: str
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Endless:
    """A body that does not end."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection closes without a response."""


type Reply = Say | Refuse | Status | Raw | Endless | HangUp


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


MODEL = "stub-1"
_CHUNK = b" " * 65_536


class StubModel:
    """The server, on a free port of the loopback. It gives its replies in turn, the last for ever.

    Parameters
    ----------
    replies
        What to do, request by request.
    port
        0 for any free port.
    version, models
        What it says of itself as Ollama. Without a version it has no such page.
    """

    def __init__(
        self,
        replies: Sequence[Reply],
        port: int = 0,
        version: str = "0.12.3",
        models: Sequence[str] = (MODEL,),
    ) -> None:
        if not replies:
            raise ValueError("a stub needs at least one reply")
        self.requests: list[Asked] = []
        self._replies = list(replies)
        self._port = port
        self._closing = asyncio.Event()
        self._ollama_version = version
        self._models = models
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._asked)
        app.router.add_post("/v1/responses", self._asked)
        app.router.add_post("/api/chat", self._asked)
        app.router.add_get("/api/tags", self._tags)
        if version:
            app.router.add_get("/api/version", self._version)
        app.router.add_get("/v1/models", _models)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)

    @property
    def ollama_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def script(self, replies: Sequence[Reply]) -> None:
        """Put other replies in place of what is left."""
        self._replies = list(replies)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._closing.set()
        await self._runner.cleanup()

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        asked = Asked(path=request.path, headers=dict(request.headers), body=body)
        self.requests.append(asked)
        if body.get("stream"):
            return web.json_response(
                {"error": {"message": "this stub does not stream"}}, status=400
            )
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return await self._given(reply, request)

    async def _given(self, reply: Reply, request: web.Request) -> web.StreamResponse:
        match reply:
            case Say():
                await self._pause(reply.after_seconds)
                return web.json_response(_worded(request.path, reply))
            case Refuse():
                return web.json_response(_worded(request.path, reply))
            case Status():
                return _error(request.path, reply)
            case Raw():
                return web.Response(text=reply.body, content_type=reply.content_type)
            case Endless():
                return await self._endless(request)
            case HangUp():
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            case _:
                assert_never(reply)

    async def _tags(self, _request: web.Request) -> web.Response:
        listed = [{"model": name, "name": name, "size": 1} for name in self._models]
        return web.json_response({"models": listed})

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": self._ollama_version})

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        if seconds > 0:
            waiting = asyncio.create_task(self._closing.wait())
            await asyncio.wait([waiting], timeout=seconds)
            waiting.cancel()

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            await response.write(b'{"model": "')
            while not self._closing.is_set():
                await response.write(_CHUNK)
        except ConnectionError:
            # Whoever asked has had enough.
            pass
        return response


async def _models(_request: web.Request) -> web.Response:
    data = [{"id": MODEL, "object": "model", "created": 0, "owned_by": "testkit"}]
    return web.json_response({"object": "list", "data": data})


def _error(path: str, reply: Status) -> web.Response:
    headers = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
    text = reply.body
    if text is None:
        message = f"the stub answers {reply.status}"
        ours = path.startswith("/api/")
        told: object = message if ours else {"message": message, "type": "stub", "code": None}
        text = json.dumps({"error": told})
    return web.Response(
        text=text, status=reply.status, headers=headers, content_type="application/json"
    )


def _worded(path: str, reply: Say | Refuse) -> dict[str, Any]:
    match path:
        case "/v1/chat/completions":
            return _chat_completion(reply)
        case "/v1/responses":
            return _response(reply)
        case _:
            return _ollama_chat(reply)


def _tokens(reply: Say | Refuse) -> Tokens:
    return reply.tokens if isinstance(reply, Say) else Tokens()


def _chat_completion(reply: Say | Refuse) -> dict[str, Any]:
    tokens = _tokens(reply)
    refused = isinstance(reply, Refuse)
    message = {
        "role": "assistant",
        "content": None if refused else reply.text,
        "refusal": reply.text if refused else None,
    }
    cut = isinstance(reply, Say) and reply.cut
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [
            {"index": 0, "message": message, "finish_reason": "length" if cut else "stop"},
        ],
        "usage": {
            "prompt_tokens": tokens.given,
            "completion_tokens": tokens.made,
            "total_tokens": tokens.given + tokens.made,
        },
    }


def _response(reply: Say | Refuse) -> dict[str, Any]:
    tokens = _tokens(reply)
    cut = isinstance(reply, Say) and reply.cut
    part: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
    if isinstance(reply, Refuse):
        part = {"type": "refusal", "refusal": reply.text}
    return {
        "id": "resp_stub",
        "object": "response",
        "created_at": 0,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "error": None,
        "model": MODEL,
        "output": [
            {
                "type": "message",
                "id": "msg_stub",
                "role": "assistant",
                "status": "incomplete" if cut else "completed",
                "content": [part],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": tokens.given,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": tokens.made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens.given + tokens.made,
        },
    }


def _ollama_chat(reply: Say | Refuse) -> dict[str, Any]:
    tokens = _tokens(reply)
    return {
        "model": MODEL,
        "created_at": "2024-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": reply.text},
        "done": True,
        "done_reason": "length" if isinstance(reply, Say) and reply.cut else "stop",
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": tokens.given,
        "prompt_eval_duration": 1,
        "eval_count": tokens.made,
        "eval_duration": 1,
    }
