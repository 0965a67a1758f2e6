"""What a service says, on its way to the broker: in order, many at once, until all of it is stored.

Theory of operation. Messages leave in the order of saying, on one connection, and the broker stores
them in that order. So nothing needs to wait for the answer to the message before it, and what is
said in one turn of the event loop leaves in one write. What the broker does not answer in time, or
refuses, or may have lost with a connection, is sent again together with everything after it that
is not answered yet: what was stored already is known there by its id, and the order stays, unless
the broker refused one message and took a later one.
"""

import asyncio
import itertools
import json
import logging
from collections import deque
from collections.abc import Mapping

from interlock.runtime.bus.tcp_only import BusError, Client, Msg

_log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_SECONDS = 2.0
RETRY_SECONDS = 0.05
TEND_SECONDS = 0.25
WINDOW_BYTES = 4 * 1024 * 1024
"""How much is sent and unanswered at most: what a slow disk stores well within the timeout."""
MAX_PER_SUBJECT = 10_077
_NO_CODE = 0


class _Posted:
    """A message that is not known to be stored yet."""

    __slots__ = ("body", "headers", "sent_at", "stored", "subject", "token")

    def __init__(
        self, token: str, subject: str, body: bytes, headers: dict[str, str], sent_at: float
    ) -> None:
        self.token = token
        self.subject = subject
        self.body = body
        self.headers = headers
        self.sent_at = sent_at
        self.stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class NatsOutbox:
    """The unanswered messages of one service."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._reply = client.new_inbox()
        self._tokens = itertools.count()
        self._unanswered: dict[str, _Posted] = {}
        self._unsent: deque[_Posted] = deque()
        self._wake = asyncio.Event()
        self._connection = 0
        self._flying_bytes = 0
        self._refused = False
        self._tasks: list[asyncio.Task[None]] = []

    def send(self, subject: str, body: bytes, headers: Mapping[str, str]) -> asyncio.Future[None]:
        """Return a future that is done when the message is stored."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._write()),
                asyncio.create_task(self._tend()),
            ]
        now = asyncio.get_running_loop().time()
        posted = _Posted(f"{next(self._tokens):x}", subject, body, {**headers}, now)
        self._unanswered[posted.token] = posted
        self._unsent.append(posted)
        self._wake.set()
        return posted.stored

    async def _write(self) -> None:
        listening = False
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                if not listening:
                    await self._listen()
                    listening = True
                await self._write_all()
            except (BusError, OSError) as error:
                if self._client.is_closed:
                    self._give_up(error)
                    return
                _log.warning("cannot publish: %s; trying again", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                self._again()

    async def _listen(self) -> None:
        await self._client.subscribe(
            f"{self._reply}.*", cb=self._answered, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    async def _write_all(self) -> None:
        while self._unsent and self._flying_bytes < WINDOW_BYTES:
            connection = self._client.stats["reconnects"]
            if connection != self._connection:
                # What went over the old connection may be lost, and must not come after this.
                self._connection = connection
                self._again()
            posted = self._unsent.popleft()
            if posted.token in self._unanswered:
                self._flying_bytes += len(posted.body)
                posted.sent_at = asyncio.get_running_loop().time()
                reply = f"{self._reply}.{posted.token}"
                await self._client.publish(posted.subject, posted.body, reply, posted.headers)

    def _again(self) -> None:
        """Send everything unanswered once more, in the order of saying."""
        self._unsent = deque(self._unanswered.values())
        self._flying_bytes = 0
        self._refused = False
        self._wake.set()

    async def _answered(self, msg: Msg) -> None:
        token = msg.subject.rpartition(".")[2]
        posted = self._unanswered.get(token)
        if posted is None:
            return
        code = _code_of(msg.data)
        if code in {_NO_CODE, MAX_PER_SUBJECT}:
            if code == MAX_PER_SUBJECT:
                _log.info("an approval stands already on %s", posted.subject)
            del self._unanswered[token]
            self._flying_bytes = max(0, self._flying_bytes - len(posted.body))
            if self._unsent:
                self._wake.set()
            if not posted.stored.done():
                posted.stored.set_result(None)
            return
        _log.error("%s was refused with code %s; trying again", posted.subject, code)
        if not self._refused:
            self._refused = True
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._again)

    async def _tend(self) -> None:
        """Send again what was not answered in time, or may have gone with a connection."""
        while True:
            await asyncio.sleep(TEND_SECONDS)
            oldest = next(iter(self._unanswered.values()), None)
            if oldest is None:
                continue
            if self._client.is_closed:
                self._give_up(BusError("the connection is closed"))
                return
            waited = asyncio.get_running_loop().time() - oldest.sent_at
            lost = self._client.stats["reconnects"] != self._connection
            if waited > PUBLISH_TIMEOUT_SECONDS or lost:
                _log.warning("publish on %s: no answer; trying again", oldest.subject)
                self._connection = self._client.stats["reconnects"]
                self._again()

    def _give_up(self, error: Exception) -> None:
        for posted in self._unanswered.values():
            if not posted.stored.done():
                posted.stored.set_exception(error)
        self._unanswered.clear()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for posted in self._unanswered.values():
            posted.stored.cancel()


def _code_of(answer: bytes) -> int:
    """Return the broker's error code, `_NO_CODE` when the message is stored."""
    if not answer:
        return -1  # Nobody listens there: the streams are not there yet.
    if b'"error"' not in answer:
        return _NO_CODE
    return int(json.loads(answer)["error"].get("err_code", -1))
