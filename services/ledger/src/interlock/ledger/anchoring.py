"""Writes the journal's anchors: at the first rows, each minute the head moved, at each halt.

A second place that cannot be written is no reason to stop a desk, but a person must know it: until
it is back, nothing but the ledger's key vouches for the journal.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interlock.model.ids import UnixNanos, derive_id
from interlock.model.values import Severity, TradingState
from interlock.runtime.anchors import Occasion, anchors_file, drop_anchor
from interlock.runtime.journal import Journal, first_row
from interlock.runtime.loop import Recorded
from interlock.runtime.signing import Signer
from interlock.wire.catalogue import LEDGER
from interlock.wire.policy import TradingStateChanged
from interlock.wire.system import AlertRaised

_log = logging.getLogger(__name__)

INTERVAL_SECONDS = 60.0
RETRY_SECONDS = 5.0
CODE = "journal.anchor"

type Say = Callable[[AlertRaised], Awaitable[None]]


@dataclass(kw_only=True, slots=True)
class Anchoring:
    """The second place of one journal. `now` is on the machine's clock."""

    journal: Journal
    desk: str
    folder: Path
    signer: Signer
    now: Callable[[], UnixNanos]
    say: Say
    interval_seconds: float = INTERVAL_SECONDS
    _anchored_seq: int = -1
    _failing: bool = False
    _due: Occasion | None = Occasion.START
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def notice(self, batch: Sequence[Recorded]) -> None:
        """Look at what was recorded: the first rows and a halt are anchored at once."""
        if any(_halts(one) for one in batch):
            self._due = Occasion.HALT
        if self._due is not None:
            self._news.set()

    async def keep(self) -> None:
        """Anchor the journal whenever it is time, until cancelled."""
        wait = self.interval_seconds
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                self._due = self._due or Occasion.MINUTE
            self._news.clear()
            wait = self.interval_seconds if await self._anchor() else RETRY_SECONDS

    async def close(self) -> None:
        """Anchor the last row."""
        self._due = Occasion.CLOSE
        await self._anchor()

    async def _anchor(self) -> bool:
        """Write an anchor where the journal has moved; return whether all is anchored."""
        place, occasion = self.journal.place, self._due or Occasion.MINUTE
        if place.seq in (0, self._anchored_seq):
            return True
        try:
            await asyncio.to_thread(self._drop, occasion)
        except OSError as error:
            await self._fail(error)
            return False
        if self._due is occasion:
            self._due = None
        self._failing = False
        return True

    def _drop(self, occasion: Occasion) -> None:
        place, first = self.journal.place, first_row(self.journal.path)
        assert first is not None
        path = anchors_file(self.folder, self.desk, first.hash, self.signer.key_id)
        drop_anchor(path, place, self.now(), occasion, self.signer.sign)
        self._anchored_seq = place.seq

    async def _fail(self, error: OSError) -> None:
        _log.error("the journal cannot be anchored in %s: %s", self.folder, error)
        if self._failing:
            return
        self._failing = True
        now = self.now()
        identity = derive_id("alert", LEDGER, CODE, self.desk, now)
        await self.say(
            AlertRaised(
                message_id=identity,
                decision_id=identity,
                ts_event=now,
                desk=self.desk,
                service=LEDGER,
                severity=Severity.CRITICAL,
                code=CODE,
                text=f"the journal cannot be anchored in {self.folder}: {error}",
                dedupe_key=CODE,
            )
        )


def _halts(recorded: Recorded) -> bool:
    return (
        isinstance(recorded.message, TradingStateChanged)
        and recorded.message.state is TradingState.HALTED
    )
