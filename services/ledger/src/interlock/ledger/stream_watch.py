"""Watches the broker's streams for what was acknowledged and is gone (I10).

Theory of operation. A broker whose file was damaged loses messages without a word and gives their
numbers to others. The ledger has written down every message of the streams that matter, so it
keeps, beside the journal, how far it had come in each. A stream that ends before that place, has a
hole, holds another message there, or is behind its own consumer has lost something, and the desk
must not go on as if it had not. The loss is told once: what is in the stream from then on counts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.model.ids import UnixNanos
from interlock.runtime.bus.condition import Condition
from interlock.runtime.durable import replace_file
from interlock.runtime.errors import UnavailableError
from interlock.runtime.loop import Recorded
from interlock.wire.base import root_ids
from interlock.wire.catalogue import LEDGER, Stream
from interlock.wire.system import SafetyTripped, TripLevel

_log = logging.getLogger(__name__)

WATCHED = (Stream.DESK, Stream.APPROVALS)
INTERVAL_SECONDS = 2.0
CODE = "journal.stream_lost"

type Ask = Callable[[Stream, int], Awaitable[Condition]]
type Say = Callable[[SafetyTripped], Awaitable[None]]


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """The last message of a stream that is in the journal; `holes` is what was told of already."""

    sequence: int = 0
    message_id: str = ""
    holes: int = 0


class WatermarkError(Exception):
    """The watermark cannot be read: nobody knows how far the ledger had come."""


_marks = msgspec.json.Decoder(dict[Stream, Mark])


def load_marks(path: Path, journaled: int) -> dict[Stream, Mark]:
    """Return the marks of the last run; none where there was none and no row is `journaled`.

    Raises
    ------
    WatermarkError
        When the file holds no marks, or is gone.
    """
    try:
        return _marks.decode(path.read_bytes())
    except FileNotFoundError:
        if journaled:
            raise WatermarkError(f"{path} is missing") from None
        return {}
    except (msgspec.MsgspecError, ValueError, OSError) as error:
        raise WatermarkError(f"{path} cannot be read: {error}") from error


def loss(mark: Mark, condition: Condition) -> tuple[str, str] | None:
    """Return what a stream shows and what it must show, where it has lost something."""
    if condition.last_sequence < mark.sequence:
        return f"ends at {condition.last_sequence}", f"at least {mark.sequence}"
    if mark.sequence and condition.first_sequence > mark.sequence + 1:
        return f"begins at {condition.first_sequence}", f"at most {mark.sequence + 1}"
    if condition.deleted > mark.holes:
        return f"{condition.deleted} missing in between", f"{mark.holes} missing"
    if condition.ack_floor > condition.last_sequence:
        return f"ends at {condition.last_sequence}", f"acknowledged to {condition.ack_floor}"
    at_mark = condition.message_id
    if at_mark is not None and mark.message_id and at_mark != mark.message_id:
        return f"{at_mark} at {mark.sequence}", f"{mark.message_id} at {mark.sequence}"
    return None


@dataclass(kw_only=True, slots=True)
class StreamWatch:
    """`ask` returns a stream's condition, with the id of the message at a sequence.

    `doubt` says why nobody knows how far the ledger had come.
    """

    path: Path
    desk: str
    ask: Ask
    say: Say
    now: Callable[[], UnixNanos]
    marks: dict[Stream, Mark]
    doubt: str = ""
    interval_seconds: float = INTERVAL_SECONDS
    _saved: dict[Stream, Mark] | None = None

    def notice(self, batch: Sequence[Recorded]) -> None:
        """Move the marks to what was just recorded."""
        for one in batch:
            mark = self.marks.get(one.stream, Mark())
            if one.stream in WATCHED and one.sequence > mark.sequence:
                message_id = "" if one.message is None else one.message.message_id
                self.marks[one.stream] = Mark(one.sequence, message_id, mark.holes)

    async def keep(self) -> None:
        """Look at the streams now and every few seconds, until cancelled."""
        if self.doubt:
            await self._tell("watermark", self.doubt, "how far the journal has come in each stream")
        while True:
            await self.look()
            await self.save()
            await asyncio.sleep(self.interval_seconds)

    async def look(self) -> None:
        for stream in WATCHED:
            mark = self.marks.get(stream, Mark())
            try:
                condition = await self.ask(stream, mark.sequence)
            except UnavailableError as error:
                _log.warning("the condition of %s is unknown: %s", stream, error)
                continue
            found = loss(mark, condition)
            if found is not None:
                await self._tell(stream, *found)
                self.marks[stream] = Mark(condition.last_sequence, "", condition.deleted)

    async def save(self) -> None:
        """Write the marks down, if they have moved; a disk that is full is the journal's matter."""
        if self.marks == self._saved:
            return
        standing = dict(self.marks)
        try:
            await asyncio.to_thread(replace_file, self.path, msgspec.json.encode(standing))
        except OSError as error:
            _log.warning("%s could not be written: %s", self.path, error)
        else:
            self._saved = standing

    async def _tell(self, what: str, observed: str, limit: str) -> None:
        _log.critical("%s: %s, and should be: %s", what, observed, limit)
        now = self.now()
        message_id, decision_id = root_ids(SafetyTripped, self.desk, what, observed, limit, now)
        await self.say(
            SafetyTripped(
                message_id=message_id,
                decision_id=decision_id,
                ts_event=now,
                desk=self.desk,
                service=LEDGER,
                code=CODE,
                level=TripLevel.HALT,
                observed=f"{what} {observed}",
                limit=limit,
            )
        )
